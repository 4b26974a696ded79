"""The teacher's minima at the signal strengths that a test visits, in pyhf's terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llb_trainer.peer import CURVES, KnownOptimum
from llb_trainer.teachers.histfactory import HistFactoryTeacher

__all__ = ["KnownMinima", "known_minima"]

Floats = NDArray[np.float64]

_LARGEST_MU = 1e4


@dataclass(frozen=True)
class KnownMinima:
    """What to look up for one signal.

    Attributes:
        yields: (n_bins,) events at mu = 1, in the order of the teacher's bins.
        mu: signal strengths; those that are no usable number are left out.
    """

    yields: Floats
    mu: tuple[float, ...]


def known_minima(
    teacher: HistFactoryTeacher,
    wanted: Sequence[KnownMinima],
    parameters: Sequence[str],
    poi: str,
    progress: Callable[[int], None] | None = None,
) -> list[tuple[KnownOptimum, ...]]:
    """Proven minima of the observed and of the Asimov curve, every start tried, in one batch.

    Args:
        teacher: the exact likelihood.
        wanted: signals and strengths; mu = 0 is added to each.
        parameters: pyhf's parameters, by name and element, of the model with a signal.
        poi: which of them is the signal strength.
        progress: told how many of the signals were finished.

    Returns:
        Per signal its optima; a strength at which no minimum was proven has none.

    Raises:
        KeyError: pyhf has a parameter that the teacher does not have.
    """
    strengths = [
        tuple(sorted({0.0, *(mu for mu in item.mu if math.isfinite(mu) and 0.0 < mu < _LARGEST_MU)}))
        for item in wanted
    ]
    # mu = 0 is the same for all signals: row 0.
    rows = [(item, mu) for item, several in enumerate(strengths) for mu in several if mu > 0.0]
    signals = np.zeros((1 + len(rows), len(teacher.bins)))
    for row, (item, mu) in enumerate(rows, start=1):
        signals[row] = mu * wanted[item].yields
    # without an atlas, these very signals are searched
    curves = tuple(curve for curve in teacher.curves if curve.name in CURVES)
    needed = replace(teacher, curves=curves, atlases={})
    share = _Share(progress, len(signals), len(wanted))
    labels = needed.label(signals, share)
    share.finish()
    order = _order(teacher.model.parameters, parameters, poi)
    found: list[list[KnownOptimum]] = [[] for _ in wanted]
    for curve in labels.curves:
        for row, (item, mu) in enumerate([*((item, 0.0) for item in range(len(wanted))), *rows]):
            at = max(0, row - len(wanted) + 1)
            if curve.converged[at]:
                vector = np.append(curve.parameters[at], mu)[order]
                found[item].append(KnownOptimum(curve.name, mu, tuple(float(x) for x in vector)))
    return [tuple(optima) for optima in found]


def _order(ours: Sequence[str], theirs: Sequence[str], poi: str) -> list[int]:
    """Position of each of pyhf's parameters among ours, with the POI behind our last."""
    place = {name: number for number, name in enumerate([*ours, poi])}
    return [place[name] for name in theirs]


class _Share:
    """Turns counts of fitted signals into counts of items."""

    def __init__(self, progress: Callable[[int], None] | None, signals: int, items: int) -> None:
        self._progress, self._signals, self._items = progress, signals, items
        self._done = self._told = 0

    def __call__(self, count: int) -> None:
        """Signals have been fitted."""
        self._done = min(self._done + count, self._signals)
        self._tell(self._items * self._done // self._signals)

    def finish(self) -> None:
        """All is done, whatever was counted."""
        self._tell(self._items)

    def _tell(self, items: int) -> None:
        if self._progress is not None and items > self._told:
            self._progress(items - self._told)
            self._told = items
