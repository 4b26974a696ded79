"""Where to sample a ray: nodes denser near zero, halved where a spline through them misses the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

__all__ = ["SampledRay", "sample_rays"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Limits of 95 % CL sit where Delta NLL is a few units; on a ray that ends at Delta NLL = 20 or far beyond
# that is the lower part, so nodes are quadratically denser towards zero.
_START = np.linspace(0.0, 1.0, 33) ** 2
_START_NEGATIVE = np.linspace(0.0, 1.0, 13)[1:] ** 2
# Differences of Delta NLL that are left alone: the graph's own noise in float32, 0.0001 % of CLs in float64.
_TOLERANCE = 1e-6
_TOLERANCE_FLOAT32 = 5e-5
_ROUNDS = 8


@dataclass(frozen=True)
class SampledRay:
    """Nodes of one ray in t, shape (K,), values there, shape (K, C), and the error seen between nodes."""

    nodes: Array
    values: Array
    error: float


@dataclass
class _Ray:
    """A ray while it is being refined: what is a node, and what was evaluated between nodes as a check."""

    nodes: Array
    values: Array
    probes: Array
    checks: Array = field(default_factory=lambda: np.empty(0))
    check_values: Array = field(default_factory=lambda: np.empty((0, 0)))

    def misses(self) -> Array:
        """|spline - graph| / max(1, |graph|) at the checks, the worst curve of each."""
        spline = CubicSpline(self.nodes, self.values)(self.checks)
        return np.max(np.abs(spline - self.check_values) / np.maximum(1.0, np.abs(self.check_values)), axis=1)

    def take(self, values: Array) -> None:
        """File the graph's values at the probes among the checks."""
        self.check_values = np.concatenate([self.check_values.reshape(-1, values.shape[1]), values])
        self.checks = np.concatenate([self.checks, self.probes])
        self.probes = np.empty(0)

    def halve(self, bad: NDArray[np.bool_]) -> None:
        """Make nodes of the bad checks, and probes of the middles of the new intervals."""
        new = self.checks[bad]
        nodes = np.concatenate([self.nodes, new])
        order = np.argsort(nodes)
        self.values = np.concatenate([self.values, self.check_values[bad]])[order]
        self.nodes = nodes[order]
        self.checks, self.check_values = self.checks[~bad], self.check_values[~bad]
        at = np.searchsorted(self.nodes, new)
        middles = [(self.nodes[at] + self.nodes[at - 1]) / 2, (self.nodes[at] + self.nodes[at + 1]) / 2]
        self.probes = np.setdiff1d(np.concatenate(middles), self.checks)


def sample_rays(
    graph: Callable[[Index, Array], Array], t_low: Array, *, rough: bool = False
) -> Sequence[SampledRay]:
    """Samples of each ray over [t_low, 1], all rays in the same few calls.

    Args:
        graph: values, shape (M, C), of rays `row` at `t`, both of shape (M,).
        t_low: where each ray begins, <= 0.
        rough: whether the graph computes in float32.

    Returns:
        One sample a ray. Its error is NaN where the graph gave NaN or infinity.
    """
    pending = [_begin(float(low)) for low in t_low]
    _ask(graph, pending, range(len(pending)), nodes=True)
    tolerance = _TOLERANCE_FLOAT32 if rough else _TOLERANCE
    active = [row for row, ray in enumerate(pending) if _finite(ray)]
    errors = np.full(len(pending), np.nan)
    for turn in range(_ROUNDS):
        failing: list[int] = []
        for row in active:
            misses = pending[row].misses()
            errors[row] = misses.max()
            if errors[row] > tolerance and turn < _ROUNDS - 1:
                pending[row].halve(misses > tolerance)
                failing.append(row)
        if not failing:
            break
        _ask(graph, pending, failing)
        active = [row for row in failing if _finite(pending[row])]
        errors[failing] = np.nan
    return [
        SampledRay(ray.nodes, ray.values, float(error)) for ray, error in zip(pending, errors, strict=True)
    ]


def _begin(t_low: float) -> _Ray:
    nodes = np.concatenate([t_low * _START_NEGATIVE[::-1], _START]) if t_low < 0.0 else _START
    return _Ray(nodes, np.empty(0), (nodes[1:] + nodes[:-1]) / 2)


def _ask(
    graph: Callable[[Index, Array], Array], pending: list[_Ray], rows: Sequence[int], *, nodes: bool = False
) -> None:
    """One call of the graph for the probes (and the nodes) of all given rays."""
    if not rows:
        return
    wanted = [
        np.concatenate([pending[row].nodes, pending[row].probes]) if nodes else pending[row].probes
        for row in rows
    ]
    sizes = [len(item) for item in wanted]
    values = graph(np.repeat(np.asarray(rows, dtype=np.intp), sizes), np.concatenate(wanted))
    for row, block in zip(rows, np.split(values, np.cumsum(sizes)[:-1]), strict=True):
        count = len(pending[row].nodes) if nodes else 0
        if nodes:
            pending[row].values = block[:count]
        pending[row].take(block[count:])


def _finite(ray: _Ray) -> bool:
    return bool(np.all(np.isfinite(ray.values)) and np.all(np.isfinite(ray.check_values)))
