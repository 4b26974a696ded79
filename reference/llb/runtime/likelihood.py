"""A bundle that can be evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb.bundle import Bundle, TensorSpec, read_bundle
from llb.runtime.domain import in_box
from llb.runtime.graph_cost import BLOCK_ROWS
from llb.runtime.session import GraphSession, open_graph
from llb.runtime.signal import signal_vector
from llb_schema import FindingError, finding

__all__ = ["ProfileLikelihood", "load"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileLikelihood:
    """A profile likelihood: signal yields in, Delta NLL per curve out.

    Attributes:
        bundle: the bundle that it comes from.
        graph: its `delta_nll` graph, ready to run.
    """

    bundle: Bundle
    graph: GraphSession

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Ids of the input bins, in the order of the graph's columns."""
        return self.bundle.manifest.bin_ids

    @property
    def curve_names(self) -> tuple[str, ...]:
        """Names of all curves, aliases included, in the manifest's order."""
        return tuple(item.name for item in self.bundle.manifest.curves)

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Element type of the graph's input, float32 or float64."""
        return self.graph.dtype

    @property
    def has_uncertainty(self) -> bool:
        """Whether the graph states its own error, so that `sigma` gives numbers."""
        return self.bundle.manifest.uncertainty.output is not None

    def signal(self, signal: Mapping[str, float] | Sequence[float] | Array) -> Array:
        """The yields of one signal, shape (n_bins,), from a mapping by bin id or an array of that length.

        Raises:
            FindingError: `LLB-Y...`, see `llb.runtime.signal.signal_vector`.
        """
        return signal_vector(signal, self.bundle.manifest)

    def check_shape(self, signals: ArrayLike) -> Array:
        """The signals as float64 of shape (N, n_bins).

        Raises:
            FindingError: `LLB-Y005`, another shape.
        """
        array = np.asarray(signals, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != len(self.bin_ids):
            raise FindingError(
                finding("LLB-Y005", expected=f"(N, {len(self.bin_ids)})", actual=str(array.shape))
            )
        return array

    def columns(self, signals: ArrayLike) -> Array:
        """The graph's own output: Delta NLL, float64, of shape (N, number of output columns)."""
        (delta,) = self._run(signals, self.graph.spec.outputs[:1])
        return delta

    def columns_with_sigma(self, signals: ArrayLike) -> tuple[Array, Array]:
        """Delta NLL and its stated error in one call of the graph, each (N, number of output columns).

        The error is one standard deviation in NLL units (UNCERTAINTY-1); NaN where the bundle states none.
        """
        first, name = self.graph.spec.outputs[0], self.bundle.manifest.uncertainty.output
        stated = [item for item in self.graph.spec.outputs if item.name == name]
        delta, *sigma = self._run(signals, [first, *stated])
        return delta, sigma[0] if sigma else np.full_like(delta, np.nan)

    def _run(self, signals: ArrayLike, outputs: Sequence[TensorSpec]) -> tuple[Array, ...]:
        """These outputs as float64, in blocks of rows."""
        array = self.check_shape(signals)
        if not len(array):
            return (np.empty((0, len(self.bundle.manifest.own_curves))),) * len(outputs)
        starts = range(0, len(array), BLOCK_ROWS)
        blocks = [self.graph.run_outputs(array[start : start + BLOCK_ROWS], outputs) for start in starts]
        return tuple(
            np.concatenate(parts).astype(np.float64, copy=False) for parts in zip(*blocks, strict=True)
        )

    def delta_nll(self, signals: ArrayLike) -> dict[str, Array]:
        """Delta NLL of signals of shape (N, n_bins) by curve, each of shape (N,); aliases are resolved."""
        columns = self.columns(signals)
        return {item.name: columns[:, item.column] for item in self.bundle.manifest.curves}

    def sigma(self, signals: ArrayLike) -> dict[str, Array]:
        """One standard deviation of the error of `delta_nll`, by curve, each of shape (N,), in NLL units.

        NaN where the bundle states no uncertainty (`has_uncertainty`). Outside of the domain it says nothing.
        """
        _, columns = self.columns_with_sigma(signals)
        return {item.name: columns[:, item.column] for item in self.bundle.manifest.curves}

    def nll(self, signals: ArrayLike) -> dict[str, Array]:
        """-ln L with all constants: `delta_nll` plus the baseline of each curve."""
        delta = self.delta_nll(signals)
        return {item.name: item.baseline_nll + delta[item.name] for item in self.bundle.manifest.curves}

    def log_likelihood_ratio(self, signal: Mapping[str, float], *, curve: str = "observed") -> float:
        """ln L(s + b) - ln L(b) of one signal by bin id, nuisances profiled: what global fits add up.

        Beyond the domain it is the graph's own number; `in_domain` tells.

        Raises:
            FindingError: `LLB-Y...`, see `signal`.
            KeyError: the bundle has no such curve.
        """
        return 0.0 - float(self.delta_nll(self.signal(signal)[np.newaxis])[curve][0])

    def in_domain(self, signals: ArrayLike) -> NDArray[np.bool_]:
        """Whether each signal is in the box and, where the bundle truncates, below its largest Delta NLL."""
        array = self.check_shape(signals)
        domain = self.bundle.manifest.domain
        inside = in_box(domain, array)
        if domain.delta_nll_max is not None:
            inside[inside] = self.columns(array[inside]).max(axis=1) <= domain.delta_nll_max
        return inside


def load(source: str | Path | Bundle) -> ProfileLikelihood:
    """The profile likelihood in a bundle, given as a path or as a bundle that was read already.

    Raises:
        FindingError: the bundle cannot be read, its graph fails the audit, or onnxruntime refuses it.
    """
    bundle = source if isinstance(source, Bundle) else read_bundle(Path(source))
    return ProfileLikelihood(bundle, open_graph(bundle, "delta_nll"))
