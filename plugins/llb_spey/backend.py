"""The Spey backend: a bundle and one signal, as splines in mu.

Written against the part of Spey's interface that every release from 0.1.11 on uses, and its combiner too:
`config`, `get_logpdf_func`, `get_objective_function`, `get_hessian_logpdf_func` and `expected_data`. Spey's
optional short-cuts (`negative_loglikelihood` and its kin) are left out, because releases disagree about
what they return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spey.base.backend_base import BackendBase
from spey.base.model_config import ModelConfig
from spey.utils import ExpectationType

from llb.bundle import Bundle
from llb.runtime import ProfileLikelihood, Rays
from llb_schema import Finding, FindingError, has_errors
from llb_spey.kept import SignalCurves, shared_model

__all__ = ["ASIMOV_TOKEN", "ProfileLikelihoodBackend"]

Array = NDArray[np.float64]
Objective = Callable[[ArrayLike], float] | Callable[[ArrayLike], tuple[float, Array]]

ASIMOV_TOKEN = -1.0e9
"""Stands for "the background-only Asimov data of this curve" where Spey passes data around."""

# A background-only Asimov fit pins mu at 0; the optimiser may leave it off by rounding.
_ZERO = 1e-6


class ProfileLikelihoodBackend(BackendBase):
    """A learned profile likelihood for one signal.

    Args:
        bundle: path of a bundle, an opened bundle, or a loaded model. Load once and pass the model when
            there are many signals; sessions are shared in any case.
        signal_yields: events by bin id, or an array in column order.

    Raises:
        FindingError: the bundle or the signal cannot be used; all findings.
    """

    name = "llb.profile_likelihood"
    version = "0.1.0"
    author = "The LLB developers"
    spey_requires = ">=0.1.11,<0.3.0"
    doi: Sequence[str] = ()
    arXiv: Sequence[str] = ()  # noqa: N815 - Spey's name

    # What Spey hands out is cached by it, so nothing may change after construction.
    __slots__ = (
        "_alive",
        "_curves",
        "_model",
        "_start",
        "_stretch",
        "findings",
        "mu_edge",
        "mu_low",
    )

    def __init__(
        self,
        bundle: str | Path | Bundle | ProfileLikelihood,
        signal_yields: Mapping[str, float] | Sequence[float] | Array,
    ) -> None:
        self._model = bundle if isinstance(bundle, ProfileLikelihood) else shared_model(bundle)
        signal = self._model.signal(signal_yields)
        self._curves = SignalCurves(self._model, signal)
        ray = self._curves.rays
        if has_errors(ray.findings):
            raise FindingError(ray.findings)
        self.findings: tuple[Finding, ...] = ray.findings
        self._alive = bool(np.any(signal))
        self.mu_low = float(ray.mu_low[0]) if self._alive else 0.0
        self.mu_edge = float(ray.mu_edge[0]) if self._alive else 1.0
        self._start = float(ray.minimum("observed")[0][0])
        self._stretch = _stretch(ray)

    @property
    def bundle_citation(self) -> tuple[tuple[str, str], ...]:
        """What the bundle asks to be cited, as (kind, value), such as a DOI."""
        return tuple((item.kind, item.value) for item in self._model.bundle.manifest.references)

    @property
    def is_alive(self) -> bool:
        """Whether the signal has any yield at all."""
        return self._alive

    def in_domain(self, mu: float) -> bool:
        """Whether the bundle has learned this signal strength; beyond, its curves go on quadratically."""
        return self.mu_low <= mu <= self.mu_edge

    def config(self, allow_negative_signal: bool = True, poi_upper_bound: float = 10.0) -> ModelConfig:
        """Parameter bounds: the domain. `poi_upper_bound` is ignored, it would cut the fit short."""
        del poi_upper_bound
        low = self.mu_low if allow_negative_signal else 0.0
        # A new object each time: Spey's optimiser writes into it.
        return ModelConfig(
            poi_index=0,
            minimum_poi=self.mu_low,
            suggested_init=[min(max(self._start, low), self.mu_edge)],
            suggested_bounds=[(low, self.mu_edge)],
            parameter_names=["mu"],
        )

    def get_logpdf_func(
        self, expected: ExpectationType = ExpectationType.observed, data: ArrayLike | None = None
    ) -> Callable[[ArrayLike], float]:
        """ln L as a function of [mu], with all constants.

        Raises:
            NotImplementedError: data other than None and the token from `expected_data`, or a curve that the
                bundle does not have.
        """
        curve = self._curve(expected, data)
        baseline = self._baseline(curve)
        return lambda pars: -(baseline + self._value(curve, pars, 0))

    def get_objective_function(
        self,
        expected: ExpectationType = ExpectationType.observed,
        data: ArrayLike | None = None,
        do_grad: bool = True,
    ) -> Objective:
        """What Spey minimises: -ln L, with its derivative if `do_grad`. Arguments as in `get_logpdf_func`.

        Spey reports ln L at the minimum from `get_logpdf_func`; for weak signals the objective is a
        multiple of Delta NLL above the baseline, which has the same minimum.
        """
        curve = self._curve(expected, data)
        baseline, stretch = self._baseline(curve), self._stretch

        def value(pars: ArrayLike) -> float:
            return baseline + stretch * self._value(curve, pars, 0)

        def value_and_gradient(pars: ArrayLike) -> tuple[float, Array]:
            return value(pars), np.array([stretch * self._value(curve, pars, 1)])

        return value_and_gradient if do_grad else value

    def get_hessian_logpdf_func(
        self, expected: ExpectationType = ExpectationType.observed, data: ArrayLike | None = None
    ) -> Callable[[ArrayLike], Array]:
        """The second derivative of ln L in mu, as a 1x1 matrix. Arguments as in `get_logpdf_func`."""
        curve = self._curve(expected, data)
        return lambda pars: np.array([[-self._value(curve, pars, 2)]])

    def expected_data(self, pars: Sequence[float]) -> list[float]:
        """The token for background-only Asimov data, which is the only expectation that a bundle holds.

        Raises:
            NotImplementedError: mu is not 0, as for discovery significances.
        """
        if abs(float(pars[0])) > _ZERO:
            raise NotImplementedError(
                f"expected data at mu = {float(pars[0]):g}: a bundle holds background-only Asimov data, "
                "so q0, significances and chi-square tests of an expected signal are not available"
            )
        return [ASIMOV_TOKEN]

    def get_sampler(self, pars: ArrayLike) -> Callable[[int], Array]:
        """Toys are not available.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "a profile-likelihood bundle cannot draw toys; use the asymptotic calculator"
        )

    def _baseline(self, curve: str) -> float:
        return next(item.baseline_nll for item in self._model.bundle.manifest.curves if item.name == curve)

    def _value(self, curve: str, pars: ArrayLike, order: int) -> float:
        mu = float(np.asarray(pars, dtype=np.float64).ravel()[0])
        return float(self._curves.rays.at(curve, np.zeros(1, dtype=np.intp), np.array([mu]), order)[0])

    def _curve(self, expected: ExpectationType, data: ArrayLike | None) -> str:
        # Spey passes strings too, and "all" for observed with everything; its own enum compares with both.
        curve = "apriori" if expected == ExpectationType.apriori else "observed"
        if data is not None:
            values = np.asarray(data, dtype=np.float64).ravel()
            if values.size != 1 or values[0] != ASIMOV_TOKEN:
                raise NotImplementedError(
                    "data of one's own: a bundle has learned its published data sets and takes no others"
                )
            curve += "_asimov"
        if curve not in self._model.curve_names:
            raise NotImplementedError(f"the bundle has no curve {curve!r}")
        return curve


def _stretch(ray: Rays) -> float:
    """How much the objective has to be stretched for an optimiser with absolute tolerances, at least 1.

    For a weak signal (mu of thousands) the slopes are so small that Spey's optimiser, whose tolerance
    is absolute, stops where it starts.
    """
    curvature = max(float(ray.second_derivative(curve, 0.0)[0]) for curve in ray.columns)
    return max(1.0, min(1e12, 1.0 / curvature)) if curvature > 0.0 else 1.0
