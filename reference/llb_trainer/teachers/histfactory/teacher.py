"""The HistFactory teacher: exact profile likelihoods of a workspace, in batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.teachers.contract import CURVES, CurveData, CurveLabels, Labels, SignalBin
from llb_trainer.teachers.histfactory import datasets
from llb_trainer.teachers.histfactory.basins import (
    BasinFits,
    Hold,
    all_holds,
    fit_basins,
    fit_from_neighbours,
    winning_holds,
)
from llb_trainer.teachers.histfactory.compile import CompiledModel, compile_workspace
from llb_trainer.teachers.histfactory.fit import FitResult, FitSettings
from llb_trainer.teachers.histfactory.rates import Data, Tables, expectation, tables
from llb_trainer.teachers.histfactory.workspace import Workspace

__all__ = ["HistFactoryTeacher", "histfactory_teacher"]

Floats = NDArray[np.float64]

_ALIAS_TOLERANCE = 1e-6
"""Two curves are one if their Delta NLL never differ by more (in NLL units) on the pilot signals."""


@dataclass(frozen=True, eq=False)
class HistFactoryTeacher:
    """Exact profile likelihoods of a HistFactory workspace.

    Attributes:
        workspace: where it comes from.
        model: the compiled background.
        signal_modifiers: what multiplies the signal besides the POI: `("lumi",)` or `()`.
        holds: normalisations that are held and released in every fit, beside the default start.
        bins: the bins, pyhf's order.
        curves: the four data sets.
        covariance: (n_bins, n_bins) of the nominal background over the nuisance parameters.
    """

    workspace: Workspace
    model: CompiledModel
    signal_modifiers: tuple[str, ...]
    holds: tuple[Hold, ...]
    bins: tuple[SignalBin, ...]
    curves: tuple[CurveData, ...]
    covariance: Floats
    _tables: Tables = field(repr=False)
    _data: Data = field(repr=False)
    _settings: FitSettings = field(repr=False)

    @property
    def owners(self) -> tuple[CurveData, ...]:
        """The curves that are no alias of another."""
        return tuple(curve for curve in self.curves if not curve.alias_of)

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the basins, in the order of `CurveLabels.branches`."""
        return (
            "interior",
            *(f"{self.model.parameters[hold.parameter]}={hold.value:g}" for hold in self.holds),
        )

    def tuned(self, pilot: Floats) -> HistFactoryTeacher:
        """The same teacher with only those starts that matter on the pilot signals (n, n_bins)."""
        everywhere = all_holds(self.model)
        with jax.enable_x64(True):
            fits = self._fit(pilot, 0, everywhere, None)
        return replace(self, holds=winning_holds(fits, everywhere))

    def thorough(self) -> HistFactoryTeacher:
        """The same teacher with every start there is, for few signals that must be right."""
        return replace(self, holds=all_holds(self.model))

    def label(self, signals: Floats, progress: Callable[[int], None] | None = None) -> Labels:
        """Exact Delta NLL and gradients of every curve that is no alias.

        Args:
            signals: (n, n_bins) signal yields in events, finite.
            progress: told how many signals were finished since the last call.
        """
        told = _Share(progress, (2 + 2 * len(self.holds)) * len(self.owners))
        return Labels(signals, tuple(self._label_curve(curve, signals, told) for curve in self.owners))

    def _fit(
        self, signals: Floats, row: int, holds: tuple[Hold, ...], told: Callable[[int], None] | None
    ) -> BasinFits:
        rows = np.full(len(signals), row)
        return fit_basins(self.model, self._tables, self._data, signals, rows, holds, self._settings, told)

    def _label_curve(self, curve: CurveData, signals: Floats, told: Callable[[int], None]) -> CurveLabels:
        row = CURVES.index(curve.name)
        with jax.enable_x64(True):
            fits = self._fit(signals, row, self.holds, told)
            if len(signals) > 1 and self.model.free_norms:
                fits = fit_from_neighbours(
                    self.model, self._tables, self._data, signals, row, fits, self._settings
                )
        branches, gradients = _branches(fits, self.holds)
        return CurveLabels(
            name=curve.name,
            delta=fits.best.nll - curve.baseline_nll,
            gradient=fits.best.gradient,
            branches=branches - curve.baseline_nll,
            branch_gradients=gradients,
            parameters=fits.best.theta,
            edm=fits.best.edm,
            converged=fits.best.converged,
        )


class _Share:
    """Turns counts of fits into counts of signals."""

    def __init__(self, progress: Callable[[int], None] | None, per_signal: int) -> None:
        self.progress, self.per_signal, self.rest = progress, per_signal, 0

    def __call__(self, fits: int) -> None:
        if self.progress:
            whole, self.rest = divmod(self.rest + fits, self.per_signal)
            if whole:
                self.progress(whole)


def _branches(fits: BasinFits, holds: tuple[Hold, ...]) -> tuple[Floats, Floats]:
    """NLL and gradient of each basin, NaN where it holds no minimum.

    A held normalisation has a minimum at every signal, so its basin is a smooth function everywhere.
    The interior basin is where some fit ended with no normalisation at a hold.
    """
    ends = (fits.best, fits.interior, *fits.released)
    values, gradients = [], []
    for end in ends:
        inside = end.converged.copy()
        for hold in holds:
            inside &= end.theta[:, hold.parameter] != hold.value
        values.append(np.where(inside, end.nll, np.inf))
    choice, rows = np.argmin(values, axis=0), np.arange(len(fits.best.nll))
    interior = np.asarray(values)[choice, rows]
    gradient = np.stack([end.gradient for end in ends])[choice, rows]
    values = [np.where(np.isfinite(interior), interior, np.nan)]
    gradients = [gradient]
    for held in fits.held:
        values.append(np.where(held.converged, held.nll, np.nan))
        gradients.append(held.gradient)
    return np.stack(values, axis=1), np.stack(gradients, axis=1)


