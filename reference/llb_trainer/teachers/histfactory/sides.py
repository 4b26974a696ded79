"""Other minima, as they are seen from a known one: starts for fits that tell how deep they are.

A systematic whose two variations push the same way can fit the same data on either side, so it may have a
minimum on both; and beside a minimum with a free normalisation at its bound there may be one before it, since
what acts on nothing at the bound acts there. `view` tells where it is worth a fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.batches import padded, power_of_two
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.rates import Data
from llb_trainer.teachers.histfactory.view import Grid, View, grid_of, view

__all__ = ["Sides", "bending"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_PLACES = np.array([0.1, 0.25, 0.45, 0.7, 1.0, 1.4, 2.0, 3.0])
"""Where a systematic is tried on either side, in widths of its constraint."""
_OFF = np.array([0.3, 1.0])
"""Where a normalisation is tried before its bound, in standard deviations of the data."""
_MOST, _ROOM = 96, 4_000_000
"""Systematics that are tried, those that bend most, and numbers that a table of what they do may hold."""
_LEAST = 0.1
"""Bending below which a systematic has one minimum, in standard deviations of the data."""
_HIGH = 5.0
"""NLL above the minimum up to which a valley is of interest in a pair with another one."""
_TOGETHER = 1_000_000
"""Numbers up to which looks are taken together: beyond the processor's cache more of them are slower."""


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


