"""An analytic model as a bundle directory, written from the specification with plain JSON and onnx.helper."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from llb_conformance.quadratic import QuadraticModel

__all__ = ["file_entry", "pyhf_digest", "quadratic_files", "quadratic_graph", "write_quadratic"]

Array = NDArray[np.float64]

FORMAT_VERSION = "1.0.0"
OPSET = 17
IR_VERSION = 8
_HELDOUT = 200
_GRAPH = "graphs/delta_nll.onnx"
_SIGMA = "sigma"
_TOLERANCE = {"float64": 1e-10, "float32": 2e-5}
_REGIONS = {
    "decision": lambda delta: delta <= 6.0,
    "tail": lambda delta: delta > 6.0,
    "near_zero": lambda delta: np.abs(delta) < 0.1,
    "all": lambda delta: np.full(delta.shape, True),
}


def quadratic_graph(model: QuadraticModel) -> onnx.ModelProto:
    """The graph: signal @ slopes + (signal @ roots)^2 @ (1/2 per curve), one output column per own curve.

    A model that states its error has a second output, |signal @ spreads|.
    """
    dtype = np.dtype(model.dtype)
    kind = helper.np_dtype_to_tensor_dtype(dtype)
    size, curves = len(model.bins), model.own_curves
    constants = {
        "slopes": np.stack([curve.slope for curve in curves], axis=1),
        "roots": np.concatenate([curve.root for curve in curves], axis=1),
        "halves": np.kron(np.eye(len(curves)), np.full((size, 1), 0.5)),
    }
    nodes = [
        helper.make_node("MatMul", ["signal", "slopes"], ["linear"]),
        helper.make_node("MatMul", ["signal", "roots"], ["pulls"]),
        helper.make_node("Mul", ["pulls", "pulls"], ["squares"]),
        helper.make_node("MatMul", ["squares", "halves"], ["quadratic"]),
        helper.make_node("Add", ["linear", "quadratic"], ["delta_nll"]),
    ]
    outputs = ["delta_nll"]
    if model.states_error:
        constants["spreads"] = np.array([[curve.spread for curve in curves]] * size)
        nodes.append(helper.make_node("MatMul", ["signal", "spreads"], ["signed"]))
        nodes.append(helper.make_node("Abs", ["signed"], [_SIGMA]))
        outputs.append(_SIGMA)
    graph = helper.make_graph(
        nodes,
        "quadratic",
        [helper.make_tensor_value_info("signal", kind, ["batch", size])],
        [helper.make_tensor_value_info(name, kind, ["batch", len(curves)]) for name in outputs],
        [numpy_helper.from_array(value.astype(dtype), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made, full_check=True)
    return made


def quadratic_files(model: QuadraticModel, graph: onnx.ModelProto | None = None) -> dict[str, bytes]:
    """All files of the bundle by path, its manifest included; `graph` is another one of the same numbers."""
    graph = quadratic_graph(model) if graph is None else graph
    points = _points(model)
    truth = np.stack([curve.delta(points) for curve in model.own_curves], axis=1)
    files = {
        _GRAPH: (graph.SerializeToString(deterministic=True), "graph", "application/octet-stream"),
        "validation/vectors.json": (_json(_vectors(model, points[:8])), "vectors", "application/json"),
        "validation/heldout.csv": (_heldout(model, points, truth), "heldout", "text/csv"),
        "README.md": (f"# {model.id}\n\nAn analytic bundle for tests.\n".encode(), "card", "text/markdown"),
        "LICENSE": (b"CC0-1.0\n", "license", "text/plain"),
    }
    manifest = _manifest(model, graph.opset_import[0].version) | {
        "uncertainty": _uncertainty(model, graph, points, truth),
        "validation": {
            "vectors": "validation/vectors.json",
            "heldout": "validation/heldout.csv",
            "method": "Uniform points of the domain with the exact value of the quadratic form.",
            "metrics": _metrics(model, graph, points, truth),
        },
        "provenance": {"software": []},
        "files": [
            file_entry(path, data, role, media_type)
            for path, (data, role, media_type) in sorted(files.items())
        ],
        "required_features": [],
        "extensions": {},
    }
    return {path: data for path, (data, _, _) in files.items()} | {"manifest.json": _json(manifest)}


def file_entry(path: str, data: bytes, role: str, media_type: str) -> dict[str, Any]:
    """A file as the closed list of a manifest has it."""
    return {
        "path": path,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "media_type": media_type,
        "role": role,
    }


def write_quadratic(model: QuadraticModel, target: Path) -> Path:
    """Writes the bundle directory `target`, which must not exist, and returns it."""
    files = quadratic_files(model)
    target.mkdir(parents=True)
    for path, data in files.items():
        (target / path).parent.mkdir(exist_ok=True)
        (target / path).write_bytes(data)
    return target


def _points(model: QuadraticModel) -> Array:
    """Points in the domain, the zero signal first."""
    generator = np.random.default_rng(7)
    lower, upper = np.asarray(model.lower), np.asarray(model.upper)
    points = lower + generator.random((20 * _HELDOUT, len(lower))) * (upper - lower)
    points *= generator.random((len(points), 1))
    if model.delta_nll_max is not None:
        points = points[model.largest(points) < 0.999 * model.delta_nll_max]
    return np.concatenate([np.zeros((1, len(lower))), points[: _HELDOUT - 1]])


def _vectors(model: QuadraticModel, points: Array) -> dict[str, Any]:
    tolerance = _TOLERANCE[model.dtype]
    return {
        "format": "llb-vectors",
        "format_version": FORMAT_VERSION,
        "graph": "delta_nll",
        "tolerance": {
            "delta_nll": {
                "absolute": tolerance,
                "relative": tolerance,
                "derivation": f"Exact values against a graph of five operators in {model.dtype}.",
            }
        },
        "cases": [
            {
                "name": "zero" if row == 0 else f"point-{row}",
                "signal": dict(zip(model.bin_ids, point.tolist(), strict=True)),
                "delta_nll": {curve.name: float(curve.delta(point)) for curve in model.own_curves},
            }
            for row, point in enumerate(points)
        ],
    }


def _heldout(model: QuadraticModel, points: Array, truth: Array) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *model.bin_ids, *(curve.name for curve in model.own_curves)])
    for row, (point, values) in enumerate(zip(points.tolist(), truth.tolist(), strict=True)):
        table.writerow([f"point-{row}", *(repr(value) for value in (*point, *values))])
    return text.getvalue().encode()


def _outputs(model: QuadraticModel, graph: onnx.ModelProto, points: Array) -> list[Array]:
    found: Any = ReferenceEvaluator(graph).run(None, {"signal": points.astype(model.dtype)})
    return [np.asarray(item, dtype=np.float64) for item in found]


def _uncertainty(
    model: QuadraticModel, graph: onnx.ModelProto, points: Array, truth: Array
) -> dict[str, Any]:
    if not model.states_error:
        return {"kind": "none"}
    delta, sigma = _outputs(model, graph, points)
    coverage: list[dict[str, Any]] = []
    for column, curve in enumerate(model.own_curves):
        rows = _REGIONS["decision"](truth[:, column])
        error = np.abs(delta - truth)[rows, column]
        fractions = [float(np.mean(error <= factor * sigma[rows, column])) for factor in (1.0, 1.96)]
        claim = dict(zip(("within_68", "within_95"), fractions, strict=True))
        coverage.append({"curve": curve.name, "points": len(error), **claim})
    method = "Made up: proportional to the events of the signal."
    return {"kind": "ensemble_spread", "output": _SIGMA, "method": method, "coverage": coverage}


def _metrics(
    model: QuadraticModel, graph: onnx.ModelProto, points: Array, truth: Array
) -> list[dict[str, Any]]:
    error = np.abs(_outputs(model, graph, points)[0] - truth)
    metrics: list[dict[str, Any]] = []
    for column, curve in enumerate(model.own_curves):
        for region, inside in _REGIONS.items():
            values = error[inside(truth[:, column]), column]
            if not values.size:
                continue
            quantiles = np.quantile(values, [0.5, 0.95, 0.99, 1.0]).tolist()
            claim = dict(zip(("median", "p95", "p99", "max"), quantiles, strict=True))
            metrics.append({"curve": curve.name, "region": region, "count": int(values.size), **claim})
    return metrics


def _manifest(model: QuadraticModel, opset: int) -> dict[str, Any]:
    """The manifest down to `graphs`, without the uncertainty."""
    columns = {curve.name: column for column, curve in enumerate(model.own_curves)}
    tensors = [("signal", len(model.bins)), ("delta_nll", len(columns))]
    tensors += [(_SIGMA, len(columns))] if model.states_error else []
    source, *results = (
        {"name": name, "dtype": model.dtype, "shape": ["batch", width]} for name, width in tensors
    )
    domain: dict[str, Any] = {"lower": list(model.lower), "upper": list(model.upper)}
    if model.delta_nll_max is not None:
        domain["truncation"] = {"delta_nll_max": model.delta_nll_max}
    return {
        "format": "llb",
        "format_version": FORMAT_VERSION,
        "id": model.id,
        "version": "1.0.0",
        "title": "Quadratic forms with exact limits",
        "authors": [{"name": "The LLB developers"}],
        "license": "CC0-1.0",
        "references": [{"kind": "arxiv", "value": "1007.1727"}],
        "created": "2026-01-01T00:00:00Z",
        "analysis": {"name": "TOY-QUADRATIC", "experiment": "none", "sqrt_s": 13.0, "luminosity": 139.0},
        "teacher": _teacher(model),
        "family": "profile_likelihood",
        "inputs": [
            {
                "id": item.id,
                "channel": item.channel,
                "index": item.index,
                "role": item.role,
                "column": column,
                "observed": item.observed,
                "background": item.background,
                "signal_optional": item.optional,
            }
            for column, item in enumerate(model.bins)
        ],
        "mu": {"convention": "scales_signal"},
        "curves": [_curve(model, row, columns) for row in range(len(model.curves))],
        "signal_model": {"modifiers": ["lumi"], "relative_uncertainty": 0.0},
        "domain": domain,
        "graphs": [
            {"role": "delta_nll", "path": _GRAPH, "opset": opset, "input": source, "outputs": results}
        ],
    }


def _curve(model: QuadraticModel, row: int, columns: dict[str, int]) -> dict[str, Any]:
    curve = model.curves[row]
    data = [item.observed if curve.name == "observed" else item.background for item in model.bins]
    raw: dict[str, Any] = {
        "name": curve.name,
        "column": columns[curve.alias_of or curve.name],
        "baseline_nll": curve.baseline,
        "data": {"main": data, "auxiliary": [{"name": "lumi", "values": [1.0]}]},
    }
    return raw if curve.alias_of is None else raw | {"alias_of": curve.alias_of, "alias_max_difference": 0.0}


def _teacher(model: QuadraticModel) -> dict[str, Any]:
    workspace = _json({"quadratic": model.id})
    counts = {item.channel: sum(other.channel == item.channel for other in model.bins) for item in model.bins}
    return {
        "kind": "histfactory",
        "files": [
            {"name": "none.json", "bytes": len(workspace), "sha256": hashlib.sha256(workspace).hexdigest()}
        ],
        "pyhf_digest": pyhf_digest(model),
        "measurement": "toy",
        "poi": "mu_SIG",
        "interpolation": {"normsys": "code4", "histosys": "code4p"},
        "channels": [
            {"name": name, "bins": bins, "samples": list(model.samples)} for name, bins in counts.items()
        ],
        "software": [],
    }


def pyhf_digest(model: QuadraticModel) -> str:
    """The digest that a patchset for this model has to quote (there is no real workspace behind it)."""
    return hashlib.sha256(f"workspace of {model.id}".encode()).hexdigest()


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
