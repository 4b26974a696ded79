"""onnxruntime sessions: graphs audited first, one thread, shared by everything that has the same graph."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llb.bundle import AnyBundle, GraphSpec, TensorSpec
from llb.runtime.graph_audit import audit_graph
from llb_schema import FindingError, finding, has_errors

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["MAX_SESSIONS", "GraphSession", "graph_file", "open_graph", "open_session"]

MAX_SESSIONS = 32
"""Sessions that are kept; the one that was not used for longest goes first."""

# What passed the audit, by the digest of its bytes and the signature that they were audited against. Scans
# make a model a signal point, and consumers such as Spey keep every model alive: sessions must not live in
# models.
_Key = tuple[str, GraphSpec]
_sessions: OrderedDict[_Key, InferenceSession] = OrderedDict()
_lock = threading.Lock()
_NO_MEMORY = re.compile("bad_alloc|bad allocation|failed to allocate memory", re.IGNORECASE)


@dataclass(frozen=True)
class GraphSession:
    """A graph that can be run.

    Attributes:
        spec: signature in the manifest.
        session: the onnxruntime session; safe to use from several threads.
    """

    spec: GraphSpec
    session: InferenceSession

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Element type of the input."""
        return np.dtype(self.spec.input.dtype)

    def run(self, rows: NDArray[np.float64]) -> NDArray[np.floating]:
        """The first output for rows of shape (N, width), in one call; errors as in `run_outputs`."""
        (result,) = self.run_outputs(rows, self.spec.outputs[:1])
        return result

    def run_outputs(
        self,
        rows: NDArray[np.float64],
        outputs: Sequence[TensorSpec],
        condition: NDArray[np.float64] | None = None,
    ) -> tuple[NDArray[np.floating], ...]:
        """Several outputs for rows of shape (N, width), in one call, each as the manifest declares it.

        Args:
            rows: the input.
            outputs: which outputs.
            condition: the second input of a conditional density, shape (N, conditions).

        Raises:
            FindingError: `LLB-G015`, onnxruntime fails; `LLB-G017`, for want of memory; `LLB-N006`, an output
                has another shape than declared.
        """
        # A yield beyond float32 becomes infinite there; the graph's answer shows it, a warning here would
        # not help.
        with np.errstate(over="ignore"):
            feed = {self.spec.input.name: np.ascontiguousarray(rows, dtype=self.dtype)}
            if condition is not None and self.spec.condition is not None:
                second = self.spec.condition
                feed[second.name] = np.ascontiguousarray(condition, dtype=second.dtype)
        try:
            found = self.session.run([item.name for item in outputs], feed)
        # Its exceptions are native classes without a common base.
        except Exception as error:
            raise _failure("LLB-G015", "onnxruntime failed", error, self.spec.path) from error
        results = tuple(np.asarray(item) for item in found)
        for item, result in zip(outputs, results, strict=True):
            expected, actual = (len(rows), *item.shape[1:]), result.shape
            if actual != expected:
                raise FindingError(
                    finding("LLB-N006", pointer=self.spec.path, expected=str(expected), actual=str(actual))
                )
        return results


def graph_file(bundle: AnyBundle, role: str) -> tuple[GraphSpec, bytes]:
    """The signature and the file of the bundle's graph with that role.

    Raises:
        FindingError: `LLB-M017`, there is no such graph; `LLB-I...`, its file was changed.
    """
    spec = bundle.manifest.graph(role)
    if spec is None:
        raise FindingError(finding("LLB-M017", f"the bundle has no graph {role!r}", pointer="/graphs"))
    return spec, bundle.read(spec.path)


def open_graph(bundle: AnyBundle, role: str) -> GraphSession:
    """The bundle's graph with that role, ready to run.

    Raises:
        FindingError: see `graph_file` and `open_session`.
    """
    # Read even when there is a session: only then is the manifest's digest known to be that of the file.
    spec, data = graph_file(bundle, role)
    key = (bundle.digest(spec.path), spec)
    session = _cached(key)
    if session is None:
        session = open_session(data, spec)
        _keep(key, session)
    return GraphSession(spec, session)


def open_session(data: bytes, spec: GraphSpec) -> InferenceSession:
    """A new one-thread session for an ONNX file that passes the audit.

    Raises:
        FindingError: all findings of `audit_graph`; `LLB-G012`, onnxruntime refuses the graph; `LLB-G017`,
            for want of memory.
    """
    findings = audit_graph(data, spec, source=spec.path)
    if has_errors(findings):
        raise FindingError(findings)
    # Imported here: it takes longer than reading a bundle.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    # Its exceptions are native classes without a common base.
    except Exception as error:
        said = f"onnxruntime {onnxruntime.__version__} cannot load the graph"
        raise _failure("LLB-G012", said, error, spec.path) from error


def _cached(key: _Key) -> InferenceSession | None:
    with _lock:
        if key in _sessions:
            _sessions.move_to_end(key)
        return _sessions.get(key)


def _keep(key: _Key, session: InferenceSession) -> None:
    with _lock:
        _sessions[key] = session
        while len(_sessions) > MAX_SESSIONS:
            _sessions.popitem(last=False)


def _failure(code: str, said: str, error: Exception, path: str) -> FindingError:
    """The finding in which an exception of onnxruntime ends; it tells a want of memory by words only."""
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return FindingError(finding("LLB-G017", pointer=path))
    return FindingError(finding(code, f"{said}: {_first_line(error)}", pointer=path))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
