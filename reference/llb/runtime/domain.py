"""Where a graph may be trusted, and how far along a ray mu*s that is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain

__all__ = ["domain_edge", "in_box"]

Array = NDArray[np.float64]

# Where the truncation is looked for along a ray, as fractions of the way to the face of the box. Curves
# grow at most quadratically, so cubed steps also find a crossing that is close to zero signal.
_PROBES = np.linspace(0.0, 1.0, 17)[1:] ** 3
_EDGE_PRECISION = 1e-4


def in_box(domain: Domain, signals: Array) -> NDArray[np.bool_]:
    """Whether each signal, shape (n_signals, n_bins), is inside the domain's box; NaN is outside."""
    return np.all((signals >= domain.lower) & (signals <= domain.upper), axis=1)


def domain_edge(domain: Domain, directions: Array, largest_delta: Callable[[Array], Array]) -> Array:
    """The largest mu >= 0 up to which the rays mu*direction stay in the domain.

    Args:
        domain: box and truncation.
        directions: shape (n_signals, n_bins), events at mu = 1.
        largest_delta: the largest predicted Delta NLL over the graph's columns, for signals of that shape.

    Returns:
        Shape (n_signals,): infinity for the zero signal, 0 where the first step leaves the box. At a
        truncation the value is at most 1e-4 (relative) below the true edge, never above it.
    """
    edge = _box_edge(domain, directions)
    limit = domain.delta_nll_max
    if limit is None:
        return edge
    rows = np.flatnonzero(np.isfinite(edge) & (edge > 0.0))
    if rows.size == 0:
        return edge

    def excess(mu: Array, row: NDArray[np.intp]) -> Array:
        return largest_delta(mu[:, np.newaxis] * directions[row]) - limit

    mu = edge[rows, np.newaxis] * _PROBES
    beyond = excess(mu.ravel(), np.repeat(rows, _PROBES.size)).reshape(mu.shape) > 0.0
    crossing = beyond.any(axis=1)
    rows, first = rows[crossing], beyond[crossing].argmax(axis=1)
    if rows.size == 0:
        return edge
    upper = mu[crossing, first]
    # Imported here: scipy takes longer to load than most rays to follow, and few bundles truncate.
    from scipy.optimize.elementwise import find_root

    lower = np.where(first == 0, 0.0, mu[crossing, np.maximum(first - 1, 0)])
    result = find_root(
        excess,
        (lower, upper),
        args=(rows,),
        tolerances={"xatol": 0.0, "xrtol": _EDGE_PRECISION / 4, "fatol": 0.0, "frtol": 0.0},
    )
    edge[rows] = result.bracket[0]
    return edge


def _box_edge(domain: Domain, directions: Array) -> Array:
    """The largest mu >= 0 for which mu*direction is in the box, per signal."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        up = np.where(directions > 0.0, np.asarray(domain.upper) / directions, np.inf)
        down = np.where(directions < 0.0, np.asarray(domain.lower) / directions, np.inf)
    return np.maximum(np.minimum(up, down).min(axis=1), 0.0)
