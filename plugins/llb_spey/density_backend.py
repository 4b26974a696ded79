"""The Spey backend of densities: a learned likelihood of all parameters, profiled by Spey itself.

A density knows one data set: the observed one, or the counts that a conditional density is given.
Likelihoods, their maxima, chi-square and combinations need no more; expected results and asymptotic CLs need
Asimov data and are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from spey.base.backend_base import BackendBase
from spey.base.model_config import ModelConfig
from spey.utils import ExpectationType

from llb.bundle import DensityBundle
from llb.runtime import Density, DensityHeight, load_density, profile_density
from llb_schema import FindingError, finding

__all__ = ["FullLikelihoodBackend"]

Array = NDArray[np.float64]
Objective = Callable[[ArrayLike], float] | Callable[[ArrayLike], tuple[float, Array]]

_NODES = 9
"""Values of the parameter of interest at which a start for Spey's fits is looked for."""
_NO_DATA = (
    "a density holds the likelihood of one data set: there are no Asimov data, so that expected results, "
    "CLs and upper limits by asymptotic formulae are not available"
)


class FullLikelihoodBackend(BackendBase):
    """A learned likelihood of the parameter of interest and all nuisances.

    Args:
        bundle: path of a bundle of a density, an opened bundle, or a loaded density.
        parameter: name of the parameter of interest; the only one with that role if "".
        condition: of a conditional density, the counts by name.

    Raises:
        FindingError: the bundle cannot be used; LLB-Y101 there is no such parameter, or several of interest;
            LLB-Y105 conditions are missing; LLB-Y108 the density is a posterior whose prior cannot be
            divided out.
    """

    name = "llb.full_likelihood"
    version = "0.1.0"
    author = "The LLB developers"
    spey_requires = ">=0.1.11,<0.3.0"
    doi: Sequence[str] = ()
    arXiv: Sequence[str] = ()  # noqa: N815 - Spey's name

    __slots__ = ("_column", "_height", "_start")

    def __init__(
        self,
        bundle: str | Path | DensityBundle | Density,
        parameter: str = "",
        condition: Mapping[str, float] | None = None,
    ) -> None:
        density = bundle if isinstance(bundle, Density) else load_density(bundle)
        self._column = density.parameters.index(_of_interest(density, parameter))
        is_posterior = density.manifest.density.kind == "posterior"
        self._height = DensityHeight(density, condition, divide_prior=is_posterior)
        self._start = self._best_of_few()

    @property
    def bundle_citation(self) -> tuple[tuple[str, str], ...]:
        """What the bundle asks to be cited, as (kind, value), such as a DOI."""
        return tuple((item.kind, item.value) for item in self._height.density.manifest.references)

    @property
    def is_alive(self) -> bool:
        """Always: the signal is in the likelihood."""
        return True

    def config(self, allow_negative_signal: bool = True, poi_upper_bound: float = 10.0) -> ModelConfig:
        """Parameter bounds: the domain. `poi_upper_bound` is ignored, it would cut the fit short."""
        del poi_upper_bound
        domain, column = self._height.density.manifest.domain, self._column
        bounds = list(zip(map(float, domain.lower), map(float, domain.upper), strict=True))
        if not allow_negative_signal and bounds[column][1] > 0.0:
            bounds[column] = (max(0.0, bounds[column][0]), bounds[column][1])
        return ModelConfig(
            poi_index=column,
            minimum_poi=float(domain.lower[column]),
            suggested_init=np.clip(self._start, *np.transpose(bounds)).tolist(),
            suggested_bounds=bounds,
            parameter_names=list(self._height.density.parameters),
        )

    def get_logpdf_func(
        self, expected: ExpectationType = ExpectationType.observed, data: ArrayLike | None = None
    ) -> Callable[[ArrayLike], float]:
        """ln L of all parameters: with every constant where the bundle has them, else up to one.

        Raises:
            NotImplementedError: anything but observed data.
        """
        self._observed_only(expected, data)
        return lambda pars: float(self._height.value(_row(pars))[0])

    def get_objective_function(
        self,
        expected: ExpectationType = ExpectationType.observed,
        data: ArrayLike | None = None,
        do_grad: bool = True,
    ) -> Objective:
        """What Spey minimises: -ln L, with its derivatives if `do_grad`. Errors as of `get_logpdf_func`."""
        self._observed_only(expected, data)

        def value(pars: ArrayLike) -> float:
            return -float(self._height.value(_row(pars))[0])

        def value_and_gradient(pars: ArrayLike) -> tuple[float, Array]:
            points = _row(pars)
            return -float(self._height.value(points)[0]), -self._height.slope(points)[0]

        return value_and_gradient if do_grad else value

    def expected_data(self, pars: Sequence[float]) -> list[float]:
        """There are none.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(_NO_DATA)

    def _observed_only(self, expected: ExpectationType, data: ArrayLike | None) -> None:
        # Spey passes strings too; its own enum compares with both.
        if expected != ExpectationType.observed or data is not None:
            raise NotImplementedError(_NO_DATA)

    def _best_of_few(self) -> Array:
        """(parameters,) the highest point of a coarse profile: fits that start there stay in its basin."""
        height, column = self._height, self._column
        domain = height.density.manifest.domain
        values = np.linspace(domain.lower[column], domain.upper[column], _NODES)
        found = profile_density(
            height.density,
            height.density.parameters[column],
            values,
            condition=height.condition,
            divide_prior=height.divide_prior,
        )
        return found.points[int(found.log_density.argmax())]


def _of_interest(density: Density, parameter: str) -> str:
    known = [item.name for item in density.manifest.parameters if item.role == "poi"]
    if parameter in density.parameters:
        return parameter
    if not parameter and len(known) == 1:
        return known[0]
    message = (
        f"there is no parameter {parameter!r}" if parameter else "the parameter of interest is not clear"
    )
    listed = ", ".join(known or density.parameters)[:200]
    raise FindingError(finding("LLB-Y101", message, expected=listed, actual=parameter or str(len(known))))


def _row(pars: ArrayLike) -> Array:
    return np.atleast_2d(np.asarray(pars, dtype=np.float64))
