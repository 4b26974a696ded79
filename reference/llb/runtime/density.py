"""A density that can be evaluated and sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb.bundle import DensityBundle, DensityManifest, read_density_bundle
from llb.runtime.density_input import Points, condition_rows, rows_of
from llb.runtime.domain import in_box
from llb.runtime.graph_cost import BLOCK_ROWS
from llb.runtime.session import GraphSession, open_graph
from llb_schema import FindingError, finding

__all__ = ["Density", "load_density"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """A density of parameters: points in, log density out; base noise in, samples out.

    Wherever points are taken they are an array of shape (n, parameters) in the order of `parameters`, or a
    mapping by name of numbers or arrays (n,). Conditions are taken in the same way, one row for each point or
    one for all of them. All results are float64.

    Attributes:
        bundle: the bundle that it comes from.
        graphs: its graphs by role, ready to run; `log_prob` is always there.
    """

    bundle: DensityBundle
    graphs: Mapping[str, GraphSession]

    @property
    def manifest(self) -> DensityManifest:
        """What the bundle says."""
        return self.bundle.manifest

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the columns."""
        return self.manifest.columns

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, in the order of their columns; none of most densities."""
        return self.manifest.condition_names

    @property
    def lower(self) -> Array:
        """Lower bounds by column, -infinity where they are open."""
        return np.array([item.lower for item in self.manifest.parameters])

    @property
    def upper(self) -> Array:
        """Upper bounds by column, likewise."""
        return np.array([item.upper for item in self.manifest.parameters])

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Element type of the graph `log_prob`, float32 or float64."""
        return self.graphs["log_prob"].dtype

    @property
    def can_sample(self) -> bool:
        """Whether there is a graph that makes samples."""
        return "sample" in self.graphs

    @property
    def has_score(self) -> bool:
        """Whether there is a graph of the derivatives; without, `density_score` has differences."""
        return "score" in self.graphs

    def log_prob(self, theta: Points, condition: Points | None = None) -> Array:
        """The natural logarithm of the density, shape (n,), with respect to the parameters in their units.

        It is -infinity outside of the bounds of a parameter, whatever the graph says there (DENSITY-2). Of a
        density of kind `likelihood` the offset is still to be added, see `log_density`.

        Raises:
            FindingError: `LLB-Y101` to `LLB-Y105`, see `llb.runtime.density_input`.
        """
        points = self.points(theta)
        rows = condition_rows(condition, self.conditions, len(points))
        result = np.full(len(points), -np.inf)
        inside = self.in_bounds(points)
        result[inside] = self._run("log_prob", points[inside], None if rows is None else rows[inside])[:, 0]
        return result

    def log_density(self, theta: Points, condition: Points | None = None) -> Array:
        """`log_prob` with the manifest's offset, shape (n,): ln L with every constant of a `likelihood`."""
        return self.manifest.density.offset + self.log_prob(theta, condition)

    def score(self, theta: Points, condition: Points | None = None) -> Array:
        """The derivatives of `log_prob` by the parameters, (n, parameters); NaN beyond the bounds.

        Raises:
            FindingError: `LLB-Y106`, there is no such graph; and as `log_prob`.
        """
        self._needed("score")
        points = self.points(theta)
        rows = condition_rows(condition, self.conditions, len(points))
        result = np.full(points.shape, np.nan)
        inside = self.in_bounds(points)
        result[inside] = self._run("score", points[inside], None if rows is None else rows[inside])
        return result

    def sample(self, count: int, seed: int, condition: Points | None = None) -> Array:
        """Independent draws, (count, parameters): `sample_from` standard normal noise of numpy's PCG64.

        The same seed gives the same noise on every machine.

        Raises:
            FindingError: `LLB-Y106`, there is no graph that samples; and as `condition_rows`.
        """
        noise = np.random.Generator(np.random.PCG64(seed)).standard_normal((count, len(self.parameters)))
        return self.sample_from(noise, condition)

    def sample_from(self, noise: ArrayLike, condition: Points | None = None) -> Array:
        """The parameters that belong to base noise of shape (n, parameters); same shape.

        Raises:
            FindingError: `LLB-Y106`, there is no graph that samples; `LLB-Y103`, noise that is not finite;
                `LLB-Y104`, another shape; and as `condition_rows`.
        """
        self._needed("sample")
        base = rows_of(noise, tuple(f"z{column}" for column in range(len(self.parameters))), "base noise")
        return self._run("sample", base, condition_rows(condition, self.conditions, len(base)))

    def points(self, theta: Points) -> Array:
        """Points as float64 of shape (n, parameters).

        Raises:
            FindingError: `LLB-Y101` to `LLB-Y104`.
        """
        return rows_of(theta, self.parameters)

    def in_bounds(self, theta: Points) -> NDArray[np.bool_]:
        """Whether each point is within the bounds of all parameters; outside of them the density is 0."""
        points = self.points(theta)
        return np.all((points >= self.lower) & (points <= self.upper), axis=1)

    def in_domain(self, theta: Points, condition: Points | None = None) -> NDArray[np.bool_]:
        """Whether each point is where the bundle was trained, and its conditions within their bounds."""
        points = self.points(theta)
        inside = in_box(self.manifest.domain, points)
        rows = condition_rows(condition, self.conditions, len(points))
        if rows is not None:
            lower = np.array([item.lower for item in self.manifest.conditions])
            upper = np.array([item.upper for item in self.manifest.conditions])
            inside &= np.all((rows >= lower) & (rows <= upper), axis=1)
        return inside

    def _needed(self, role: str) -> None:
        if role not in self.graphs:
            raise FindingError(finding("LLB-Y106", f"the density has no graph {role!r}", pointer="/graphs"))

    def _run(self, role: str, rows: Array, condition: Array | None) -> Array:
        """The first output of a graph as float64, in blocks of rows."""
        graph = self.graphs[role]
        outputs = graph.spec.outputs[:1]
        parts = [np.empty((0, int(outputs[0].shape[1])))]
        for start in range(0, len(rows), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            given = None if condition is None else condition[block]
            (found,) = graph.run_outputs(rows[block], outputs, given)
            parts.append(found.astype(np.float64, copy=False))
        return np.concatenate(parts)


def load_density(source: str | Path | DensityBundle) -> Density:
    """The density in a bundle, given as a path or as a bundle that was read already.

    Raises:
        FindingError: the bundle cannot be read or holds no density (`LLB-X004`), a graph fails the audit, or
            onnxruntime refuses it.
    """
    bundle = source if isinstance(source, DensityBundle) else read_density_bundle(Path(source))
    return Density(bundle, {spec.role: open_graph(bundle, spec.role) for spec in bundle.manifest.graphs})
