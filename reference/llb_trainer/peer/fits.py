"""pyhf's fits of one problem, each checked against optima that are already known.

Profile likelihoods of real searches have several minima, and a fit from pyhf's default start may
end in a wrong one. Any parameter vector bounds the minimum from above, so a vector at which pyhf's
own likelihood is lower than at the end of pyhf's fit proves that fit wrong; pyhf is then run again
from there. Without known optima the fits are pyhf's as they come.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyhf.exceptions import FailedMinimization
from pyhf.infer import mle

from llb_schema import FindingError, finding
from llb_trainer.peer.problem import PeerProblem

__all__ = ["ASIMOV", "CURVES", "OBSERVED", "Fit", "FitRecord", "KnownOptimum", "ProfileFits"]

OBSERVED: Final = "observed"
ASIMOV: Final = "observed_asimov"
CURVES: Final = (OBSERVED, ASIMOV)
"""The data sets of the observed CLs: the data, and Asimov data of mu = 0 fitted to the data."""

_BOUND_REACHED: Final = 0.999
_LARGEST_BOUND: Final = 1e6


@dataclass(frozen=True)
class KnownOptimum:
    """Where some other fitter found the minimum.

    Attributes:
        curve: `observed` or `observed_asimov`.
        mu: signal strength at which the nuisance parameters were fitted.
        parameters: full vector in pyhf's parameter order, the POI included.
    """

    curve: str
    mu: float
    parameters: tuple[float, ...]


@dataclass(frozen=True)
class Fit:
    """End point of a fit: natural `-ln L` with all constants, and the full parameter vector."""

    nll: float
    parameters: NDArray[np.float64]


@dataclass(frozen=True)
class FitRecord:
    """What the fits of one problem went through.

    Attributes:
        fits: number of minimisations run, repetitions included.
        failed: how many of them pyhf itself declared failed.
        restarted: whether any was repeated from a known optimum.
        nll_excess: largest NLL by which a fit from the default start ended above a known point.
        nll_residual: the same after repetition; what is left of the excess.
        nll_shortfall: largest NLL by which a fit ended *below* the optimum known for its mu; above
            the optimiser's tolerance it says that the known optimum is none.
    """

    fits: int = 0
    failed: int = 0
    restarted: bool = False
    nll_excess: float = 0.0
    nll_residual: float = 0.0
    nll_shortfall: float = 0.0


class ProfileFits:
    """Fixed-POI and free fits of one problem on the observed and on the Asimov data.

    Args:
        problem: model and observed data.
        optima: known optima; every one serves as a bound for all fits on its curve.
        tolerance: NLL excess above which a fit is repeated.

    The POI's lower bound is 0, as q-tilde wants it; the upper one is the model's, stretched where
    a fit runs into it.
    """

    def __init__(
        self, problem: PeerProblem, optima: Iterable[KnownOptimum] = (), tolerance: float = 1e-6
    ) -> None:
        self._model = problem.model
        self._poi: int = problem.model.config.poi_index
        self._data = {OBSERVED: problem.data}
        self._optima = tuple(optima)
        self._tolerance = tolerance
        self._done: dict[str, list[NDArray[np.float64]]] = {curve: [] for curve in CURVES}
        self.record = FitRecord()

    def fixed(self, curve: str, mu: float) -> Fit:
        """Minimise over the nuisance parameters at fixed mu.

        Raises:
            FindingError: LLB-W050, pyhf failed from every start.
        """
        return self._checked(curve, mu, self._bounds(mu))

    def free(self, curve: str) -> Fit:
        """Minimise over all parameters, mu >= 0.

        Raises:
            FindingError: LLB-W050, pyhf failed from every start.
        """
        bounds = self._bounds(0.0)
        fit = self._checked(curve, None, bounds)
        while _BOUND_REACHED * bounds[self._poi][1] < fit.parameters[self._poi] < _LARGEST_BOUND:
            bounds = self._bounds(10.0 * bounds[self._poi][1])
            fit = self._checked(curve, None, bounds)
        return fit

    def poi_value(self, fit: Fit) -> float:
        """The signal strength at the end of a fit."""
        return float(fit.parameters[self._poi])

    def _bounds(self, mu: float) -> list[tuple[float, float]]:
        bounds = [(float(low), float(high)) for low, high in self._model.config.suggested_bounds()]
        bounds[self._poi] = (0.0, max(mu, bounds[self._poi][1]))
        return bounds

    def _dataset(self, curve: str) -> NDArray[np.float64]:
        if curve == ASIMOV and ASIMOV not in self._data:
            background = self.fixed(OBSERVED, 0.0)
            # By construction the Asimov data's own minimum, at mu = 0.
            self._done[ASIMOV].append(background.parameters)
            self._data[ASIMOV] = np.asarray(self._model.expected_data(background.parameters))
        return self._data[curve]

    def _checked(self, curve: str, mu: float | None, bounds: list[tuple[float, float]]) -> Fit:
        """Fit from the default start; repeat from the lowest known point if the fit is above it."""
        data = self._dataset(curve)
        known = [item for item in self._optima if item.curve == curve]
        points = [np.asarray(item.parameters) for item in known] + self._done[curve]
        fit = self._minimise(data, mu, bounds, None)
        if points and (self._optima or fit is None):
            lowest = min((self._evaluate(data, mu, bounds, point) for point in points), key=_by_nll)
            excess = np.inf if fit is None else fit.nll - lowest.nll
            if excess > self._tolerance:
                again = self._minimise(data, mu, bounds, lowest.parameters)
                fit = min((item for item in (fit, again) if item is not None), key=_by_nll, default=None)
                self._note(restarted=True, excess=excess, residual=fit.nll - lowest.nll if fit else 0.0)
            exact = [self._evaluate(data, mu, bounds, np.asarray(k.parameters)) for k in known if k.mu == mu]
            if fit and exact:
                self._note(shortfall=min(exact, key=_by_nll).nll - fit.nll)
        if fit is None:
            raise FindingError(finding("LLB-W050", pointer=curve, actual=f"mu = {mu}"))
        self._done[curve].append(fit.parameters)
        return fit

    def _minimise(
        self,
        data: NDArray[np.float64],
        mu: float | None,
        bounds: list[tuple[float, float]],
        start: NDArray[np.float64] | None,
    ) -> Fit | None:
        """One run of pyhf's optimiser; None where pyhf gives up or ends nowhere."""
        options = {
            "init_pars": None if start is None else start.tolist(),
            "par_bounds": bounds,
            "return_fitted_val": True,
        }
        try:
            if mu is None:
                parameters, twice_nll = mle.fit(data, self._model, **options)
            else:
                parameters, twice_nll = mle.fixed_poi_fit(mu, data, self._model, **options)
        except FailedMinimization:
            twice_nll, parameters = np.nan, np.empty(0)
        success = bool(np.isfinite(twice_nll))
        self.record = replace(
            self.record, fits=self.record.fits + 1, failed=self.record.failed + (not success)
        )
        return Fit(0.5 * float(twice_nll), np.asarray(parameters)) if success else None

    def _evaluate(
        self,
        data: NDArray[np.float64],
        mu: float | None,
        bounds: list[tuple[float, float]],
        point: NDArray[np.float64],
    ) -> Fit:
        """pyhf's NLL at a known point, moved to this mu and into the bounds."""
        low, high = np.transpose(bounds)
        parameters = np.clip(point, low, high)
        if mu is not None:
            parameters[self._poi] = mu
        nll = -float(self._model.logpdf(parameters, data)[0])
        return Fit(nll if np.isfinite(nll) else np.inf, parameters)

    def _note(
        self, restarted: bool = False, excess: float = 0.0, residual: float = 0.0, shortfall: float = 0.0
    ) -> None:
        old = self.record
        self.record = replace(
            old,
            restarted=old.restarted or restarted,
            nll_excess=max(old.nll_excess, excess),
            nll_residual=max(old.nll_residual, residual),
            nll_shortfall=max(old.nll_shortfall, shortfall),
        )


def _by_nll(fit: Fit) -> float:
    return fit.nll
