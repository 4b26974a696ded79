"""Rays: the learned curves along mu*s, as splines in mu.

A network is only ever asked in batches. Along each signal's ray it is sampled once, splined in float64
and checked between the nodes; minima, derivatives and root finding then need no further network call and
never see the steps of a float32 graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb.runtime.domain import domain_edge
from llb.runtime.likelihood import ProfileLikelihood
from llb.runtime.refinement import sample_rays
from llb.runtime.splines import SplineStack, stack_splines
from llb_schema import Finding, FindingError, finding

__all__ = ["ASIMOV_CURVES", "Rays", "rays"]

Array = NDArray[np.float64]

ASIMOV_CURVES = frozenset({"observed_asimov", "apriori_asimov"})
"""Curves whose data are the background-only expectation: their minimum is at mu = 0 by definition."""

# 0.1 % of CLs (d ln CLs / d Delta is about -1.2 at CLs = 0.05).
_ROUGH = 8e-4


@dataclass(frozen=True)
class Rays:
    """Delta NLL along the rays mu*s of N signals.

    Attributes:
        columns: the graph's output column of each curve, aliases included.
        mu_low: where each ray leaves the domain at negative mu, <= 0, shape (N,).
        mu_edge: where it leaves the domain at positive mu; infinity for the zero signal, 0 for a
            signal of which no positive multiple is inside (all its numbers are NaN).
        scale: mu at t = 1 of `splines`.
        splines: the curves over t = mu / scale; beyond the ends they go on quadratically, convex and rising.
        spline_error: the largest |spline - graph| between nodes: NLL units where |Delta NLL| < 1, relative
            above.
        findings: `LLB-L...` about single rays.
        stated: the graph's own error of Delta NLL, (M, C) by output column, at (M, n_bins) signals; None
            where the bundle states none.
        signals: events at mu = 1, shape (N, n_bins), for `stated`.
    """

    columns: Mapping[str, int]
    mu_low: Array
    mu_edge: Array
    scale: Array
    splines: SplineStack
    spline_error: Array
    findings: tuple[Finding, ...]
    stated: Callable[[Array], Array] | None = None
    signals: Array | None = None

    def __len__(self) -> int:
        """Number of signals."""
        return len(self.scale)

    def at(self, curve: str, index: NDArray[np.intp], mu: Array, order: int = 0) -> Array:
        """Delta NLL, or its `order`-th derivative in mu, of signals `index` at `mu`, both one-dimensional."""
        scale = self.scale[index]
        with np.errstate(over="ignore"):
            t = mu / scale
        return self.splines(index, t, self.columns[curve], order) / scale**order

    def sigma(self, index: NDArray[np.intp], mu: Array) -> Array:
        """The stated error of Delta NLL of signals `index` at `mu`, both (M,), as (M, C) by output column.

        One call of the graph for all of them; in NLL units. NaN beyond the ends of the ray, where the curves
        are a continuation, and where the bundle states no error.
        """
        width = self.splines.pieces.shape[-1]
        result = np.full((len(mu), width), np.nan)
        if self.stated is None or self.signals is None:
            return result
        inside = (mu >= self.mu_low[index]) & (mu <= self.mu_edge[index]) & np.isfinite(mu)
        if inside.any():
            result[inside] = self.stated(mu[inside, np.newaxis] * self.signals[index[inside]])
        return result

    def delta(self, curve: str, mu: ArrayLike) -> Array:
        """Delta NLL of every signal at mu, shape (N,) or (N, M), or a number for all; NLL units."""
        return self._spread(curve, mu, 0)

    def derivative(self, curve: str, mu: ArrayLike) -> Array:
        """d Delta NLL / d mu; arguments as in `delta`."""
        return self._spread(curve, mu, 1)

    def second_derivative(self, curve: str, mu: ArrayLike) -> Array:
        """d^2 Delta NLL / d mu^2; arguments as in `delta`."""
        return self._spread(curve, mu, 2)

    def minimum(self, curve: str) -> tuple[Array, Array]:
        """(mu_hat, Delta NLL there) of every signal, the minimum taken over mu >= 0.

        On Asimov curves it is (0, 0) by definition, whatever ripples the network has.
        """
        if curve in ASIMOV_CURVES:
            return np.zeros(len(self)), self.delta(curve, 0.0)
        t, lowest = self.splines.minimum(self.columns[curve])
        return np.where(np.isnan(lowest), np.nan, t * self.scale), lowest

    def _spread(self, curve: str, mu: ArrayLike, order: int) -> Array:
        values = np.asarray(mu, dtype=np.float64)
        shape = values.shape if values.ndim else (len(self),)
        index = np.arange(len(self)).reshape(-1, *[1] * (len(shape) - 1))
        index, values = np.broadcast_arrays(index, np.broadcast_to(values, shape))
        return self.at(curve, index.ravel(), values.ravel(), order).reshape(shape)


def rays(model: ProfileLikelihood, signals: Array) -> Rays:
    """The rays of signals of shape (N, n_bins), events at mu = 1, columns in the graph's order.

    Sampling stops at the edge of the domain on either side (the negative side only where the domain has one).
    Between nodes the splines are compared with the graph, and intervals that differ are halved. A ray on
    which the graph gives NaN or infinity is NaN as a whole.

    Raises:
        FindingError: `LLB-Y005`, signals of another shape; `LLB-Y004`, NaN or infinity among them.
    """
    signals = model.check_shape(signals)
    faulty = [f"signals/{row}" for row in np.flatnonzero(~np.isfinite(signals).all(axis=1))]
    if faulty:
        raise FindingError([finding("LLB-Y004", pointer=place) for place in faulty])

    def largest_delta(points: Array) -> Array:
        return model.columns(points).max(axis=1)

    domain = model.bundle.manifest.domain
    high = domain_edge(domain, signals, largest_delta)
    low = 0.0 - domain_edge(domain, -signals, largest_delta)
    zero = np.isinf(high)
    low = np.where(zero, -np.inf, low)
    outside = high <= 0.0
    scale = np.where(zero | outside, 1.0, high)
    t_low = np.where(zero, 0.0, low / scale)
    rows = np.flatnonzero(~outside)
    sampled = sample_rays(
        lambda row, t: model.columns((t * scale[rows[row]])[:, np.newaxis] * signals[rows[row]]),
        t_low[rows],
        rough=model.dtype == np.float32,
    )
    width = len(model.bundle.manifest.own_curves)
    nodes = [np.linspace(0.0, 1.0, 4)] * len(signals)
    values = [np.full((4, width), np.nan)] * len(signals)
    error = np.full(len(signals), np.nan)
    for row, item in zip(rows, sampled, strict=True):
        if np.isfinite(item.error):
            nodes[row], values[row], error[row] = item.nodes, item.values, item.error
    return Rays(
        columns={item.name: item.column for item in model.bundle.manifest.curves},
        mu_low=low,
        mu_edge=high,
        scale=scale,
        splines=stack_splines(nodes, values, ~zero),
        spline_error=error,
        findings=tuple(_examine(model, signals, outside, error)),
        stated=(lambda points: model.columns_with_sigma(points)[1]) if model.has_uncertainty else None,
        signals=signals,
    )


def _examine(
    model: ProfileLikelihood, signals: Array, outside: NDArray[np.bool_], error: Array
) -> list[Finding]:
    found: list[Finding] = []
    domain = model.bundle.manifest.domain
    for row in np.flatnonzero(outside):
        bins = [
            item.id
            for item, value, lower, upper in zip(
                model.bundle.manifest.bins, signals[row], domain.lower, domain.upper, strict=True
            )
            if (value < 0.0 and lower >= 0.0) or (value > 0.0 and upper <= 0.0)
        ]
        found.append(
            finding(
                "LLB-L001",
                f"no positive multiple of the signal is inside the domain, because of bin {', '.join(bins)}",
                pointer=f"signals/{row}",
            )
        )
    for row in np.flatnonzero(~outside & ~np.isfinite(error)):
        found.append(
            finding("LLB-L002", "the graph returns NaN or infinity along the ray", pointer=f"signals/{row}")
        )
    for row in np.flatnonzero(error > _ROUGH):
        found.append(
            finding(
                "LLB-L003",
                f"between nodes the spline differs from the graph by {error[row]:.2g}",
                pointer=f"signals/{row}",
                expected=f"at most {_ROUGH}",
                actual=f"{error[row]:.3g}",
            )
        )
    return found
