"""Expected events, negative log likelihood and derivatives of a batch of fits, as pure JAX functions.

Every array has the fits of the batch on its last axis. Products of factors are products, never sums of
logarithms: a factor or a sample may be zero or negative while the bin's total is positive.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.interpolation import NORMSYS, shifting
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = [
    "Contents",
    "Data",
    "Expectation",
    "bend",
    "contents",
    "events",
    "expectation",
    "nll",
    "shortfall",
    "slopes",
]

_TINY = 1e-150
"""Stands in for a factor that is exactly zero, so that `factor * (derivative / factor)` stays exact."""


class Data(NamedTuple):
    """Data sets, one per fit.

    Attributes:
        main: (n_bins, n).
        auxiliary: (P, n), 0 for free parameters.
        constant: (n,) what neither events nor parameters change: factorials, normalisations.
    """

    main: Array
    auxiliary: Array
    constant: Array

    def take(self, rows: NDArray[np.int64]) -> Data:
        """These data sets."""
        return Data(*(part[..., rows] for part in self))


class Contents(NamedTuple):
    """Contents of all rates.

    Attributes:
        entries: value, logarithmic slope and curvature over value of every factor, each (n_entries + 1, n).
        product: (n_bins, S, n) product of the factors.
        rate: (n_bins, S, n).
        along, across: value, slope and curvature of what multiplies mean and difference of the shifts,
            each (H, n).
    """

    entries: tuple[Array, Array, Array]
    product: Array
    rate: Array
    along: tuple[Array, Array, Array]
    across: tuple[Array, Array, Array]


class Expectation(NamedTuple):
    """Expected events (n_bins, n), their derivatives (n_bins, P, n), and what they are made of."""

    events: Array
    jacobian: Array
    contents: Contents


def contents(t: Tables, theta: Array, signal: Array) -> Contents:
    """Contents of all rates at the parameters `theta` (P, n) with `signal` (n_bins, n)."""
    n_bins, n = signal.shape
    direct = jnp.concatenate([theta, jnp.broadcast_to(t.held, (len(t.held), n))])
    value, slope, curvature = NORMSYS[t.codes[0]](
        direct[t.normsys_parameter], t.log_hi, t.log_lo, t.coefficients
    )
    value = _nonzero(jnp.concatenate([direct, value, jnp.ones((1, n))]))
    ones, zeros = jnp.ones_like(direct), jnp.zeros((1, n))
    slope = jnp.concatenate([ones, slope, zeros]) / value
    curvature = jnp.concatenate([jnp.zeros_like(direct), curvature, zeros]) / value
    # an entry has many readers: without this the compiler computes it anew for each
    value, slope, curvature = jax.lax.optimization_barrier((value, slope, curvature))
    product = reduce(lambda a, column: a * value[column], t.factor_entries[1:], value[t.factor_entries[0]])
    product = product.reshape(n_bins, -1, n)
    along, across = shifting(t.codes[1], theta[: t.mean.shape[2]])
    base = (
        t.nominal
        + jnp.einsum("bsh,hn->bsn", t.mean, along[0])
        + jnp.einsum("bsh,hn->bsn", t.difference, across[0])
    )
    rate = product * jnp.concatenate([base, signal[:, None, :]], axis=1)
    return Contents((value, slope, curvature), product, rate, along, across)


def _nonzero(value: Array) -> Array:
    return jnp.where(jnp.abs(value) < _TINY, _TINY, value)


def events(t: Tables, theta: Array, signal: Array) -> Array:
    """Expected events per bin, (n_bins, n)."""
    return jnp.sum(contents(t, theta, signal).rate, axis=1)


def expectation(t: Tables, theta: Array, signal: Array) -> Expectation:
    """Expected events with first derivatives and what the second ones need."""
    found = contents(t, theta, signal)
    n = theta.shape[1]
    rate = jnp.concatenate([found.rate.reshape(-1, n), jnp.zeros((1, n))])
    slope = found.entries[1]
    pairs = reduce(jnp.add, (rate[r] * slope[e] for r, e in zip(t.pair_rate, t.pair_entry, strict=True)))
    jacobian = jnp.concatenate([pairs, jnp.zeros((1, n))])[t.pair_cell]
    n_shifting = t.mean.shape[2]
    if n_shifting:
        background = found.product[:, :-1]
        shift = (
            jnp.einsum("bsn,bsh->bhn", background, t.mean) * found.along[1]
            + jnp.einsum("bsn,bsh->bhn", background, t.difference) * found.across[1]
        )
        jacobian = jacobian + jnp.pad(shift, ((0, 0), (0, len(theta) - n_shifting), (0, 0)))
    return Expectation(jnp.sum(found.rate, axis=1), jacobian, found)


def nll(t: Tables, theta: Array, expected: Array, data: Data) -> Array:
    """Negative log likelihood (n,) with every constant, as `-pyhf.Model.logpdf`.

    Infinite where events were observed and none, or fewer, are expected. Where none were observed the
    Poisson term is the expectation itself, below zero too, as in pyhf.
    """
    possible = (expected > 2 * _TINY) | (data.main == 0)
    logarithm = jnp.log(jnp.where(expected > 0, expected, 1.0))
    main = jnp.where(possible, expected - data.main * logarithm, jnp.inf)
    pull = theta - data.auxiliary
    mean = jnp.where(t.poisson > 0, theta * t.poisson, 1.0)
    poisson = jnp.where(t.poisson > 0, mean - data.auxiliary * jnp.log(jnp.where(mean > 0, mean, 1.0)), 0.0)
    poisson = jnp.where((mean > 0) | (data.auxiliary == 0), poisson, jnp.inf)
    return jnp.sum(main, axis=0) + jnp.sum(0.5 * t.weight * pull * pull + poisson, axis=0) + data.constant


def shortfall(expected: Array, data: Data) -> Array:
    """Derivative of the Poisson terms by the expectation, `1 - n / nu`, (n_bins, n)."""
    return 1.0 - data.main / jnp.where(data.main == 0, 1.0, expected)


def bend(expected: Array, data: Data) -> Array:
    """Second derivative of the Poisson terms by the expectation, `n / nu^2`, (n_bins, n)."""
    return data.main / jnp.where(data.main == 0, 1.0, expected) ** 2


def slopes(t: Tables, theta: Array, data: Data) -> tuple[Array, Array]:
    """First and second derivative of the constraint terms, each (P, n)."""
    safe = jnp.where(t.poisson > 0, jnp.maximum(theta, _TINY), 1.0)
    counts = jnp.where(t.poisson > 0, data.auxiliary, 0.0)
    slope = t.weight * (theta - data.auxiliary) + t.poisson - counts / safe
    return slope, t.weight + counts / (safe * safe)
