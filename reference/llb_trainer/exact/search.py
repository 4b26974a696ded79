"""The search: ask the teacher along each ray, read off the numbers, ask again where they are.

The numbers come from the reader's own `llb.runtime.limits`, on splines through exact values with exact slopes
instead of samples of a graph. Every answer is asked for in turn until it lies at a label: the spline between
labels is a guess of where to ask next, never the proof. A kink between two labels, or a second minimum, thus
costs a round more and no precision; from the fourth round on the interval is halved as well, so that no shape
can hold the search up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Limits, limits
from llb_trainer.exact.answer import ExactLimits
from llb_trainer.exact.nodes import Nodes, columns_of, origin, rays_through
from llb_trainer.exact.numbers import CLS, MU_HAT, UPPER_LIMITS, Number, band_of, values_of
from llb_trainer.exact.proof import RELATIVE, Status, cls_status, given_up, place_status
from llb_trainer.labels import background_of, label_signals
from llb_trainer.sampling import Background, strengths
from llb_trainer.teachers.contract import Labels, Teacher

__all__ = ["exact_limits"]

Floats = NDArray[np.float64]
Label = Callable[[Floats], Labels]

_LADDER = (0.5, 1.05, 1.43, 1.96, 2.73, 3.66)
"""Expected significances of the first labels; from the second one on, where expected limits of 95 % lie."""
_ROUNDS, _PLAIN = 16, 3
_STRIDE, _STRIDES = 8.0, 6
"""How much farther to look for a limit beyond all labels, and how often."""
_BEST_FIT = 1e-4
"""How near a label the best fit must be, in units of the limit: it moves Delta NLL by some 1e-8."""


def exact_limits(
    teacher: Teacher,
    signals: Floats,
    names: Sequence[str] | None = None,
    *,
    level: float = 0.95,
    scheduler: str | None = None,
    processes: int | None = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[ExactLimits, ...]:
    """Best fit, CLs at mu = 1 and upper limits by the teacher itself, all signals in a few batches.

    Limits are searched until a label is within 1e-5 of them, relative; best fits within 1e-4 of the observed
    limit. A HistFactory teacher should be `explored` before, or it explores anew for every batch.

    Args:
        teacher: the exact likelihood.
        signals: (n, n_bins) events at mu = 1, in the order of the teacher's bins.
        names: of the signals; their numbers by default.
        level: confidence level of the limits, between 0 and 1.
        scheduler: who labels, see `llb_trainer.labels.label_signals`.
        processes: likewise. By default this process works: each of the few batches starts its own workers,
            which pays where a batch takes minutes.
        progress: told how many more signals have all their numbers.

    Returns:
        One answer a signal, in order.

    Raises:
        ValueError: signals of another shape or not finite, another number of names, level out of range.
        FindingError: as `label_signals`.
    """
    signals = np.asarray(signals, dtype=np.float64)
    if signals.ndim != 2 or signals.shape[1] != len(teacher.bins) or not np.isfinite(signals).all():
        raise ValueError(f"signals must be finite and of shape (n, {len(teacher.bins)})")
    titles = [str(row) for row in range(len(signals))] if names is None else list(names)
    if len(titles) != len(signals):
        raise ValueError(f"{len(titles)} names for {len(signals)} signals")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, not {level}")
    if not len(signals):
        return ()

    def label(points: Floats) -> Labels:
        return label_signals(teacher, points, scheduler=scheduler, processes=processes)

    search, finished = _Search(teacher, signals, level), 0
    for turn in range(_ROUNDS):
        wanted = search.wanted(turn)
        done = sum(not mu.size for mu in wanted)
        if progress and done > finished:
            progress(done - finished)
        finished = max(done, finished)
        if done == len(signals):
            break
        search.ask(wanted, label)
    return tuple(search.answer(row, title) for row, title in enumerate(titles))


class _Search:
    """All rays, and the numbers as the labels so far have them."""

    def __init__(self, teacher: Teacher, signals: Floats, level: float) -> None:
        self._signals, self._level = signals, level
        self._columns = columns_of(teacher)
        self._nodes: list[Nodes] = [origin(teacher, signal) for signal in signals]
        self._rungs = _rungs(background_of(teacher), signals)
        self._rounds = [0] * len(signals)
        self._found = self._read()

    def wanted(self, turn: int) -> list[Floats]:
        """Strengths at which each signal's numbers need a label; at first a ladder, and mu = 1."""
        if not turn:
            return [
                np.unique([*rungs, 1.0]) if np.isfinite(rungs).all() else np.empty(0) for rungs in self._rungs
            ]
        asked = [
            [mu for status in self._places(row, halve=turn > _PLAIN).values() for mu in status.ask]
            for row in range(len(self._signals))
        ]
        return [_apart(mu) for mu in asked]

    def ask(self, wanted: Sequence[Floats], label: Label) -> None:
        """One batch of labels for all signals."""
        points = [mu[:, np.newaxis] * signal for mu, signal in zip(wanted, self._signals, strict=True)]
        labels = label(np.concatenate(points))
        first = 0
        for row, mu in enumerate(wanted):
            if mu.size:
                rows = slice(first, first + len(mu))
                self._nodes[row] = self._nodes[row].with_labels(mu, self._signals[row], labels, rows)
                self._rounds[row] += 1
                first += len(mu)
        self._found = self._read()

    def answer(self, row: int, name: str) -> ExactLimits:
        """The numbers of one signal, as far as they are proven."""
        nodes = self._nodes[row]
        places = {
            key: given_up(status, self._rounds[row]) for key, status in self._places(row, halve=True).items()
        }
        status = {**places, **self._cls(row)}
        for observed in (CLS[0].name, UPPER_LIMITS[0].name):
            fault = places[MU_HAT.name].reason
            if fault and not status[observed].reason:
                status[observed] = Status(np.nan, reason=f"mu_hat: {fault}")
        values = {key: item.value for key, item in status.items()}
        return ExactLimits(
            name=name,
            signal=self._signals[row],
            level=self._level,
            mu_hat=values["mu_hat"],
            cls_observed=values["cls_observed"],
            cls_expected=band_of(values, "cls_expected"),
            cls_apriori=band_of(values, "cls_apriori"),
            upper_limit_observed=values["upper_limit_observed"],
            upper_limit_expected=band_of(values, "upper_limit_expected"),
            upper_limit_apriori=band_of(values, "upper_limit_apriori"),
            precision={key: item.precision for key, item in status.items() if not item.reason},
            reasons={key: item.reason for key, item in status.items() if item.reason},
            labels=len(nodes.mu) - 1,
            rounds=self._rounds[row],
        )

    def _read(self) -> list[Limits]:
        """The reader's answers on splines through the labels."""
        top = self._rungs[:, -1]
        self._rays = rays_through(self._columns, self._nodes, np.where(np.isfinite(top), top, 1.0))
        self._lowest = self._rays.minimum("observed")[1]
        return limits(self._rays, level=self._level)

    def _places(self, row: int, *, halve: bool) -> dict[str, Status]:
        """The best fit and the limits of a signal."""
        values = values_of(self._found[row])
        limit, top = values[UPPER_LIMITS[0].name], float(self._rungs[row, -1])
        unit = limit if 0.0 < limit < np.inf else top

        def status(number: Number, value: float, unit: float, tolerance: float) -> Status:
            return place_status(
                self._nodes[row],
                [self._columns[curve] for curve in number.curves],
                value,
                unit,
                tolerance=tolerance,
                farthest=max(top, 1.0) * _STRIDE**_STRIDES,
                stride=_STRIDE,
                halve=halve,
            )

        return {
            MU_HAT.name: status(MU_HAT, values[MU_HAT.name], unit, _BEST_FIT),
            **{
                number.name: status(number, values[number.name], values[number.name] or top, RELATIVE)
                for number in UPPER_LIMITS
            },
        }

    def _cls(self, row: int) -> dict[str, Status]:
        values = values_of(self._found[row])
        return {
            number.name: cls_status(
                self._nodes[row],
                [self._columns[curve] for curve in number.curves],
                number,
                values[number.name],
                float(self._lowest[row]),
            )
            for number in CLS
        }


def _rungs(background: Background, signals: Floats) -> Floats:
    """(n, n_rungs) strengths of the ladder; infinite for a signal of nothing."""
    size = np.abs(signals).max(axis=1, initial=0.0)
    rungs = np.full((len(signals), len(_LADDER)), np.inf)
    some = np.flatnonzero(size > 0.0)
    directions = np.abs(signals[some]) / size[some, np.newaxis]
    for column, significance in enumerate(_LADDER):
        delta = np.full(len(some), 0.5 * significance**2)
        rungs[some, column] = strengths(background, directions, delta) / size[some]
    return rungs


def _apart(mu: Sequence[float]) -> Floats:
    """In order, without those that another one stands for."""
    kept: list[float] = []
    for item in sorted(mu):
        if not kept or item > kept[-1] * (1.0 + 0.3 * RELATIVE):
            kept.append(item)
    return np.array(kept)
