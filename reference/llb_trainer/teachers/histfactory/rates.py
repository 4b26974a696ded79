"""Expected events, negative log likelihood and its derivatives for one signal, as pure JAX functions.

Everything here works on one fit; `fit` maps it over a batch. Products of factors are products, never
sums of logarithms: a factor or a sample may be zero or negative while the bin's total is positive.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import gammaln

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.interpolation import code4, code4p

__all__ = ["Data", "Expectation", "Rates", "Tables", "expectation", "hessian", "nll", "rates", "tables"]

_TINY = 1e-150
"""Stands in for a factor that is exactly zero, so that `factor * (derivative / factor)` stays exact."""


class Data(NamedTuple):
    """One data set: `main` shape (n_bins,), `auxiliary` shape (n_parameters,), 0 for free parameters."""

    main: Array
    auxiliary: Array


class Tables(NamedTuple):
    """The compiled model as JAX arrays; see `CompiledModel` for the meaning of each."""

    nominal: Array
    bin_of_rate: Array
    rate_bin: Array
    direct_parameter: Array
    normsys_parameter: Array
    log_hi: Array
    log_lo: Array
    coefficients: Array
    factor_entries: Array
    factor_cell: Array
    shift_parameter: Array
    up: Array
    down: Array
    shift_entries: Array
    shift_cell: Array
    normal: Array
    poisson: Array
    width: Array
    factor: Array
    signal_lumi: Array


class Rates(NamedTuple):
    """Values and factor pieces of all (sample, bin) pairs; entries carry a trailing pad."""

    product: Array
    base: Array
    factors: tuple[Array, Array, Array]
    shifts: tuple[Array, Array, Array]


class Expectation(NamedTuple):
    """Expected events and their derivatives.

    Attributes:
        events: (n_bins,) signal plus background.
        jacobian: (n_bins, n_parameters).
        rate: (n_rates,) content of each rate.
        log_slope: (n_rates, n_parameters) logarithmic derivative of the product of factors.
        shift_slope: (n_rates, n_parameters) derivative through the additive part.
        diagonal: (n_rates, n_parameters) second derivatives that the outer products leave out.
    """

    events: Array
    jacobian: Array
    rate: Array
    log_slope: Array
    shift_slope: Array
    diagonal: Array


def tables(model: CompiledModel, lumi_on_signal: bool) -> Tables:
    """Put a compiled model into JAX arrays.

    Args:
        model: the compiled background.
        lumi_on_signal: whether the luminosity parameter multiplies the signal.
    """
    factors, shifts, terms = model.factors, model.shifts, model.constraints
    signal_lumi = np.zeros(model.n_parameters)
    if lumi_on_signal:
        signal_lumi[model.lumi] = 1.0
    return Tables(
        nominal=jnp.asarray(model.nominal),
        bin_of_rate=jnp.asarray(np.eye(model.n_bins)[model.rate_bin].T),
        rate_bin=jnp.asarray(model.rate_bin),
        direct_parameter=jnp.asarray(factors.direct_parameter),
        normsys_parameter=jnp.asarray(factors.normsys_parameter),
        log_hi=jnp.asarray(factors.log_hi),
        log_lo=jnp.asarray(factors.log_lo),
        coefficients=jnp.asarray(factors.coefficients),
        factor_entries=jnp.asarray(factors.rate_entries),
        factor_cell=jnp.asarray(factors.cell),
        shift_parameter=jnp.asarray(shifts.parameter),
        up=jnp.asarray(shifts.up),
        down=jnp.asarray(shifts.down),
        shift_entries=jnp.asarray(shifts.rate_entries),
        shift_cell=jnp.asarray(shifts.cell),
        normal=jnp.asarray(terms.kind == 1, dtype=jnp.float64),
        poisson=jnp.asarray(terms.kind == 2, dtype=jnp.float64),
        width=jnp.asarray(terms.width),
        factor=jnp.asarray(terms.factor),
        signal_lumi=jnp.asarray(signal_lumi),
    )


def signal_scale(t: Tables, theta: Array) -> Array:
    """What multiplies the signal yields: the luminosity parameter if the signal carries it, else 1."""
    return 1.0 + t.signal_lumi @ (theta - 1.0)


def rates(t: Tables, theta: Array) -> Rates:
    """Contents of all rates at the parameters `theta`, shape (n_parameters,)."""
    direct = theta[t.direct_parameter]
    value, slope, curvature = code4(theta[t.normsys_parameter], t.log_hi, t.log_lo, t.coefficients)
    ones, zeros, end = jnp.ones_like(direct), jnp.zeros_like(direct), jnp.zeros(1)
    factors = (
        jnp.concatenate([direct, value, end + 1.0]),
        jnp.concatenate([ones, slope, end]),
        jnp.concatenate([zeros, curvature, end]),
    )
    moved = code4p(theta[t.shift_parameter], t.up, t.down)
    shifts = (
        jnp.concatenate([moved[0], end]),
        jnp.concatenate([moved[1], end]),
        jnp.concatenate([moved[2], end]),
    )
    product = jnp.prod(factors[0][t.factor_entries], axis=1)
    base = t.nominal + jnp.sum(shifts[0][t.shift_entries], axis=1)
    return Rates(product, base, factors, shifts)


def events(t: Tables, theta: Array, signal: Array) -> Array:
    """Expected events per bin, shape (n_bins,)."""
    content = rates(t, theta)
    return t.bin_of_rate @ (content.product * content.base) + signal * signal_scale(t, theta)


def nll(t: Tables, theta: Array, signal: Array, data: Data) -> Array:
    """Negative log likelihood with every constant, as `-pyhf.Model.logpdf`; infinite where a bin's
    expectation is not positive (zero is allowed where nothing was observed)."""
    return main_nll(events(t, theta, signal), data.main) + constraint_nll(t, theta, data.auxiliary)


def main_nll(expected: Array, observed: Array) -> Array:
    """Sum of the Poisson terms `nu - n ln nu + ln n!`."""
    safe = jnp.where(expected > 0, expected, 1.0)
    term = safe - observed * jnp.log(safe) + gammaln(observed + 1.0)
    empty = jnp.where((expected == 0) & (observed == 0), 0.0, jnp.inf)
    return jnp.sum(jnp.where(expected > 0, term, empty))


def constraint_nll(t: Tables, theta: Array, auxiliary: Array) -> Array:
    """Sum of the normalised constraint terms."""
    pull = (theta - auxiliary) / t.width
    normal = 0.5 * pull * pull + jnp.log(t.width) + 0.5 * jnp.log(2 * jnp.pi)
    rate = jnp.where(t.poisson > 0, theta * t.factor, 1.0)
    counts = jnp.where(t.poisson > 0, auxiliary, 0.0)
    poisson = rate - counts * jnp.log(rate) + gammaln(counts + 1.0)
    return jnp.sum(jnp.where(t.normal > 0, normal, 0.0) + jnp.where(t.poisson > 0, poisson, 0.0))


def constraint_slopes(t: Tables, theta: Array, auxiliary: Array) -> tuple[Array, Array]:
    """First and second derivative of the constraint terms, each shape (n_parameters,)."""
    safe = jnp.where(t.poisson > 0, theta, 1.0)
    slope = t.normal * (theta - auxiliary) / t.width**2 + t.poisson * (t.factor - auxiliary / safe)
    curvature = t.normal / t.width**2 + t.poisson * auxiliary / safe**2
    return slope, curvature


def expectation(t: Tables, theta: Array, signal: Array) -> Expectation:
    """Expected events with first derivatives and the pieces of the second ones."""
    content = rates(t, theta)
    value, slope, curvature = content.factors
    safe = jnp.where(jnp.abs(value) < _TINY, _TINY, value)
    log_slope_entries = slope / safe
    diagonal_entries = curvature / safe - log_slope_entries**2
    log_slope = log_slope_entries[t.factor_cell]
    product = jnp.prod(safe[t.factor_entries], axis=1)
    shift_slope = product[:, None] * content.shifts[1][t.shift_cell]
    rate = product * content.base
    diagonal = (
        product[:, None] * content.shifts[2][t.shift_cell] + rate[:, None] * diagonal_entries[t.factor_cell]
    )
    slopes = rate[:, None] * log_slope + shift_slope
    return Expectation(
        events=t.bin_of_rate @ rate + signal * signal_scale(t, theta),
        jacobian=t.bin_of_rate @ slopes + signal[:, None] * t.signal_lumi,
        rate=rate,
        log_slope=log_slope,
        shift_slope=shift_slope,
        diagonal=diagonal,
    )


def hessian(t: Tables, found: Expectation, data: Data, curvature: Array) -> Array:
    """Exact second derivatives of the NLL, shape (n_parameters, n_parameters).

    Args:
        t: the model.
        found: expectation at the point.
        data: the data set.
        curvature: second derivative of the constraint terms, shape (n_parameters,).
    """
    weight = data.main / found.events**2
    residual = (1.0 - data.main / found.events)[t.rate_bin]
    outer = (residual[:, None] * (found.rate[:, None] * found.log_slope + 2.0 * found.shift_slope)).T
    mixed = outer @ found.log_slope
    gauss_newton = (found.jacobian * weight[:, None]).T @ found.jacobian
    return gauss_newton + 0.5 * (mixed + mixed.T) + jnp.diag(curvature + residual @ found.diagonal)