def histfactory_teacher(
    workspace: Workspace,
    *,
    signal_modifiers: tuple[str, ...] | None = None,
    settings: FitSettings | None = None,
) -> HistFactoryTeacher:
    """Compile a workspace, define its four data sets and fit them without signal.

    Args:
        workspace: a background-only workspace.
        signal_modifiers: `("lumi",)`, `()`, or None for lumi where the workspace has it.
        settings: of the fits.

    Raises:
        FindingError: LLB-W010 to W012 for content the teacher does not support; LLB-W020 a
            background-only fit did not converge.
    """
    chosen = settings or FitSettings()
    model = compile_workspace(workspace)
    if signal_modifiers is None:
        signal_modifiers = ("lumi",) if model.lumi >= 0 else ()
    if "lumi" in signal_modifiers and model.lumi < 0:
        raise FindingError(finding("LLB-W012", pointer=workspace.name))
    with jax.enable_x64(True):
        return _Opening(workspace, model, signal_modifiers, chosen).teacher()


class _Opening:
    """The steps from a compiled model to a teacher."""

    def __init__(
        self,
        workspace: Workspace,
        model: CompiledModel,
        signal_modifiers: tuple[str, ...],
        settings: FitSettings,
    ) -> None:
        self.workspace, self.model, self.settings = workspace, model, settings
        self.signal_modifiers = signal_modifiers
        self.tables = tables(model, "lumi" in signal_modifiers)

    def fit(self, sets: Data, signal: Floats, rows: list[int], holds: tuple[Hold, ...]) -> BasinFits:
        """Fit signals, each on its data set."""
        return fit_basins(self.model, self.tables, sets, signal, np.asarray(rows), holds, self.settings)

    def background(self, sets: Data, n: int, holds: tuple[Hold, ...]) -> FitResult:
        """Fits without signal on each of `n` data sets, proven."""
        best = self.fit(sets, np.zeros((n, self.model.n_bins)), list(range(n)), holds).best
        if not best.converged.all():
            raise FindingError(
                finding("LLB-W020", pointer=self.workspace.name, actual=f"EDM {best.edm.max():.2g}")
            )
        return best

    def teacher(self) -> HistFactoryTeacher:
        """Data sets, baselines and aliases, in this order."""
        model, t = self.model, self.tables
        first = [datasets.observed(model, self.workspace.observed), datasets.nominal(model, t)]
        everywhere = all_holds(model)
        fitted = self.background(datasets.stack(first), 2, everywhere).theta
        both = [
            first[0],
            datasets.asimov(model, t, fitted[0]),
            first[1],
            datasets.asimov(model, t, fitted[1]),
        ]
        sets = datasets.stack(both)
        base = self.background(sets, len(CURVES), everywhere)
        curves = [
            CurveData(
                name=name,
                baseline_nll=float(base.nll[row]),
                slope=base.gradient[row],
                main=both[row].main,
                auxiliary=tuple(
                    (key, tuple(float(x) for x in both[row].auxiliary[list(where)]))
                    for key, where in model.auxiliary
                ),
            )
            for row, name in enumerate(CURVES)
        ]
        covariance = _covariance(model, t, fitted[1])
        curves[3] = self._alias(sets, np.sqrt(np.diag(covariance) + first[1].main), curves[3], curves[2])
        bins = tuple(
            SignalBin(channel, index, float(first[0].main[b]), float(first[1].main[b]))
            for b, (channel, index) in enumerate(zip(model.bins.channel, model.bins.index, strict=True))
        )
        return HistFactoryTeacher(
            self.workspace,
            model,
            self.signal_modifiers,
            everywhere,
            bins,
            tuple(curves),
            covariance,
            t,
            sets,
            self.settings,
        )

    def _alias(self, sets: Data, scale: Floats, curve: CurveData, of: CurveData) -> CurveData:
        """Declare the alias where the two curves agree on every signal tried."""
        signals = np.random.default_rng(0).exponential(size=(16, len(scale))) * scale
        rows = (CURVES.index(curve.name), CURVES.index(of.name))
        one, other = (self.fit(sets, signals, [row] * len(signals), ()) for row in rows)
        good = one.best.converged & other.best.converged
        difference = (one.best.nll - curve.baseline_nll) - (other.best.nll - of.baseline_nll)
        largest = float(np.max(np.abs(difference[good]), initial=0.0))
        if good.any() and largest <= _ALIAS_TOLERANCE:
            return replace(curve, alias_of=of.name, alias_max_difference=largest)
        return curve


def _covariance(model: CompiledModel, t: Tables, theta: Floats) -> Floats:
    """Covariance of the background over the nuisance parameters, linearised at `theta`.

    Nothing constrains a free normalisation but the data; it counts with 100 %.
    """
    found = jax.jit(expectation)(t, jnp.asarray(theta), jnp.zeros(model.n_bins))
    jacobian = np.asarray(found.jacobian)
    terms = model.constraints
    variance = np.select([terms.kind == 1, terms.kind == 2], [terms.width**2, 1 / terms.factor], theta**2)
    return (jacobian * np.where(model.fixed, 0.0, variance)) @ jacobian.T
