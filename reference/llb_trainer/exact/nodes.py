"""What is known along one signal's ray: labels at a few strengths, each with value, slope and its proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline

from llb.runtime import Rays
from llb.runtime.splines import stack_splines
from llb_trainer.teachers.contract import Labels, Teacher

__all__ = ["Nodes", "columns_of", "origin", "rays_through"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Nodes:
    """Labels of one signal along its ray, K of them on C curves.

    Attributes:
        mu: (K,) strengths, increasing; the first is 0, where everything is known.
        value: (K, C) Delta NLL.
        slope: (K, C) d Delta NLL / d mu.
        proven: (K, C) whether the label is a proven minimum.
        edm: (K, C) estimated distance to the minimum.
    """

    mu: Floats
    value: Floats
    slope: Floats
    proven: Flags
    edm: Floats

    def with_labels(self, mu: Floats, signal: Floats, labels: Labels, rows: slice) -> Nodes:
        """These and more: `rows` of `labels` are the signal (n_bins,) times `mu`, a strength a row."""
        value = np.stack([curve.delta[rows] for curve in labels.curves], axis=1)
        slope = np.stack([curve.gradient[rows] @ signal for curve in labels.curves], axis=1)
        proven = np.stack([curve.converged[rows] for curve in labels.curves], axis=1)
        edm = np.stack([curve.edm[rows] for curve in labels.curves], axis=1)
        order = np.argsort(np.concatenate([self.mu, mu]), kind="stable")
        return Nodes(
            np.concatenate([self.mu, mu])[order],
            np.concatenate([self.value, value])[order],
            np.concatenate([self.slope, slope])[order],
            np.concatenate([self.proven, proven & np.isfinite(value) & np.isfinite(slope)])[order],
            np.concatenate([self.edm, edm])[order],
        )

    def filled(self) -> tuple[Floats, Floats]:
        """Value and slope, (K, C), what is not proven being interpolated between proven neighbours."""
        value, slope = self.value.copy(), self.slope.copy()
        for column in np.flatnonzero(~self.proven.all(axis=0)):
            good = self.proven[:, column]
            mu, last = self.mu[~good], int(np.flatnonzero(good)[-1])
            ahead = np.maximum(mu - self.mu[last], 0.0)
            inside = np.minimum(mu, self.mu[last])
            # behind the last proven label the curve goes on straight
            value[~good, column] = value[last, column] + ahead * slope[last, column]
            slope[~good, column] = slope[last, column]
            if last:
                between = CubicHermiteSpline(self.mu[good], value[good, column], slope[good, column])
                value[~good, column] = between(inside) + ahead * slope[last, column]
                slope[~good, column] = between(inside, 1)
        return value, slope

    def distance(self, mu: float, columns: Sequence[int], *, proven: bool) -> float:
        """How far the nearest label is that is proven, or not, on all (any) of these columns."""
        good = self.proven[:, list(columns)].all(axis=1)
        return float(np.min(np.abs(self.mu[good == proven] - mu), initial=np.inf))

    def around(self, mu: float, columns: Sequence[int]) -> tuple[float, float]:
        """The nearest labels below and above that are proven on these columns; infinity for none."""
        known = self.mu[self.proven[:, list(columns)].all(axis=1)]
        at = int(np.searchsorted(known, mu))
        return float(known[max(at - 1, 0)]), float(known[at]) if at < len(known) else np.inf

    def at(self, mu: float) -> int | None:
        """The label at exactly this strength."""
        found = np.flatnonzero(self.mu == mu)
        return int(found[0]) if found.size else None


def columns_of(teacher: Teacher) -> Mapping[str, int]:
    """Column of every curve among those that are labelled; an alias has that of its owner."""
    owners = [curve.name for curve in teacher.curves if not curve.alias_of]
    return {curve.name: owners.index(curve.alias_of or curve.name) for curve in teacher.curves}


def origin(teacher: Teacher, signal: Floats) -> Nodes:
    """What is known before the teacher is asked: nothing happens at mu = 0, and how it starts."""
    slope = np.array([[curve.slope @ signal for curve in teacher.curves if not curve.alias_of]])
    nothing = np.zeros_like(slope)
    return Nodes(np.zeros(1), nothing, slope, np.ones_like(slope, dtype=np.bool_), nothing)


def rays_through(columns: Mapping[str, int], nodes: Sequence[Nodes], scale: Floats) -> Rays:
    """Rays whose splines take value and slope of every label; where nothing was asked they stay flat.

    Args:
        columns: of the curves.
        nodes: of each signal.
        scale: (n,) a strength at which each signal is excluded about for certain.
    """
    flat = np.array([len(item.mu) < 2 for item in nodes], dtype=np.bool_)
    t: list[Floats] = []
    values: list[Floats] = []
    slopes: list[Floats] = []
    for item, unit, nothing in zip(nodes, scale, flat, strict=True):
        value, slope = item.filled()
        t.append(np.array([0.0, 1.0]) if nothing else item.mu / unit)
        values.append(np.zeros((2, value.shape[1])) if nothing else value)
        slopes.append(np.zeros((2, value.shape[1])) if nothing else slope * unit)
    return Rays(
        columns=columns,
        mu_low=np.where(flat, -np.inf, 0.0),
        mu_edge=np.where(flat, np.inf, [item.mu[-1] for item in nodes]),
        scale=scale,
        splines=stack_splines(t, values, ~flat, slopes),
        spline_error=np.zeros(len(nodes)),
        findings=(),
    )
