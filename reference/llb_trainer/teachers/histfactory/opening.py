"""Opening a teacher: from a workspace to its four data sets, baselines and aliases."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.teachers.contract import CURVES, CurveData, SignalBin
from llb_trainer.teachers.histfactory import datasets
from llb_trainer.teachers.histfactory.compile import compile_workspace, with_signal
from llb_trainer.teachers.histfactory.curvefits import CurveFits, curve_fits
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.explore import explore
from llb_trainer.teachers.histfactory.fit import FitSettings
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.problem import FitResult
from llb_trainer.teachers.histfactory.teacher import HistFactoryTeacher
from llb_trainer.teachers.histfactory.workspace import Workspace

__all__ = ["histfactory_teacher"]

Floats = NDArray[np.float64]

_ALIAS_TOLERANCE = 1e-6
"""Two curves are one if their Delta NLL never differ by more (in NLL units) on the signals tried."""
_DRAWS = 48
"""Random starts of each fit without signal: everything else is measured from there."""


def histfactory_teacher(
    workspace: Workspace,
    *,
    signal_modifiers: tuple[str, ...] | None = None,
    signal_uncertainty: float = 0.0,
    settings: FitSettings | None = None,
) -> HistFactoryTeacher:
    """Compile a workspace, define its four data sets and fit them without signal.

    Args:
        workspace: a background-only workspace.
        signal_modifiers: `("lumi",)`, `()`, or None for lumi where the workspace has it.
        signal_uncertainty: flat relative uncertainty of the signal yields, 0 for none.
        settings: of the fits.

    Raises:
        FindingError: LLB-W012 lumi is asked for and the workspace has none; LLB-W020 a background-only fit
            did not converge.
    """
    chosen = settings or FitSettings()
    model = compile_workspace(workspace)
    if signal_modifiers is None:
        signal_modifiers = ("lumi",) if model.lumi >= 0 else ()
    if "lumi" in signal_modifiers and model.lumi < 0:
        raise FindingError(finding("LLB-W012", pointer=workspace.name))
    with jax.enable_x64(True):
        complete = with_signal(model, lumi="lumi" in signal_modifiers, uncertainty=signal_uncertainty)
        opening = _Opening(workspace, Likelihood.of(complete), chosen)
        return opening.teacher(signal_modifiers, signal_uncertainty)


class _Opening:
    """The steps from a compiled model to a teacher."""

    def __init__(self, workspace: Workspace, likelihood: Likelihood, settings: FitSettings) -> None:
        self.workspace, self.likelihood, self.settings = workspace, likelihood, settings

    def background(self, sets: list[DataSet]) -> list[FitResult]:
        """The proven fit without signal to each of these data sets."""
        return [self._background(fits) for fits in curve_fits(self.likelihood, sets, self.settings)]

    def _background(self, fits: CurveFits) -> FitResult:
        nothing = np.zeros((1, self.likelihood.model.n_bins))
        known = explore(fits, nothing, draws=_DRAWS, least=1, seed=0).minima
        if not len(known):
            raise FindingError(finding("LLB-W020", pointer=self.workspace.name, actual="no start converged"))
        # minima are kept lowest first
        best = fits.fitter.rescue(fits.problem(nothing, known.theta[:1]))
        if not best.converged.all():
            raise FindingError(
                finding("LLB-W020", pointer=self.workspace.name, actual=f"EDM {best.edm.max():.2g}")
            )
        return best

    def teacher(self, signal_modifiers: tuple[str, ...], signal_uncertainty: float) -> HistFactoryTeacher:
        """Data sets, baselines and aliases, in this order."""
        likelihood, model = self.likelihood, self.likelihood.model
        initial = model.init[likelihood.order.parameters][None]
        first = [
            datasets.observed(model, self.workspace.observed),
            datasets.nominal(model, likelihood.background(initial)[0][0]),
        ]
        fitted = self.background(first)
        shifted = [self.asimov(fit.theta, item) for fit, item in zip(fitted, first, strict=True)]
        again = self.background(shifted)
        sets = [first[0], shifted[0], first[1], shifted[1]]
        fits = [fitted[0], again[0], fitted[1], again[1]]
        nothing = np.zeros((1, model.n_bins))
        curves = [
            CurveData(
                name=name,
                baseline_nll=float(fits[row].nll[0]),
                slope=likelihood.envelope(fits[row].theta, nothing, sets[row])[0],
                main=sets[row].main,
                auxiliary=tuple(
                    (key, tuple(float(x) for x in sets[row].auxiliary[list(where)]))
                    for key, where in model.auxiliary
                ),
            )
            for row, name in enumerate(CURVES)
        ]
        covariance = likelihood.covariance(fitted[1].theta[0], first[1])
        curves[3] = self.alias(sets, fits, covariance, curves[3], curves[2])
        bins = tuple(
            SignalBin(channel, index, float(first[0].main[b]), float(first[1].main[b]))
            for b, (channel, index) in enumerate(zip(model.bins.channel, model.bins.index, strict=True))
        )
        return HistFactoryTeacher(
            workspace=self.workspace,
            likelihood=likelihood,
            signal_modifiers=signal_modifiers,
            signal_uncertainty=signal_uncertainty,
            bins=bins,
            curves=tuple(curves),
            sets=tuple(sets),
            covariance=covariance,
            settings=self.settings,
        )

    def asimov(self, theta: Floats, item: DataSet) -> DataSet:
        """Background-only Asimov data of a fit (1, P) to another data set."""
        background, _ = self.likelihood.background(theta)
        return datasets.asimov(self.likelihood.model, background[0], self.likelihood.full(theta, item)[0])

    def alias(
        self,
        sets: list[DataSet],
        fits: list[FitResult],
        covariance: Floats,
        curve: CurveData,
        of: CurveData,
    ) -> CurveData:
        """Declare the alias where the two curves agree on every signal tried."""
        scale = np.sqrt(np.diag(covariance) + of.main)
        signals = np.random.default_rng(0).exponential(size=(16, len(scale))) * scale
        on, lowest = curve_fits(self.likelihood, sets, self.settings), list[Floats]()
        for row in (CURVES.index(curve.name), CURVES.index(of.name)):
            found = on[row].fit(signals, np.tile(fits[row].theta, (len(signals), 1)))
            lowest.append(np.where(found.converged, found.nll, np.nan))
        difference = np.abs((lowest[0] - curve.baseline_nll) - (lowest[1] - of.baseline_nll))
        good = np.isfinite(difference)
        largest = float(np.max(difference[good], initial=0.0))
        if good.any() and largest <= _ALIAS_TOLERANCE:
            return replace(curve, alias_of=of.name, alias_max_difference=largest)
        return curve
