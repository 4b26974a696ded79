"""Labels ready for training: made, checked, cut to the domain, with the record of how."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.labels.pilots import background_of
from llb_trainer.labels.rows import take
from llb_trainer.labels.run import label_signals
from llb_trainer.sampling import Background, Sampling, sample_signals
from llb_trainer.teachers.contract import Labels, Teacher

__all__ = ["LabelSet", "Origin", "make_labels"]

Floats = NDArray[np.float64]

_STARTS = 16
"""Random starts of each signal of the second look."""


@dataclass(frozen=True)
class Origin:
    """Exact behaviour at zero signal, per curve.

    Attributes:
        offset: (n_curves, n_branches) Delta NLL of each basin without signal, NaN where it has none.
        slope: (n_curves, n_branches, n_bins) gradients there.
        curvature: (n_curves, n_bins, n_bins) second derivatives of the lowest basin.
    """

    offset: Floats
    slope: Floats
    curvature: Floats


@dataclass(frozen=True)
class LabelSet:
    """Labels and how they came about.

    Attributes:
        training: labels that training sees, some beyond the truncation: they keep the network from
            falling there.
        heldout: labels inside the truncation that training never sees.
        origin: exact behaviour at zero signal.
        background: what the sampling knew.
        sampling: how signals were drawn.
        n_requested: signals drawn.
        n_failed: signals without a proven minimum on some curve; excluded.
        n_outside: signals whose Delta NLL exceeds the truncation on some curve.
        delta_max: the truncation.
        seconds: time taken.
        second_look_excess: largest amount by which more starts found a lower NLL, on a sample.
        second_look_signals: size of that sample.
    """

    training: Labels
    heldout: Labels
    origin: Origin
    background: Background
    sampling: Sampling
    n_requested: int
    n_failed: int
    n_outside: int
    delta_max: float
    seconds: float
    second_look_excess: float
    second_look_signals: int


def make_labels(
    teacher: Teacher,
    published: Floats,
    n: int,
    sampling: Sampling,
    *,
    heldout: float = 0.1,
    second_look: int = 32,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> LabelSet:
    """Sample signals, label them, leave out what is not proven, split.

    Args:
        teacher: the teacher.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: signals to label.
        sampling: how to draw them; its `delta_max` is the truncation of the domain.
        heldout: fraction kept from training.
        second_look: signals that are fitted again, from random starts.
        processes: worker processes; one per core if None, none if 0.
        progress: told how many signals were finished.

    Raises:
        FindingError: LLB-T001 too few labels are left.
    """
    began = time.monotonic()
    background = background_of(teacher)
    signals = sample_signals(background, published, n, sampling)
    labels = label_signals(teacher, signals, processes=processes, progress=progress)
    usable = labels.usable
    inside = usable & np.logical_and.reduce([c.delta <= sampling.delta_max for c in labels.curves])
    rng = np.random.default_rng([sampling.seed, 1])
    rows = np.flatnonzero(inside)
    if len(rows) < 100:
        raise FindingError(finding("LLB-T001", actual=f"{len(rows)} of {n}"))
    looked = rng.choice(rows, size=min(second_look, len(rows)), replace=False)
    again = teacher.second_look(signals[looked], starts=_STARTS, seed=sampling.seed)
    baseline = {curve.name: curve.baseline_nll for curve in teacher.curves}
    excess = [
        np.max(curve.delta[looked] + baseline[curve.name] - again[curve.name], initial=0.0)
        for curve in labels.curves
    ]
    kept_out = rng.uniform(size=n) < heldout
    kept_out[0] = False
    return LabelSet(
        training=take(labels, usable & ~kept_out),
        heldout=take(labels, inside & kept_out),
        origin=_origin(teacher, background),
        background=background,
        sampling=sampling,
        n_requested=n,
        n_failed=int(n - usable.sum()),
        n_outside=int(usable.sum() - inside.sum()),
        delta_max=sampling.delta_max,
        seconds=time.monotonic() - began,
        second_look_excess=float(max(excess)),
        second_look_signals=len(looked),
    )


def _origin(teacher: Teacher, background: Background) -> Origin:
    """Values, slopes and curvature at zero; the curvature from central differences of exact gradients."""
    n_bins = len(background.events)
    step = 0.05 * background.scale
    shifts = np.diag(step)
    labels = teacher.label(np.concatenate([np.zeros((1, n_bins)), shifts, -shifts]))
    offset, slope, curvature = [], [], []
    for curve in labels.curves:
        offset.append(curve.branches[0])
        slope.append(curve.branch_gradients[0])
        lowest = int(np.nanargmin(curve.branches[0]))
        gradients = curve.branch_gradients[1:, lowest]
        rows = (gradients[:n_bins] - gradients[n_bins:]) / (2 * step[:, None])
        curvature.append(_positive(rows, background))
    return Origin(np.stack(offset), np.stack(slope), np.stack(curvature))


def _positive(matrix: Floats, background: Background) -> Floats:
    """The nearest symmetric matrix that bends upward everywhere, by a little at least."""
    scale = background.scale
    unit = matrix * scale[:, None] * scale[None, :]
    unit = np.where(np.isfinite(unit), 0.5 * (unit + unit.T), 0.0)
    values, vectors = np.linalg.eigh(unit)
    bent = (vectors * np.maximum(values, 1e-3 * max(1.0, float(values[-1])))) @ vectors.T
    return bent / scale[:, None] / scale[None, :]
