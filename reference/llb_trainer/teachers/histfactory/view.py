"""The profiled NLL along one parameter at a time, seen from a minimum, without a fit.

The events are exact in that parameter, and the others follow linearly, which takes matrices of the bins only.
"""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from llb_trainer.teachers.histfactory.interpolation import NORMSYS, shifting
from llb_trainer.teachers.histfactory.rates import Data, Expectation, bend, expectation, shortfall, slopes
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = ["Grid", "View", "grid_of", "view"]


class Grid(NamedTuple):
    """What each parameter does alone, at every place where it is tried.

    Attributes:
        parameter: (J,) which, among the moving ones.
        place: (J, G) values, ascending.
        entry: (n_bins, S, J) the entry by which it multiplies a rate, see `Tables.factor_cell`.
        factor: (n_bins, S, J, G) by which it multiplies.
        shift: (n_bins, S, J, G) by which it shifts, before anything multiplies.
    """

    parameter: Array
    place: Array
    entry: Array
    factor: Array
    shift: Array


class View(NamedTuple):
    """What is seen from minima, one per row of a batch; symbols as in `view`.

    Attributes:
        height: (n, J, G) NLL above the minimum.
        linear: (n, J, G) its part `r d` and the parameter's own constraint term.
        change: (n, n_bins, J, G) of the events, `d`.
        pulled: (n, n_bins, J, G), `A d`.
        column: (n, n_bins, J), `u`.
        own: (n, n_bins, J), `A u`.
        curvature: (n, J) of the constraint term.
        pull: (n, n_bins, P), `J D^-1`.
    """

    height: Array
    linear: Array
    change: Array
    pulled: Array
    column: Array
    own: Array
    curvature: Array
    pull: Array


def _shift(t: Tables, parameter: Array, place: Array) -> Array:
    """Shifts (n_bins, S, J, ...) by parameters (J,) at their values `place` (J, ...)."""
    n_shifting = t.mean.shape[2]
    own = jnp.minimum(parameter, max(n_shifting - 1, 0))
    shape = (*t.mean.shape[:2], len(parameter), *(1 for _ in place.shape[1:]))
    if not n_shifting:
        return jnp.zeros((*t.nominal.shape[:2], *place.shape))
    along, across = (part[0] for part in shifting(t.codes[1], place))
    acts = jnp.reshape(parameter < n_shifting, shape[2:])
    mean, difference = (jnp.reshape(part[:, :, own], shape) for part in (t.mean, t.difference))
    return jnp.where(acts, mean * along + difference * across, 0.0)


@jax.jit
def grid_of(t: Tables, parameter: Array, place: Array) -> Grid:
    """What each of the parameters (J,) does at its places (J, G)."""
    n_bins, slots = len(t.nominal), t.factor_entries.shape[1] // len(t.nominal)
    n_parameters = t.pair_cell.shape[1]
    n_direct = n_parameters + len(t.held)
    entry = jnp.pad(
        t.factor_cell,
        ((0, 0), (n_parameters - t.factor_cell.shape[1], 0)),
        constant_values=n_direct + len(t.log_hi),
    )[:, parameter]
    # the entry is the parameter itself, a normsys of it, or 1
    direct, last = entry < n_direct, entry == n_direct + len(t.log_hi)
    norm = jnp.clip(entry - n_direct, 0, max(len(t.log_hi) - 1, 0))
    factor = jnp.where(direct[..., None], place, 1.0)
    if len(t.log_hi):
        coefficients = t.coefficients[:, norm, :]
        value, _, _ = NORMSYS[t.codes[0]](place, t.log_hi[norm], t.log_lo[norm], coefficients)
        factor = jnp.where((direct | last)[..., None], factor, value)
    shift = _shift(t, parameter, place)
    shift = jnp.pad(shift, ((0, 0), (0, 1), (0, 0), (0, 0)))  # the signal has none
    shape = (n_bins, slots, *place.shape)
    return Grid(parameter, place, entry.reshape(shape[:-1]), factor.reshape(shape), shift)


