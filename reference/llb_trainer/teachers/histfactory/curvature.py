"""Second derivatives of the NLL: as a matrix, and as a product with a vector, which is much cheaper.

The Hessian is the constraint terms' curvature, plus the Gauss-Newton part `J^T (n / nu^2) J`, plus what the
expected events' own second derivatives add, weighted by the residual `1 - n / nu`.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from llb_trainer.teachers.histfactory.rates import Data, Expectation, bend, shortfall
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = ["Curvature", "curvature", "hessian", "times"]


class Curvature(NamedTuple):
    """What products with the Hessian need at one point.

    Attributes:
        jacobian: (n_bins, P, n) of the events.
        weight: (n_bins, n), n / nu^2.
        diagonal: (P, n) of the constraint terms, and second derivatives with respect to one parameter
            that outer products of first ones leave out.
        slope: (n_entries + 1, n) logarithmic slopes of the factors.
        rate, product: (n_bins, S, n), content and product of factors of each rate, times the residual.
        along, across: (H, n) slopes of what multiplies mean and difference of the shifts.
    """

    jacobian: Array
    weight: Array
    diagonal: Array
    slope: Array
    rate: Array
    product: Array
    along: Array
    across: Array


def curvature(t: Tables, found: Expectation, data: Data, constraints: Array) -> Curvature:
    """Gather what products with the Hessian need.

    Args:
        t: the model.
        found: expectation at the point.
        data: the data sets.
        constraints: (P, n) second derivatives of the constraint terms.
    """
    made = found.contents
    residual = shortfall(found.events, data)[:, None]
    rate, product = residual * made.rate, residual * made.product
    _, slope, second = made.entries
    diagonal = constraints + _over_pairs(t, rate, second - slope * slope)
    shifting = t.mean.shape[2]
    if shifting:
        shift = made.along[2] * _to_shifts(product, t.mean) + made.across[2] * _to_shifts(
            product, t.difference
        )
        diagonal = diagonal + jnp.pad(shift, ((0, len(diagonal) - shifting), (0, 0)))
    return Curvature(
        found.jacobian,
        bend(found.events, data),
        diagonal,
        slope,
        rate,
        product,
        made.along[1],
        made.across[1],
    )


def _over_pairs(t: Tables, rate: Array, entry: Array) -> Array:
    """Sum over rates and entries of `rate * entry`, to the parameter behind the entry, (P, n)."""
    n = rate.shape[2]
    padded = jnp.concatenate([rate.reshape(-1, n), jnp.zeros((1, n))])
    pairs = reduce(jnp.add, (padded[r] * entry[e] for r, e in zip(t.pair_rate, t.pair_entry, strict=True)))
    return jnp.sum(jnp.concatenate([pairs, jnp.zeros((1, n))])[t.pair_cell], axis=0)


def _to_shifts(rate: Array, table: Array) -> Array:
    """Sum over rates, to the shifting parameters, (H, n)."""
    return jnp.einsum("bsn,bsh->hn", rate[:, :-1], table)


def times(t: Tables, at: Curvature, vector: Array) -> Array:
    """Product of the Hessian with `vector` (P, n)."""
    n_bins, n_parameters, n = at.jacobian.shape
    held = jnp.zeros((len(t.held), n))
    direct = jnp.concatenate([vector, held])
    entries = jnp.concatenate([direct, direct[t.normsys_parameter], jnp.zeros((1, n))]) * at.slope
    bins = jnp.sum(at.jacobian * vector, axis=1)
    result = at.diagonal * vector + jnp.sum(at.jacobian * (at.weight * bins)[:, None], axis=0)
    along = reduce(lambda a, column: a + entries[column], t.factor_entries[1:], entries[t.factor_entries[0]])
    along = along.reshape(n_bins, -1, n)
    outer = at.rate * along
    shifting = t.mean.shape[2]
    if shifting:
        moved = jnp.einsum("bsh,hn->bsn", t.mean, at.along * vector[:shifting]) + jnp.einsum(
            "bsh,hn->bsn", t.difference, at.across * vector[:shifting]
        )
        outer = outer + at.product * jnp.pad(moved, ((0, 0), (0, 1), (0, 0)))
        crossed = at.product * along
        shift = at.along * _to_shifts(crossed, t.mean) + at.across * _to_shifts(crossed, t.difference)
        result = result + jnp.pad(shift, ((0, n_parameters - shifting), (0, 0)))
    return result + _over_pairs(t, outer, at.slope)


def hessian(t: Tables, at: Curvature) -> Array:
    """The Hessian, (n, P, P)."""
    n_parameters, n = at.diagonal.shape
    # from here on the batch is the first axis, as linear algebra likes it; the last parameters multiply
    log_slope = at.slope.T[:, t.factor_cell]
    rest = n_parameters - log_slope.shape[2]
    outer = jnp.pad(at.rate.reshape(-1, n).T[:, :, None] * log_slope, ((0, 0), (0, 0), (rest, 0)))
    shifting = t.mean.shape[2]
    if shifting:
        along, across = at.along.T[:, None, None], at.across.T[:, None, None]
        product = jnp.moveaxis(at.product[:, :-1], 2, 0)[..., None]
        shift = 2.0 * product * (t.mean * along + t.difference * across)
        room = ((0, 0), (0, 0), (0, 1), (0, n_parameters - shifting))
        outer = outer + jnp.pad(shift, room).reshape(outer.shape)
    mixed = jnp.pad(jnp.einsum("nrp,nrq->npq", outer, log_slope), ((0, 0), (0, 0), (rest, 0)))
    scaled = jnp.moveaxis(at.jacobian * jnp.sqrt(at.weight)[:, None], 2, 0)
    gauss_newton = jnp.einsum("nbp,nbq->npq", scaled, scaled)
    square = gauss_newton + 0.5 * (mixed + mixed.transpose(0, 2, 1))
    return square + at.diagonal.T[:, :, None] * jnp.eye(n_parameters)
