"""A teacher whose likelihood is written down: counting experiments without nuisance parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.contract import CURVES, CurveData, CurveLabels, Labels, SignalBin

__all__ = ["CountingTeacher", "Shape", "kinked", "saturated", "smooth"]

Floats = NDArray[np.float64]
Shape = Callable[[Floats], tuple[Floats, Floats]]
"""What is made of the Delta NLL of the counting experiment: its value, and its derivative."""


def smooth(delta: Floats) -> tuple[Floats, Floats]:
    """The counting experiment itself."""
    return delta, np.ones_like(delta)


def kinked(delta: Floats) -> tuple[Floats, Floats]:
    """A second basin takes over at Delta NLL = 1.25, at a fifth of the slope."""
    other = 1.0 + 0.2 * delta
    return np.minimum(delta, other), np.where(delta <= other, 1.0, 0.2)


def saturated(delta: Floats) -> tuple[Floats, Floats]:
    """However strong the signal, the background can swallow it: Delta NLL stays below 1."""
    size = np.maximum(delta, 0.0)
    return 1.0 - np.exp(-size), np.exp(-size)


@dataclass
class CountingTeacher:
    """Independent Poisson counts, the last of the four curves an alias.

    Attributes:
        observed, background: (n_bins,) counts.
        shape: what is made of their Delta NLL, on every curve.
        broken: (n, n_bins) signals to those of them, (n,), whose labels on `broken_curve` are not proven.
        broken_curve: see there.
        batches: number of signals in each call so far.
    """

    observed: Floats
    background: Floats
    shape: Shape = smooth
    broken: Callable[[Floats], NDArray[np.bool_]] = lambda signals: np.zeros(len(signals), np.bool_)
    broken_curve: str = "observed"
    batches: list[int] = field(default_factory=list[int])

    @property
    def bins(self) -> tuple[SignalBin, ...]:
        counts = zip(self.observed, self.background, strict=True)
        return tuple(SignalBin(f"SR{n}", 0, float(o), float(b)) for n, (o, b) in enumerate(counts))

    @property
    def curves(self) -> tuple[CurveData, ...]:
        zero = np.zeros((1, len(self.background)))
        return tuple(
            CurveData(
                name=name,
                baseline_nll=0.0,
                slope=self.delta(name, zero)[1][0],
                main=self._data(name),
                auxiliary=(),
                alias_of="apriori" if name == "apriori_asimov" else "",
            )
            for name in CURVES
        )

    @property
    def covariance(self) -> Floats:
        return np.zeros((len(self.background), len(self.background)))

    @property
    def branches(self) -> tuple[str, ...]:
        return ("interior",)

    def delta(self, curve: str, signals: Floats) -> tuple[Floats, Floats]:
        """Delta NLL (n,) and its gradient (n, n_bins) at signals (n, n_bins)."""
        data, rate = self._data(curve), self.background + signals
        delta = np.sum(signals - data * np.log(rate / self.background), axis=1)
        value, factor = self.shape(delta)
        return value, factor[:, np.newaxis] * (1.0 - data / rate)

    def label(self, signals: Floats, progress: Callable[[int], None] | None = None) -> Labels:
        self.batches.append(len(signals))
        if progress:
            progress(len(signals))
        return Labels(signals, tuple(self._labels(name, signals) for name in CURVES[:3]))

    def second_look(self, signals: Floats, *, starts: int = 50, seed: int = 0) -> dict[str, Floats]:  # noqa: ARG002
        return {name: self.delta(name, signals)[0] for name in CURVES[:3]}

    def _data(self, curve: str) -> Floats:
        return self.observed if curve == "observed" else self.background

    def _labels(self, curve: str, signals: Floats) -> CurveLabels:
        value, gradient = self.delta(curve, signals)
        n = len(signals)
        proven = ~self.broken(signals) if curve == self.broken_curve else np.ones(n, np.bool_)
        # what is not proven is nonsense here, so that nobody can use it unnoticed
        value, gradient = np.where(proven, value, 1e3), np.where(proven[:, np.newaxis], gradient, np.nan)
        nothing = np.zeros(n)
        return CurveLabels(
            name=curve,
            delta=value,
            gradient=gradient,
            branches=value[:, np.newaxis],
            branch_gradients=gradient[:, np.newaxis],
            parameters=np.empty((n, 0)),
            edm=nothing,
            projected_gradient=nothing,
            converged=proven,
            starts=np.ones(n, np.int64),
        )