@dataclass(frozen=True)
class Sides:
    """Looks from minima of a model.

    Attributes:
        likelihood: the model.
    """

    likelihood: Likelihood

    @cached_property
    def _bent(self) -> Grid | None:
        """Systematics that bend."""
        bent = bending(self.likelihood)
        n_rates = self.likelihood.tables.factor_entries.shape[1]
        most = int(np.clip(_ROOM // (2 * len(_PLACES) * n_rates), 1, _MOST))
        chosen = np.sort(np.argsort(-bent, kind="stable")[:most])
        chosen = chosen[bent[chosen] > _LEAST]
        own = self.likelihood.order.parameters[chosen]
        width = self.likelihood.model.constraints.width[own][:, None]
        centre = self.likelihood.start[chosen][:, None]
        return self._grid(chosen, centre + width * np.concatenate([-_PLACES[::-1], _PLACES]))

    @cached_property
    def _norms(self) -> Grid | None:
        """Free normalisations, right before their bounds."""
        likelihood = self.likelihood
        free = likelihood.model.constraints.kind[likelihood.order.parameters] == 0
        lower, upper = likelihood.lower, likelihood.upper
        chosen = np.flatnonzero(free & np.isfinite(lower) & np.isfinite(upper))
        nothing = np.zeros((1, likelihood.model.n_bins))
        events, jacobian = likelihood.background(likelihood.start[None])[0], likelihood.jacobian
        slope = np.abs(jacobian(likelihood.start[None], nothing)[0][:, chosen])
        unit = np.sqrt(np.maximum(events[0], 1.0))[:, None]
        step = np.divide(unit, slope, out=np.ones_like(slope), where=slope > 0).min(axis=0, initial=1.0)
        ahead = step[:, None] * _OFF
        return self._grid(
            chosen,
            np.concatenate([lower[chosen, None] + ahead, upper[chosen, None] - ahead[:, ::-1]], axis=1),
        )

    def _grid(self, chosen: Ints, place: Floats) -> Grid | None:
        if not len(chosen):
            return None
        place = np.clip(place, self.likelihood.lower[chosen, None], self.likelihood.upper[chosen, None])
        return grid_of(self.likelihood.device_tables, jnp.asarray(chosen), jnp.asarray(place))

    def beyond(
        self, theta: Floats, signal: Floats, data: Data, most: int, margin: float
    ) -> tuple[Ints, Floats, Flags]:
        """Starts where other minima are seen.

        Args:
            theta: (n, P) minima.
            signal: (n, n_bins).
            data: their data sets, (..., n).
            most: starts for each minimum.
            margin: by how much in NLL one may look higher than the minimum.

        Returns:
            (row of the minimum (k,), parameters (k, P), whether a normalisation left its bound (k,)). Of
            each minimum what is lower than it along one parameter comes first, then the lowest.
        """
        everyone = np.arange(len(theta))
        systematics = self._starts(self._bent, theta, signal, data, everyone, _other_valleys)
        at_bound = np.flatnonzero(self._norms_at_bounds(theta).any(axis=(1, 2)))
        norms = self._starts(self._norms, theta, signal, data, at_bound, self._off_bounds)
        found = _Starts(*(np.concatenate(column) for column in zip(*[systematics, norms], strict=True)))
        left = np.arange(len(found.row)) >= len(systematics.row)
        # a way down along one parameter must not be crowded out by its pairs with others
        order = np.lexsort((found.height, ~(found.alone & (found.height < 0)), found.row))
        order = order[found.height[order] < margin]
        row = found.row[order]
        order = order[np.arange(len(order)) - np.searchsorted(row, row) < most]
        start = np.clip(found.theta[order], self.likelihood.lower, self.likelihood.upper)
        return found.row[order], start, left[order]

    def _norms_at_bounds(self, theta: Floats) -> Flags:
        """(n, J, 2) whether each free normalisation is at its lower, and at its upper bound."""
        own = np.empty(0, dtype=np.int64) if self._norms is None else np.asarray(self._norms.parameter)
        sides = theta[:, own] <= self.likelihood.lower[own], theta[:, own] >= self.likelihood.upper[own]
        return np.stack(sides, axis=2)

    def _off_bounds(self, _seen: View, _grid: Grid, theta: Floats) -> Flags:
        """Places right before the bounds where normalisations are."""
        return np.repeat(self._norms_at_bounds(theta), len(_OFF), axis=2)

    def _starts(
        self,
        grid: Grid | None,
        theta: Floats,
        signal: Floats,
        data: Data,
        looking: Ints,
        worth: Callable[[View, Grid, Floats], Flags],
    ) -> _Starts:
        """Starts along one parameter, and along two."""
        if grid is None or not len(looking):
            return _Starts(looking[:0], theta[:0], np.empty(0), np.empty(0, dtype=bool))
        free = (theta > self.likelihood.lower) & (theta < self.likelihood.upper)
        parts: list[_Seen] = []
        size = power_of_two(_TOGETHER / grid.factor.size, 4, 16)
        for first in range(0, len(looking), size):
            own = looking[first : first + size]
            rows = padded(own, size)
            found = view(
                self.likelihood.device_tables,
                grid,
                theta[rows].T,
                signal[rows].T,
                data.take(rows),
                free[rows].T,
            )
            parts.append(_seen(grid, found, theta, own, worth))
        seen = _Seen(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        single = np.arange(len(seen.row))[:, None]
        pairs = np.stack(_pairs(seen.row, seen.parameter), axis=1)
        found = [_start(seen, theta, members) for members in (single, pairs)]
        row, start, height = (np.concatenate(column) for column in zip(*found, strict=True))
        return _Starts(row, start, height, np.arange(len(row)) < len(single))


class _Starts(NamedTuple):
    """Starts beyond minima.

    Attributes:
        row: (k,) the minimum.
        theta: (k, P).
        height: (k,) NLL above the minimum.
        alone: (k,) whether one parameter is moved, not two.
    """

    row: Ints
    theta: Floats
    height: Floats
    alone: Flags


class _Seen(NamedTuple):
    """Where one parameter is worth trying, one entry each, those of a minimum together; symbols as in `view`.

    Attributes:
        row: (m,) the minimum.
        parameter: (m,) which is moved.
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


def _other_valleys(found: View, grid: Grid, theta: Floats) -> Flags:
    """(n, J, G) where the NLL has a minimum that is not the one it is seen from, `theta` (n, P)."""
    place = np.asarray(grid.place)
    height = _heights(found)[: len(theta)]
    edge = np.full((*height.shape[:2], 1), np.inf)
    around = np.concatenate([edge, height, edge], axis=2)
    lowest = (height <= around[:, :, :-2]) & (height <= around[:, :, 2:])
    # right beside the minimum only what is lower is another one
    index = (place < theta[:, np.asarray(grid.parameter), None]).sum(axis=2)[..., None]
    number, middle = np.arange(place.shape[1]), place.shape[1] // 2
    beside = (number == index) | (number == index - 1)
    # far on the other side what follows linearly may mislead: what is lower right across is worth it, too
    across = number == np.where(index < middle, middle, middle - 1)
    return (lowest & ~beside) | ((lowest | across) & (height < 0))


def _heights(found: View) -> Floats:
    """(n, J, G), infinite where the events have no likelihood."""
    height = np.asarray(found.height)
    return np.where(np.isfinite(height), height, np.inf)


def _seen(
    grid: Grid, found: View, theta: Floats, own: Ints, worth: Callable[[View, Grid, Floats], Flags]
) -> _Seen:
    """What is worth trying from the minima in the rows `own` of `theta` (n, P)."""
    place, parameter = np.asarray(grid.place), np.asarray(grid.parameter)
    chosen = worth(found, grid, theta[own]) & (_heights(found)[: len(own)] < _HIGH)
    row, which, at = np.nonzero(chosen)
    change, pulled = (np.asarray(part)[row, :, which, at] for part in (found.change, found.pulled))
    column, across = (np.asarray(part)[row, :, which] for part in (found.column, found.own))
    linear, curvature = np.asarray(found.linear)[row, which, at], np.asarray(found.curvature)[row, which]
    pull = np.asarray(found.pull)[row]
    return _Seen(
        own[row], parameter[which], place[which, at], linear, change, pulled, column, across, curvature, pull
    )


def _pairs(row: Ints, parameter: Ints) -> tuple[Ints, Ints]:
    """Pairs of entries of the same minimum along different parameters."""
    number = np.arange(len(row))
    count = np.searchsorted(row, row, side="right") - number - 1
    first = np.repeat(number, count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    different = parameter[first] != parameter[second]
    return first[different], second[different]


def _start(seen: _Seen, theta: Floats, members: Ints) -> tuple[Ints, Floats, Floats]:
    """The start with some parameters at other places together, all others following.

    Args:
        seen: what is worth trying.
        theta: (n, P) the minima.
        members: (k, g) what each start is made of, of one minimum.

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
