"""Minima on the other side of a systematic, as they are seen from a known minimum.

A systematic whose two variations push the same way can fit the same data on either side, so it may have a
minimum on both. From a known minimum the profiled NLL along one such parameter is cheap: the events are exact
in that parameter, and the others follow linearly, which takes matrices of the bins only. Where a second valley
shows, a fit must tell how deep it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.interpolation import NORMSYS, shifting
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.rates import Data, Expectation, bend, expectation, shortfall, slopes
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = ["Sides", "bending"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PLACES = np.array([0.1, 0.25, 0.45, 0.7, 1.0, 1.4, 2.0, 3.0])
"""Where a parameter is tried on either side, in widths of its constraint."""
_MOST = 96
"""Parameters that are tried, those that bend most."""
_LEAST = 0.03
"""Bending below which a parameter has one minimum, in standard deviations of the data."""
_HIGH = 5.0
"""NLL above the minimum up to which a valley is of interest in a pair with another one."""
_BATCH = 4
"""Minima that are looked from together."""


def bending(likelihood: Likelihood) -> Floats:
    """(P,) how much the two variations of a parameter push the same way, in standard deviations of the data.

    Parameters that do it have minima on either side. Those without a normal constraint count zero.
    """
    terms, own = likelihood.model.constraints, likelihood.order.parameters
    start, width = likelihood.start, terms.width[own]
    moved = np.clip(
        np.concatenate([start + np.diag(width), start - np.diag(width), start[None]]),
        likelihood.lower,
        likelihood.upper,
    )
    events, _ = likelihood.background(moved)
    up, down, middle = np.split(events, [len(start), 2 * len(start)])
    bend = np.max(np.abs(up + down - 2.0 * middle) / np.sqrt(np.maximum(middle, 1.0)), axis=1)
    return np.where((terms.kind[own] != 1) | ~np.isfinite(bend), 0.0, bend)


class _Grid(NamedTuple):
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


class _View(NamedTuple):
    """What is seen from minima, one per row of a batch; symbols as in `_view`.

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
def _grid(t: Tables, parameter: Array, place: Array) -> _Grid:
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
    return _Grid(parameter, place, entry.reshape(shape[:-1]), factor.reshape(shape), shift)


