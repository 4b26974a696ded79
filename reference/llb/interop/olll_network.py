"""The network in an OLLL file: checked as a stranger's graph, and made one that a bundle may have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from google.protobuf.message import DecodeError
from onnx import GraphProto, ModelProto, TensorProto, ValueInfoProto, helper

from llb.interop.graph_builder import IR_VERSION
from llb.interop.olll_metadata import CURVES
from llb.interop.portable import REWRITTEN, portable
from llb.runtime import audit_graph
from llb_schema import Finding, FindingError, finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_FILE_BYTES", "MAX_REWRITTEN", "Network", "load_model", "read_file", "read_network"]

MAX_FILE_BYTES = 256 * 2**20
"""As of a bundle's graph (SECURITY-3)."""

MAX_REWRITTEN = 200
"""Each becomes up to fifty nodes of the 20,000 that a graph may have; published networks have six."""

_WIDTH = 2 * len(CURVES)
_TYPES: dict[int, np.dtype[np.floating]] = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.DOUBLE: np.dtype(np.float64),
}


@dataclass(frozen=True)
class Network:
    """A network that takes transformed total yields and gives four transformed values and their sigmas.

    Attributes:
        original: the graph as it was published.
        graph: the same function in operators that bundles have.
        opset: of ai.onnx, for both.
        input, output: names of its tensors.
        width: number of inputs.
        dtype: element type of the input.
        result: element type of the output.
    """

    original: GraphProto
    graph: GraphProto
    opset: int
    input: str
    output: str
    width: int
    dtype: np.dtype[np.floating]
    result: np.dtype[np.floating]

    def run(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """The published graph itself for rows (n, width): (n, 8), as float64.

        Only to be called for graphs whose rebuilt form has passed the audit.

        Raises:
            FindingError: `LLB-G012`, `LLB-G015`, onnxruntime does not load or run it.
        """
        # It takes longer to load than a file to read.
        import onnxruntime

        opsets = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(self.original, opset_imports=opsets, ir_version=IR_VERSION)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        code = "LLB-G012"
        try:
            session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            code = "LLB-G015"
            (found,) = session.run([self.output], {self.input: np.ascontiguousarray(rows, self.dtype)})
        # Its exceptions are native classes without a common base.
        except Exception as error:
            message = f"onnxruntime and the published network: {str(error).splitlines()[0][:200]}"
            raise FindingError(finding(code, message, pointer="the published network")) from error
        return np.asarray(found, np.float64).reshape(len(rows), -1)


def read_file(path: Path) -> bytes:
    """The bytes of a file that a user names.

    Raises:
        FindingError: `LLB-X003`, it cannot be read; `LLB-G008`, it is larger than any graph may be.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise FindingError(finding("LLB-X003", f"cannot read {path}: {reason}", pointer=str(path))) from error
    if len(data) > MAX_FILE_BYTES:
        expected = f"at most {MAX_FILE_BYTES} bytes"
        raise FindingError(finding("LLB-G008", pointer=str(path), expected=expected))
    return data


def load_model(data: bytes, source: str) -> ModelProto:
    """The ONNX model in a file; nothing of it has run, and no path in it was followed.

    Raises:
        FindingError: `LLB-G...`, all findings of the audit but those that rebuilding cures.
    """
    faults = [item for item in audit_graph(data, source=source) if not _cured(item)]
    if faults:
        raise FindingError(faults)
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise FindingError(finding("LLB-G001", pointer=source)) from error
    return model


def _cured(item: Finding) -> bool:
    """Whether it is about operators that are rewritten, or about the IR version, which is set anew."""
    return (item.code == "LLB-G003" and item.actual in REWRITTEN) or item.code == "LLB-G013"


def read_network(model: ModelProto, source: str) -> Network:
    """The network of a model that `load_model` has read.

    Raises:
        FindingError: `LLB-F009`, it has not the inputs and outputs of an OLLL v0.1 network; `LLB-G008`, it
            has too many operators that have to be rewritten.
    """
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [item for item in graph.input if item.name not in constants]
    outputs = list(graph.output)
    faults = [
        *_tensor_faults("input", inputs, None, source),
        *_tensor_faults("output", outputs, _WIDTH, source),
    ]
    rewritten = sum(node.op_type in REWRITTEN for node in graph.node)
    if rewritten > MAX_REWRITTEN:
        expected = f"at most {MAX_REWRITTEN} operators that have to be rewritten"
        faults.append(finding("LLB-G008", pointer=source, expected=expected, actual=rewritten))
    if faults:
        raise FindingError(faults)
    dtype = _TYPES[inputs[0].type.tensor_type.elem_type]
    return Network(
        original=graph,
        graph=portable(graph, dtype),
        opset=next(item.version for item in model.opset_import if item.domain in {"", "ai.onnx"}),
        input=inputs[0].name,
        output=outputs[0].name,
        width=inputs[0].type.tensor_type.shape.dim[1].dim_value,
        dtype=dtype,
        result=_TYPES[outputs[0].type.tensor_type.elem_type],
    )


def _tensor_faults(what: str, tensors: list[ValueInfoProto], width: int | None, source: str) -> list[Finding]:
    columns = "batch x inputs" if width is None else f"batch x {width}"
    expected = f"one {what} of {columns} numbers"
    if len(tensors) != 1:
        names = ", ".join(item.name[:40] for item in tensors[:8])
        actual = f"{len(tensors)}: {names}"
        return [finding("LLB-F009", pointer=source, expected=expected, actual=actual)]
    tensor = tensors[0].type.tensor_type
    sizes = [item.dim_value if item.HasField("dim_value") else 0 for item in tensor.shape.dim]
    fits = len(sizes) == 2 and (sizes[1] > 0 if width is None else sizes[1] == width)
    if fits and tensor.elem_type in _TYPES:
        return []
    shown = " x ".join(str(size or "?") for size in sizes) or "no shape"
    actual = f"{shown} of ONNX type {tensor.elem_type}"
    return [finding("LLB-F009", pointer=source, expected=expected, actual=actual)]
