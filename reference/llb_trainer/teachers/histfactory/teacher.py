"""The HistFactory teacher: exact profile likelihoods of a workspace, in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

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
from llb_trainer.teachers.histfactory.atlas import Atlas
from llb_trainer.teachers.histfactory.basins import BasinFits, Basins, fit_basins, winning_holds
from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.curvefits import CurveFits, Hold, curve_fits
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.explore import around, explore, lowest_of_draws
from llb_trainer.teachers.histfactory.fit import FitSettings
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.problem import FitResult
from llb_trainer.teachers.histfactory.workspace import Workspace

__all__ = ["HistFactoryTeacher"]

Floats = NDArray[np.float64]

_EFFORT, _MORE = 150_000, 700_000
"""Bins times parameters times pilots that are searched thoroughly, where the model is small, and large."""
_ROOM = 12_500_000
"""Bins times parameters times pilots that are kept: 100 MB for each curve."""
_FEWEST, _FEW = 12, 48
"""Pilots that are searched however large the model is, and between where it is large or small."""


@dataclass(frozen=True, eq=False)
class HistFactoryTeacher:
    """Exact profile likelihoods of a HistFactory workspace.

    Attributes:
        workspace: where it comes from.
        likelihood: the compiled model with its signal.
        signal_modifiers: what multiplies the signal besides the POI: `("lumi",)` or `()`.
        signal_uncertainty: flat relative uncertainty of the signal, 0 for none.
        bins: the bins, pyhf's order.
        curves: the four data sets, as others see them.
        sets: the four data sets.
        covariance: (n_bins, n_bins) of the nominal background over the nuisance parameters.
        settings: of the fits.
        atlases: where the minima of each curve that is no alias lie, by its name. Without any, every batch
            of signals is searched thoroughly by itself: sure, and slow.
        holds: normalisations that are fitted once more, held at a bound: a branch each.
    """

    workspace: Workspace
    likelihood: Likelihood
    signal_modifiers: tuple[str, ...]
    signal_uncertainty: float
    bins: tuple[SignalBin, ...]
    curves: tuple[CurveData, ...]
    sets: tuple[DataSet, ...]
    covariance: Floats
    settings: FitSettings
    atlases: Mapping[str, Atlas] = field(default_factory=dict, repr=False)
    holds: tuple[Hold, ...] = ()

    @property
    def model(self) -> CompiledModel:
        """The compiled model."""
        return self.likelihood.model

    @property
    def owners(self) -> tuple[CurveData, ...]:
        """The curves that are no alias of another."""
        return tuple(curve for curve in self.curves if not curve.alias_of)

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the basins, in the order of `CurveLabels.branches`."""
        names = self.likelihood.moving_names
        return ("interior", *(f"{names[hold.parameter]}={hold.value:g}" for hold in self.holds))

    @property
    def minima_known(self) -> Mapping[str, int]:
        """Minima in the atlas of each curve."""
        return {name: len(atlas.minima) for name, atlas in self.atlases.items()}

    @property
    def source(self) -> Source:
        """What a manifest says of the workspace."""
        workspace = self.workspace
        return Source(
            kind="histfactory",
            files=(SourceFile(workspace.name, workspace.size, workspace.sha256),),
            channels=tuple(SourceChannel(item.name, item.bins, item.samples) for item in workspace.channels),
            details={
                "pyhf_digest": workspace.pyhf_digest,
                "measurement": workspace.measurement,
                "poi": workspace.poi,
                "interpolation": dict(workspace.interpolation),
            },
            software=("pyhf", "jax"),
        )

    @cached_property
    def fingerprint(self) -> str:
        """Digest of everything that labels depend on besides the signals and the engine."""
        digest = hashlib.sha256(
            repr((self.signal_modifiers, self.signal_uncertainty, self.settings)).encode()
        )
        digest.update(repr((self.branches, [curve.alias_of for curve in self.curves])).encode())
        for item in self.sets:
            digest.update(item.main.tobytes() + item.auxiliary.tobytes())
        for _, atlas in sorted(self.atlases.items()):
            digest.update(np.ascontiguousarray(atlas.minima.theta).tobytes())
        return digest.hexdigest()

    def explored(
        self,
        pilot: Floats,
        *,
        draws: int = 24,
        seed: int = 0,
        progress: Callable[[int], None] | None = None,
    ) -> HistFactoryTeacher:
        """The same teacher, having looked thoroughly for minima at pilot signals.

        Args:
            pilot: (n, n_bins) signals like those that are to be labelled; of a large model only as many are
                used as keep what is known of their minima within 100 MB for each curve.
            draws: random starts per pilot signal.
            seed: of these.
            progress: told how many of the curves were explored since the last call.
        """
        pilot = pilot[: max(_FEW, _ROOM // self._size)]
        atlases: dict[str, Atlas] = {}
        with jax.enable_x64(True):
            for curve in self.owners:
                atlases[curve.name] = explore(
                    self._fits(curve), pilot, draws=draws, least=self._searched, seed=seed
                )
                if progress:
                    progress(1)
        return replace(self, atlases=atlases, holds=winning_holds(self.likelihood, list(atlases.values())))

    def around(self, signals: Floats) -> Floats:
        """Pilots for few signals (n, n_bins): these and variations of them, fewer for larger models."""
        return around(signals, min(64, self._searched))

    def label(self, signals: Floats, progress: Callable[[int], None] | None = None) -> Labels:
        """Exact Delta NLL and gradients of every curve that is no alias.

        Args:
            signals: (n, n_bins) signal yields in events, finite.
            progress: told how many signals were finished since the last call.
        """
        if not self.atlases:
            return self.explored(self.around(signals)).label(signals, progress)
        with jax.enable_x64(True):
            basins = [
                Basins(self._fits(curve), self.atlases[curve.name], self.holds) for curve in self.owners
            ]
            curves = tuple(
                self._labels(curve, fits, signals)
                for curve, fits in zip(self.owners, fit_basins(basins, signals), strict=True)
            )
        if progress:
            progress(len(signals))
        return Labels(signals, curves)

    def second_look(self, signals: Floats, *, starts: int = 50, seed: int = 0) -> dict[str, Floats]:
        """The lowest NLL (n,) that random starts reach, by curve; infinite where none converged.

        Args:
            signals: (n, n_bins).
            starts: random starts per signal, see `llb_trainer.teachers.histfactory.explore.random_starts`.
            seed: of these.
        """
        with jax.enable_x64(True):
            return {
                curve.name: lowest_of_draws(self._fits(curve), signals, draws=starts, seed=seed)
                for curve in self.owners
            }

    @cached_property
    def _curve_fits(self) -> tuple[CurveFits, ...]:
        return curve_fits(self.likelihood, self.sets, self.settings)

    @property
    def _searched(self) -> int:
        """Pilots that are searched thoroughly."""
        return max(_EFFORT // self._size, min(_FEW, _MORE // self._size), _FEWEST)

    @property
    def _size(self) -> int:
        """Bins times parameters."""
        return len(self.bins) * max(1, len(self.likelihood.order))

    def _fits(self, curve: CurveData) -> CurveFits:
        return self._curve_fits[CURVES.index(curve.name)]

    def _labels(self, curve: CurveData, fits: BasinFits, signals: Floats) -> CurveLabels:
        item = self._fits(curve).item
        branches, gradients = self._branches(fits, item, signals)
        best = fits.best
        return CurveLabels(
            name=curve.name,
            delta=best.nll - curve.baseline_nll,
            gradient=self.likelihood.envelope(best.theta, signals, item),
            branches=branches - curve.baseline_nll,
            branch_gradients=gradients,
            parameters=self.likelihood.full(best.theta, item),
            edm=best.edm,
            projected_gradient=best.projected_gradient,
            converged=best.converged & self.likelihood.possible(best.theta, signals),
            starts=fits.starts,
        )

    def _branches(self, fits: BasinFits, item: DataSet, signals: Floats) -> tuple[Floats, Floats]:
        """NLL and gradient of each basin, NaN where it holds no minimum.

        A held normalisation has a minimum at every signal, so its basin is a smooth function everywhere.
        """
        ends: list[FitResult] = [fits.interior, *fits.held]
        values = [np.where(end.converged, end.nll, np.nan) for end in ends]
        gradients = [self.likelihood.envelope(end.theta, signals, item) for end in ends]
        return np.stack(values, axis=1), np.stack(gradients, axis=1)

    def __getstate__(self) -> dict[str, object]:
        """What travels to workers: compiled functions and their buffers do not."""
        return {name: value for name, value in self.__dict__.items() if name in self.__dataclass_fields__}
