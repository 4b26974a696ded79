"""The prior of a posterior as a function, where the manifest gives its formula."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from llb.bundle import DensityManifest, Parameter, PriorFactor
from llb_schema import FindingError, finding

__all__ = ["check_prior", "log_prior", "log_prior_score"]

Array = NDArray[np.float64]

_FORMULAS = ("uniform", "normal", "lognormal")
_MEASUREMENT = "constraint"
"""A factor that is part of the likelihood, so that nothing is left to divide out (DENSITY-1)."""


def check_prior(manifest: DensityManifest) -> None:
    """Make sure that the prior can be divided out.

    Raises:
        FindingError: `LLB-Y108`, the density is no posterior, or a factor has no formula in the manifest.
    """
    density = manifest.density
    if density.kind != "posterior":
        message = f"the density is a {density.kind}, in which there is no prior"
        raise FindingError(finding("LLB-Y108", message, pointer="/density/kind", actual=density.kind))
    unknown = [item for item in density.prior if item.kind not in (*_FORMULAS, _MEASUREMENT)]
    if unknown:
        names = ", ".join(item.parameter for item in unknown[:5])
        message = f"the manifest has no formula for the prior of {names}"
        raise FindingError(finding("LLB-Y108", message, pointer="/density/prior", actual=unknown[0].kind))


def log_prior(manifest: DensityManifest, points: Array) -> Array:
    """The logarithm of the prior at points (n, parameters) within the bounds, shape (n,).

    A factor is normalised over all values, and a uniform one over its bounds. Constraint terms are
    measurements, part of the likelihood, and not counted.

    Raises:
        FindingError: as `check_prior`.
    """
    check_prior(manifest)
    parts = [_log_factor(*pair, points[:, pair[1].column]) for pair in _pairs(manifest)]
    return np.sum(parts, axis=0)


def log_prior_score(manifest: DensityManifest, points: Array) -> Array:
    """Its derivatives by the parameters, (n, parameters).

    Raises:
        FindingError: as `check_prior`.
    """
    check_prior(manifest)
    return np.stack([_slope(factor, points[:, item.column]) for factor, item in _pairs(manifest)], axis=1)


def _pairs(manifest: DensityManifest) -> list[tuple[PriorFactor, Parameter]]:
    """Factor and parameter, by column."""
    factors = {item.parameter: item for item in manifest.density.prior}
    return [(factors[item.name], item) for item in manifest.parameters]


def _log_factor(factor: PriorFactor, parameter: Parameter, values: Array) -> Array:
    if factor.kind == _MEASUREMENT:
        return np.zeros(values.shape)
    if factor.kind == "uniform":
        return np.full(values.shape, -math.log(parameter.upper - parameter.lower))
    norm = -math.log(factor.width) - 0.5 * math.log(2.0 * math.pi)
    if factor.kind == "normal":
        return norm - 0.5 * ((values - factor.mean) / factor.width) ** 2
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    return norm - logs - 0.5 * ((logs - factor.mean) / factor.width) ** 2


def _slope(factor: PriorFactor, values: Array) -> Array:
    if factor.kind in ("uniform", _MEASUREMENT):
        return np.zeros(values.shape)
    if factor.kind == "normal":
        return -(values - factor.mean) / factor.width**2
    return -(1.0 + (np.log(values) - factor.mean) / factor.width**2) / values