@jax.jit
def _view(t: Tables, grid: _Grid, theta: Array, signal: Array, data: Data, free: Array) -> _View:
    """Look along every parameter of the grid from minima `theta` (P, n).

    With `r` the residuals `1 - n / nu`, `W` the second derivatives of the Poisson terms and `K = J D^-1 J^T`, a
    change `d` of the events costs `r d + d A d / 2` where `A = (W^-1 + K)^-1`, and pulls the parameters by
    `-D^-1 J^T A d`. The one that makes the change does not follow: its part `u D^-1 u^T` of `K` is taken out.
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
    bent = jnp.sum(change * pulled, axis=1) + jnp.sum(column[..., None] * pulled, axis=1) ** 2 / rest[..., None]
    pull = jacobian / curvature[:, None]
    return _View(linear + 0.5 * bent, linear, change, pulled, column, own, along, pull)


def _change(t: Tables, grid: _Grid, theta: Array, found: Expectation) -> Array:
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


@dataclass(frozen=True)
class Sides:
    """Looks along the parameters of a model that bend.

    Attributes:
        likelihood: the model.
    """

    likelihood: Likelihood

    @cached_property
    def _grid(self) -> _Grid | None:
        bent = bending(self.likelihood)
        chosen = np.sort(np.argsort(-bent, kind="stable")[:_MOST])
        chosen = chosen[bent[chosen] > _LEAST]
        if not len(chosen):
            return None
        own = self.likelihood.order.parameters[chosen]
        width = self.likelihood.model.constraints.width[own][:, None]
        place = self.likelihood.start[chosen][:, None] + width * np.concatenate([-_PLACES[::-1], _PLACES])
        place = np.clip(place, self.likelihood.lower[chosen][:, None], self.likelihood.upper[chosen][:, None])
        return _grid(self.likelihood.device_tables, jnp.asarray(chosen), jnp.asarray(place))

    def beyond(
        self, theta: Floats, signal: Floats, data: Data, most: int, margin: float
    ) -> tuple[Ints, Floats]:
        """Starts in valleys that are seen from minima.

        Args:
            theta: (n, P) minima.
            signal: (n, n_bins).
            data: their data sets, (..., n).
            most: starts for each minimum.
            margin: by how much in NLL a valley may look higher than the minimum.

        Returns:
            (row of the minimum (k,), parameters (k, P)), the lowest of each first.
        """
        if self._grid is None or not len(theta):
            return np.empty(0, dtype=np.int64), theta[:0]
        free = (theta > self.likelihood.lower) & (theta < self.likelihood.upper)
        parts: list[_Valleys] = []
        for first in range(0, len(theta), _BATCH):
            rows = np.minimum(np.arange(first, first + _BATCH), len(theta) - 1)
            view = _view(
                self.likelihood.device_tables,
                self._grid,
                theta[rows].T,
                signal[rows].T,
                Data(*(part[..., rows] for part in data)),
                free[rows].T,
            )
            parts.append(_valleys(self._grid, view, theta[rows[: len(theta) - first]], first))
        valleys = _Valleys(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        single = np.arange(len(valleys.row))[:, None]
        first, second = _pairs(valleys.row, valleys.parameter)
        found = [_start(valleys, theta, members) for members in (single, np.stack([first, second], axis=1))]
        row, start, height = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.lexsort((height, row))
        order = order[height[order] < margin]
        order = order[np.arange(len(order)) - np.searchsorted(row[order], row[order]) < most]
        return row[order], np.clip(start[order], self.likelihood.lower, self.likelihood.upper)


class _Valleys(NamedTuple):
    """Valleys seen from minima, one entry each, those of a minimum together; symbols as in `_view`.

    Attributes:
        row: (m,) the minimum.
        parameter: (m,) which goes to the other side.
        place: (m,) its value there.
        linear: (m,) what is linear in the change of the events, and the parameter's own constraint term.
        change, pulled: (m, n_bins), `d` and `A d`.
        column, own: (m, n_bins), `u` and `A u`.
        curvature: (m,) of the constraint term.
        pull: (m, n_bins, P), `J D^-1`.
    """

    row: Ints
    parameter: Ints
    place: Floats
    linear: Floats
    change: Floats
    pulled: Floats
    column: Floats
    own: Floats
    curvature: Floats
    pull: Floats


def _valleys(grid: _Grid, view: _View, theta: Floats, first: int) -> _Valleys:
    """Where the heights seen from minima `theta` (n, P) have a minimum that is not the one they are seen from.

    Args:
        grid, view: what is seen; there may be more rows than minima.
        theta: the minima.
        first: row of the first.
    """
    place, parameter = np.asarray(grid.place), np.asarray(grid.parameter)
    height = np.asarray(view.height)[: len(theta)]
    edge = np.full((*height.shape[:2], 1), np.inf)
    around = np.concatenate([edge, np.where(np.isfinite(height), height, np.inf), edge], axis=2)
    lowest = (height <= around[:, :, :-2]) & (height <= around[:, :, 2:]) & (height < _HIGH)
    # right beside the minimum only what is lower is another valley
    index = (place < theta[:, parameter, None]).sum(axis=2)[..., None]
    beside = (np.arange(place.shape[1]) == index) | (np.arange(place.shape[1]) == index - 1)
    row, which, at = np.nonzero(lowest & (~beside | (height < 0)))
    change, pulled = (np.asarray(part)[row, :, which, at] for part in (view.change, view.pulled))
    column, own = (np.asarray(part)[row, :, which] for part in (view.column, view.own))
    linear, curvature = np.asarray(view.linear)[row, which, at], np.asarray(view.curvature)[row, which]
    pull = np.asarray(view.pull)[row]
    return _Valleys(
        first + row,
        parameter[which],
        place[which, at],
        linear,
        change,
        pulled,
        column,
        own,
        curvature,
        pull,
    )


def _pairs(row: Ints, parameter: Ints) -> tuple[Ints, Ints]:
    """Pairs of valleys of the same minimum along different parameters."""
    number = np.arange(len(row))
    count = np.searchsorted(row, row, side="right") - number - 1
    first = np.repeat(number, count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    different = parameter[first] != parameter[second]
    return first[different], second[different]


def _start(seen: _Valleys, theta: Floats, members: Ints) -> tuple[Ints, Floats, Floats]:
    """The start with some parameters at other places together, all others following.

    Args:
        seen: valleys.
        theta: (n, P) the minima.
        members: (k, g) the valleys of each start, of one minimum.

    Returns:
        (row of the minimum (k,), parameters (k, P), NLL above the minimum (k,)).
    """
    change, pulled = seen.change[members].sum(axis=1), seen.pulled[members].sum(axis=1)
    column, own = seen.column[members], seen.own[members]
    # those that make the change do not follow it: their part of `K` is taken out
    rest = seen.curvature[members][:, :, None] * np.eye(members.shape[1]) - column @ own.transpose(0, 2, 1)
    along = np.einsum("kgb,kb->kg", column, pulled)
    share = np.asarray(np.linalg.solve(rest, along[..., None]))[..., 0]
    bent = np.sum(change * pulled, axis=1) + np.sum(along * share, axis=1)
    residual = pulled + np.einsum("kgb,kg->kb", own, share)
    row = seen.row[members[:, 0]]
    start = theta[row] - np.einsum("kb,kbp->kp", residual, seen.pull[members[:, 0]])
    np.put_along_axis(start, seen.parameter[members], seen.place[members], axis=1)
    return row, start, seen.linear[members].sum(axis=1) + 0.5 * bent
