"""The simplified-likelihood teacher: exact profile likelihoods, in batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import jax
import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.contract import (
    CURVES,
    CurveData,
    CurveLabels,
    Labels,
    SignalBin,
    Source,
    SourceChannel,
    SourceFile,
)
from llb_trainer.teachers.simplified.document import SimplifiedLikelihood
from llb_trainer.teachers.simplified.fit import FitSettings
from llb_trainer.teachers.simplified.model import DataSet, Model, envelope
from llb_trainer.teachers.simplified.search import Search, draws

__all__ = ["SimplifiedTeacher"]

Floats = NDArray[np.float64]

_TOGETHER = 256
"""Signals whose random starts are fitted at a time: memory does not grow with their number."""


@dataclass(frozen=True, eq=False)
class SimplifiedTeacher:
    """Exact profile likelihoods of a simplified likelihood.

    A signal is its yields and nothing else: it has no uncertainty of its own.

    Attributes:
        likelihood: where it comes from.
        model: the compiled model.
        bins: the bins, one for each region, in the file's order.
        curves: the four data sets, as others see them.
        sets: the four data sets.
        settings: of the fits.
    """

    likelihood: SimplifiedLikelihood
    model: Model
    bins: tuple[SignalBin, ...]
    curves: tuple[CurveData, ...]
    sets: tuple[DataSet, ...]
    settings: FitSettings

    @property
    def owners(self) -> tuple[CurveData, ...]:
        """The curves that are no alias of another."""
        return tuple(curve for curve in self.curves if not curve.alias_of)

    @property
    def covariance(self) -> Floats:
        """(n_bins, n_bins) covariance of the nominal background over the nuisance parameters."""
        return self.likelihood.covariance

    @property
    def branches(self) -> tuple[str, ...]:
        """There is one basin: the lowest minimum, wherever it is."""
        return ("interior",)

    @property
    def signal_modifiers(self) -> tuple[str, ...]:
        """Nothing multiplies the signal besides the signal strength."""
        return ()

    @property
    def signal_uncertainty(self) -> float:
        """The signal has none."""
        return 0.0

    @property
    def minima_known(self) -> Mapping[str, int]:
        """No minima are known beforehand."""
        return {}

    @property
    def source(self) -> Source:
        """What a manifest says of it."""
        given = self.likelihood
        return Source(
            kind="simplified_likelihood",
            files=(SourceFile(given.name, given.size, given.sha256),),
            channels=tuple(SourceChannel(region, 1) for region in given.regions),
            details={"third_moments": given.skewed},
            software=("jax",),
        )

    def explored(self, pilot: Floats, *, progress: Callable[[int], None] | None = None) -> Self:
        """Itself: each signal is searched on its own."""
        del pilot
        if progress:
            progress(len(self.owners))
        return self

    def label(self, signals: Floats, progress: Callable[[int], None] | None = None) -> Labels:
        """Exact Delta NLL and gradients of every curve that is no alias.

        Args:
            signals: (n, n_bins) signal yields in events, finite.
            progress: told how many signals were finished since the last call.
        """
        with jax.enable_x64(True):
            curves = tuple(self._labels(curve, signals) for curve in self.owners)
        if progress:
            progress(len(signals))
        return Labels(signals, curves)

    def second_look(self, signals: Floats, *, starts: int = 50, seed: int = 0) -> dict[str, Floats]:
        """The lowest NLL (n,) that random starts reach, by curve; infinite where none converged.

        Args:
            signals: (n, n_bins).
            starts: random starts per signal, drawn from the constraint term.
            seed: of these.
        """
        with jax.enable_x64(True):
            return {curve.name: self._looked(curve, signals, starts, seed) for curve in self.owners}

    def _labels(self, curve: CurveData, signals: Floats) -> CurveLabels:
        search = self._search(curve)
        best, starts = search.lowest(signals)
        delta = best.nll - curve.baseline_nll
        gradient = envelope(self.model, best.theta, signals, search.item)
        return CurveLabels(
            name=curve.name,
            delta=delta,
            gradient=gradient,
            branches=np.where(best.converged, delta, np.nan)[:, None],
            branch_gradients=gradient[:, None],
            parameters=best.theta,
            edm=best.edm,
            projected_gradient=best.projected_gradient,
            converged=best.converged,
            starts=starts,
        )

    def _looked(self, curve: CurveData, signals: Floats, starts: int, seed: int) -> Floats:
        search, lowest = self._search(curve), np.full(len(signals), np.inf)
        random = draws(self.model, search.item, starts * len(signals), seed)
        random = random.reshape(len(signals), starts, -1)
        for first in range(0, len(signals), _TOGETHER):
            rows = slice(first, first + _TOGETHER)
            many = np.repeat(signals[rows], starts, axis=0)
            ends = search.fit(many, random[rows].reshape(len(many), -1))
            lowest[rows] = np.where(ends.converged, ends.nll, np.inf).reshape(-1, starts).min(axis=1)
        return lowest

    def _search(self, curve: CurveData) -> Search:
        return Search(self.model, self.sets[CURVES.index(curve.name)], self.settings)
