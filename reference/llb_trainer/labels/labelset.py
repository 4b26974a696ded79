"""Labels ready for training: made, checked, cut to the domain, with the record of how."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.labels.pilots import background_of
from llb_trainer.labels.rows import concatenate, take
from llb_trainer.labels.run import label_signals
from llb_trainer.sampling import Background, Sampling, sample_signals
from llb_trainer.teachers.contract import Labels, Teacher

__all__ = ["Counts", "LabelSet", "Origin", "heldout_count", "make_labels", "signal_count", "stored_labels"]

Floats = NDArray[np.float64]

_STARTS = 16
"""Random starts of each signal of the second look."""
_MARGIN = 1.02
"""By which the truncation lies beyond the strongest published signal, so that this one is inside."""
_TRAIN, _HOLD, _CALIBRATE, _REACH = range(4)
"""Roles of a signal: to learn from, to be held out, to calibrate with, to say how far the domain reaches."""
_FEWEST = 100
"""Labels that training needs at least."""
_HALF = 0.5
"""Share of the held-out signals along published directions, where training sees such directions at all."""


@dataclass(frozen=True)
class Origin:
    """Exact behaviour at zero signal, per curve.

    Attributes:
        data: (n_curves, n_bins) events in the data set.
        slope: (n_curves, n_bins) gradients there.
        curvature: (n_curves, n_bins, n_bins) second derivatives.
        asimov: (n_curves,) whether zero signal is the minimum by definition, of the curve or of an alias.
    """

    data: Floats
    slope: Floats
    curvature: Floats
    asimov: NDArray[np.bool_]


@dataclass(frozen=True)
class Counts:
    """How many signals came to what.

    Attributes:
        requested: drawn, or given.
        failed: without a proven minimum on some curve; excluded.
        outside: with a Delta NLL beyond the truncation on some curve.
        second_look: fitted again, from random starts.
    """

    requested: int
    failed: int
    outside: int
    second_look: int


@dataclass(frozen=True)
class LabelSet:
    """Labels and how they came about.

    Attributes:
        training: labels that training sees, zero signal first; some lie beyond the truncation: they keep the
            network from falling there.
        calibration: labels inside the truncation that only the uncertainty is calibrated with.
        heldout: labels inside the truncation that nothing is made from.
        origin: exact behaviour at zero signal.
        background: what the sampling knew.
        sampling: how signals were drawn, or with what settings given ones were split.
        given: whether they were given instead of drawn.
        set_aside: how the held-out signals were chosen, for people.
        counts: how many signals came to what.
        delta_max: the truncation: the largest Delta NLL of the domain.
        seconds: time taken.
        second_look_excess: largest amount by which more starts found a lower NLL, on a sample.
    """

    training: Labels
    calibration: Labels
    heldout: Labels
    origin: Origin
    background: Background
    sampling: Sampling
    given: bool
    set_aside: str
    counts: Counts
    delta_max: float
    seconds: float
    second_look_excess: float


def heldout_count(n: int) -> int:
    """Signals that are held out beside `n` others; as many more calibrate the uncertainty."""
    return min(2_000, max(200, n // 10))


def signal_count(n: int, published: Floats) -> int:
    """Signals that `make_labels` labels when it is asked for `n`."""
    return n + 2 * heldout_count(n) + len(published)


def make_labels(
    teacher: Teacher,
    published: Floats,
    n: int,
    sampling: Sampling,
    *,
    second_look: int = 32,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> LabelSet:
    """Sample signals, label them, leave out what is not proven, split.

    Beside `n` signals for training, others are drawn to be held out and to calibrate the uncertainty, and
    the published signals at `sampling.strength` are labelled: the domain reaches at least so far.

    Args:
        teacher: the teacher.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: signals to label for training.
        sampling: how to draw them.
        second_look: signals that are fitted again, from random starts.
        processes: worker processes; one per core if None, none if 0.
        progress: told how many signals were finished, of `signal_count` in all.

    Raises:
        FindingError: LLB-T001 too few labels are left.
    """
    began = time.monotonic()
    background = background_of(teacher)
    aside = heldout_count(n)
    along = _HALF if sampling.published > 0 else 0.0
    other = replace(sampling, seed=sampling.seed + 2, published=along)
    parts = (
        sample_signals(background, published, n, sampling),
        # Signal 0 of every sequence is no signal at all, which training has seen.
        *np.split(sample_signals(background, published, 2 * aside, other, first=1), 2),
        sampling.strength * np.maximum(published, 0.0),
    )
    labels = label_signals(teacher, np.concatenate(parts), processes=processes, progress=progress)
    role = np.repeat([_TRAIN, _HOLD, _CALIBRATE, _REACH], [len(part) for part in parts])
    chosen = (
        "half of them along published directions and half filling space"
        if len(published) and along and sampling.strategy == "mixed"
        else "drawn like the others"
    )
    return _split(teacher, labels, role, _Drawn(background, sampling, False, chosen), second_look, began)


def stored_labels(
    teacher: Teacher, labels: Labels, sampling: Sampling, *, given: bool = False, second_look: int = 32
) -> LabelSet:
    """The labels of a store, split.

    Args:
        teacher: the teacher that made them.
        labels: all labels; of a hundred, 8 are held out and 8 calibrate the uncertainty.
        sampling: how they were drawn; the domain reaches to its `delta_max`, and its seed splits them.
        given: whether the signals were given instead of drawn.
        second_look: signals that are fitted again, from random starts.

    Raises:
        FindingError: LLB-T001 too few labels are left.
    """
    began = time.monotonic()
    if np.any(labels.signals[0]):
        labels = concatenate([teacher.label(np.zeros((1, labels.signals.shape[1]))), labels])
    role = np.random.default_rng([sampling.seed, 2]).choice(
        [_TRAIN, _HOLD, _CALIBRATE], size=len(labels.signals), p=[0.84, 0.08, 0.08]
    )
    role[0] = _TRAIN
    drawn = _Drawn(background_of(teacher), sampling, given, "chosen at random among all that were labelled")
    return _split(teacher, labels, role, drawn, second_look, began)


@dataclass(frozen=True)
class _Drawn:
    """Where the signals come from; attributes as of `LabelSet`."""

    background: Background
    sampling: Sampling
    given: bool
    set_aside: str


def _split(
    teacher: Teacher,
    labels: Labels,
    role: NDArray[np.int64],
    drawn: _Drawn,
    second_look: int,
    began: float,
) -> LabelSet:
    """Labels whose role is known, the first one of zero signal."""
    n, sampling = len(labels.signals), drawn.sampling
    usable = labels.usable
    highest = np.max([curve.delta for curve in labels.curves], axis=0)
    strongest = np.max(highest[(role == _REACH) & usable], initial=0.0)
    delta_max = max(sampling.delta_max, _MARGIN * float(strongest))
    inside = usable & (highest <= delta_max)
    learned = inside & (role == _TRAIN)
    if np.sum(learned) < _FEWEST:
        raise FindingError(finding("LLB-T001", actual=f"{np.sum(learned)} of {np.sum(role == _TRAIN)}"))
    rng = np.random.default_rng([sampling.seed, 1])
    looked = rng.choice(np.flatnonzero(inside), size=min(second_look, int(np.sum(inside))), replace=False)
    held = role == _HOLD
    kept = role == _CALIBRATE
    return LabelSet(
        training=take(labels, usable & ~held & ~kept),
        calibration=take(labels, inside & kept),
        heldout=take(labels, inside & held),
        origin=_origin(teacher, drawn.background),
        background=drawn.background,
        sampling=sampling,
        given=drawn.given,
        set_aside=drawn.set_aside,
        counts=Counts(n, int(n - usable.sum()), int(usable.sum() - inside.sum()), len(looked)),
        delta_max=delta_max,
        seconds=time.monotonic() - began,
        second_look_excess=_second_look(teacher, labels, looked, sampling.seed),
    )


def _second_look(teacher: Teacher, labels: Labels, rows: NDArray[np.int64], seed: int) -> float:
    """Largest amount by which random starts end below the labels."""
    again = teacher.second_look(labels.signals[rows], starts=_STARTS, seed=seed)
    baseline = {curve.name: curve.baseline_nll for curve in teacher.curves}
    return max(
        float(np.max(curve.delta[rows] + baseline[curve.name] - again[curve.name], initial=0.0))
        for curve in labels.curves
    )


def _origin(teacher: Teacher, background: Background) -> Origin:
    """Data, slopes and curvature at zero; the curvature from central differences of exact gradients."""
    n_bins = len(background.events)
    step = 0.05 * background.scale
    shifts = np.diag(step)
    labels = teacher.label(np.concatenate([np.zeros((1, n_bins)), shifts, -shifts]))
    data = {curve.name: curve.main for curve in teacher.curves}
    asimov = {curve.alias_of or curve.name for curve in teacher.curves if curve.name.endswith("_asimov")}
    curvature: list[Floats] = []
    for curve in labels.curves:
        rows = (curve.gradient[1 : n_bins + 1] - curve.gradient[n_bins + 1 :]) / (2 * step[:, None])
        curvature.append(0.5 * (rows + rows.T))
    return Origin(
        np.stack([data[curve.name] for curve in labels.curves]),
        np.stack([curve.gradient[0] for curve in labels.curves]),
        np.stack(curvature),
        np.array([curve.name in asimov for curve in labels.curves]),
    )