@jax.jit
def view(t: Tables, grid: Grid, theta: Array, signal: Array, data: Data, free: Array) -> View:
    """Look along every parameter of the grid from minima `theta` (P, n).

    With `r` the residuals `1 - n / nu`, `W` the second derivatives of the Poisson terms and `K = J D^-1 J^T`,
    a change `d` of the events costs `r d + d A d / 2` where `A = (W^-1 + K)^-1`, and pulls the parameters by
    `-D^-1 J^T A d`. The one that makes the change does not follow: its part `u D^-1 u^T` of `K` is taken out.

    Args:
        t: the model.
        grid: the parameters.
        theta: (P, n).
        signal: (n_bins, n).
        data: (..., n).
        free: (P, n) parameters that may follow.
    """
    found = jax.lax.optimization_barrier(expectation(t, theta, signal))
    weight, residual = bend(found.events, data).T, shortfall(found.events, data).T
    jacobian = jnp.moveaxis(jnp.where(free, found.jacobian, 0.0), 2, 0)
    curvature = slopes(t, theta, data)[1].T
    unbound = jnp.sum(jacobian**2 * weight[..., None], axis=1)
    curvature = curvature + jnp.where(curvature > 0, 0.0, 1e-6 * unbound + 1e-12)
    # bins without events have no weight
    root = jnp.sqrt(weight)
    whitened = jacobian * root[..., None] / jnp.sqrt(curvature)[:, None]
    identity = jnp.eye(weight.shape[1])
    square = jnp.einsum("nbp,ncp->nbc", whitened, whitened) + identity
    factor = jnp.linalg.cholesky(square, symmetrize_input=False)
    inverse = jax.scipy.linalg.cho_solve((factor, True), jnp.broadcast_to(identity, square.shape))
    inside = inverse * root[:, :, None] * root[:, None]
    change = _change(t, grid, theta, found)
    shape = change.shape
    pulled = (inside @ change.reshape(*shape[:2], -1)).reshape(shape)
    column = jacobian[..., grid.parameter]
    own = inside @ column
    centre, here = data.auxiliary[grid.parameter].T[..., None], theta[grid.parameter].T[..., None]
    linear = 0.5 * t.weight[grid.parameter] * ((grid.place - centre) ** 2 - (here - centre) ** 2)
    linear = linear + jnp.einsum("nb,nbjg->njg", residual, change)
    along = curvature[:, grid.parameter]
    rest = along - jnp.sum(column * own, axis=1)
    pushed = jnp.sum(column[..., None] * pulled, axis=1)
    bent = jnp.sum(change * pulled, axis=1) + pushed**2 / rest[..., None]
    pull = jacobian / curvature[:, None]
    return View(linear + 0.5 * bent, linear, change, pulled, column, own, along, pull)


def _change(t: Tables, grid: Grid, theta: Array, found: Expectation) -> Array:
    """Change of the events (n, n_bins, J, G) with one parameter at each place, all others as they are."""
    made = found.contents
    here = _shift(t, grid.parameter, theta[grid.parameter])
    base = jnp.where(made.product == 0, 0.0, made.rate / made.product)
    product = made.product[:, :, None] / made.entries[0][grid.entry]
    # the signal, in the last slot, is not shifted
    unshifted = base[:, :, None] - jnp.pad(here, ((0, 0), (0, 1), (0, 0), (0, 0)))
    content, product = (jnp.moveaxis(part, 3, 0)[..., None] for part in (product * unshifted, product))
    parts = (
        grid.factor[:, slot] * (content[:, :, slot] + product[:, :, slot] * grid.shift[:, slot])
        for slot in range(grid.factor.shape[1])
    )
    return reduce(jnp.add, parts) - found.events.T[..., None, None]
