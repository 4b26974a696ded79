"""A bundle as functions of JAX arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from llb.bundle import Bundle, Manifest, read_bundle
from llb.runtime import audit_graph, graph_file, signal_vector
from llb_jax.graph import JaxGraph, read_graph
from llb_schema import FindingError, finding, has_errors

__all__ = ["JaxLikelihood", "load"]


@dataclass(frozen=True, eq=False)
class JaxLikelihood:
    """A profile likelihood as functions that JAX can compile, differentiate and map, without onnxruntime.

    Signals are arrays of shape (n_bins,) or (N, n_bins), events by column; numbers of one signal are scalars,
    of N signals of shape (N,). All functions are pure: `jax.jit(model.delta_nll)`,
    `jax.grad(lambda s: model.delta_nll(s)["observed"])`, `jax.vmap`, `jax.hessian`.

    Attributes:
        manifest: of the bundle.
        graph: its graph as a function.
        dtype: element type of the graph, `float32` or `float64`.
    """

    manifest: Manifest
    graph: JaxGraph
    dtype: str

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Ids of the bins, in the order of the columns."""
        return self.manifest.bin_ids

    def signal(self, signal: Mapping[str, float] | Sequence[float] | NDArray[np.float64]) -> jax.Array:
        """The yields of a signal by bin id, as an array of shape (n_bins,).

        Raises:
            FindingError: `LLB-Y...`, see `llb.runtime.signal_vector`.
        """
        return jnp.asarray(signal_vector(signal, self.manifest))

    def delta_nll(self, signals: ArrayLike) -> dict[str, jax.Array]:
        """Delta NLL by curve, natural -ln L, aliases resolved."""
        (columns,) = self._columns(signals, self.graph.outputs[:1])
        return {item.name: columns[..., item.column] for item in self.manifest.curves}

    def nll(self, signals: ArrayLike) -> dict[str, jax.Array]:
        """-ln L with all constants: `delta_nll` plus the baseline of each curve."""
        delta = self.delta_nll(signals)
        return {item.name: item.baseline_nll + delta[item.name] for item in self.manifest.curves}

    def sigma(self, signals: ArrayLike) -> dict[str, jax.Array]:
        """The stated error of Delta NLL by curve, in NLL units.

        Raises:
            ValueError: the bundle states none.
        """
        name = self.manifest.uncertainty.output
        if name is None:
            raise ValueError("the bundle states no error of Delta NLL")
        (columns,) = self._columns(signals, (name,))
        return {item.name: columns[..., item.column] for item in self.manifest.curves}

    def in_domain(self, signals: ArrayLike) -> jax.Array:
        """Whether each signal is in the box and, where the bundle truncates, below its largest Delta NLL."""
        domain = self.manifest.domain
        points = jnp.asarray(signals)
        inside = jnp.all(
            (points >= jnp.asarray(domain.lower)) & (points <= jnp.asarray(domain.upper)), axis=-1
        )
        if domain.delta_nll_max is None:
            return inside
        (columns,) = self._columns(signals, self.graph.outputs[:1])
        return inside & (columns.max(axis=-1) <= domain.delta_nll_max)

    def _columns(self, signals: ArrayLike, names: Sequence[str]) -> tuple[jax.Array, ...]:
        points = jnp.asarray(signals)
        width = len(self.bin_ids)
        if points.ndim not in (1, 2) or points.shape[-1] != width:
            raise FindingError(
                finding("LLB-Y005", expected=f"({width},) or (N, {width})", actual=str(points.shape))
            )
        if self.dtype == "float64" and not jax.config.jax_enable_x64:  # pyright: ignore[reportAttributeAccessIssue]
            raise ValueError(
                "the graph is in double precision and JAX is not: jax.config.update('jax_enable_x64', True)"
            )
        found = self.graph(jnp.atleast_2d(points).astype(self.dtype))
        wide = [found[name].astype(jnp.result_type(float)) for name in names]
        return tuple(item[0] if points.ndim == 1 else item for item in wide)


def load(source: str | Path | Bundle) -> JaxLikelihood:
    """The profile likelihood in a bundle, given as a path or as a bundle that was read already.

    Raises:
        FindingError: the bundle cannot be read, or its graph fails the audit.
    """
    bundle = source if isinstance(source, Bundle) else read_bundle(Path(source))
    spec, data = graph_file(bundle, "delta_nll")
    findings = audit_graph(data, spec, source=spec.path)
    if has_errors(findings):
        raise FindingError(findings)
    return JaxLikelihood(bundle.manifest, read_graph(data), spec.input.dtype)
