"""An analytic density as a bundle directory, written from the specification with plain JSON."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from llb_conformance.gaussian import GaussianModel
from llb_conformance.gaussian_graphs import DENSITY_OPSET, gaussian_graphs
from llb_conformance.quadratic_bundle import file_entry
from llb_schema import DENSITY_VERSION

__all__ = ["gaussian_files", "write_gaussian"]

Array = NDArray[np.float64]

_HELDOUT = 2000
_VECTORS = 8
_REPETITIONS, _SEED = 20, 11
_TOLERANCE = {"float64": 1e-10, "float32": 1e-3}


def gaussian_files(
    model: GaussianModel, graphs: Mapping[str, onnx.ModelProto] | None = None, *, heldout: int = _HELDOUT
) -> dict[str, bytes]:
    """All files of the bundle by path, its manifest included.

    Args:
        model: the density.
        graphs: in the place of the model's own, by role.
        heldout: number of held-out points.
    """
    made = gaussian_graphs(model) | ({} if graphs is None else dict(graphs))
    points, conditions = _heldout_points(model, heldout)
    truth = model.log_prob(points, conditions)
    files = {f"graphs/{role}.onnx": _onnx(graph) for role, graph in made.items()} | {
        "validation/vectors.json": (_json(_vectors(model, made)), "vectors", "application/json"),
        "validation/heldout.csv": (_table(model, points, conditions, truth), "heldout", "text/csv"),
        "README.md": (f"# {model.id}\n\nAn analytic density for tests.\n".encode(), "card", "text/markdown"),
        "LICENSE": (b"CC0-1.0\n", "license", "text/plain"),
    }
    validation: dict[str, Any] = {
        "vectors": "validation/vectors.json",
        "heldout": "validation/heldout.csv",
        "method": "Independent draws of the density, with its exact logarithm.",
        "metrics": [_errors(model, made["log_prob"], points, conditions, truth)],
    }
    if "sample" in made:
        validation["sample_metrics"] = _distances(model, made["sample"], points, conditions)
    manifest = _manifest(model, list(made)) | {
        "validation": validation,
        "provenance": {"software": []},
        "files": [file_entry(path, data, role, media) for path, (data, role, media) in sorted(files.items())],
        "required_features": ["conditional_inputs"] if model.conditions else [],
        "extensions": {},
    }
    return {path: data for path, (data, _, _) in files.items()} | {"manifest.json": _json(manifest)}


def write_gaussian(model: GaussianModel, target: Path) -> Path:
    """Writes the bundle directory `target`, which must not exist, and returns it."""
    files = gaussian_files(model)
    target.mkdir(parents=True)
    for path, data in files.items():
        (target / path).parent.mkdir(exist_ok=True)
        (target / path).write_bytes(data)
    return target


def _onnx(graph: onnx.ModelProto) -> tuple[bytes, str, str]:
    return graph.SerializeToString(deterministic=True), "graph", "application/octet-stream"


def _random_conditions(model: GaussianModel, generator: np.random.Generator, count: int) -> Array | None:
    if not model.conditions:
        return None
    return generator.uniform(-1.0, 1.0, (count, len(model.conditions)))


def _heldout_points(model: GaussianModel, count: int) -> tuple[Array, Array | None]:
    """Draws of the density, and their conditions."""
    generator = np.random.default_rng(5)
    conditions = _random_conditions(model, generator, count)
    return model.sample(generator.standard_normal((count, len(model.names))), conditions), conditions


def _run(model: GaussianModel, graph: onnx.ModelProto, rows: Array, conditions: Array | None) -> Array:
    feed = {graph.graph.input[0].name: rows.astype(model.dtype)}
    if conditions is not None:
        feed["condition"] = conditions.astype(model.dtype)
    (found,) = ReferenceEvaluator(graph).run(None, feed)
    return np.asarray(found, dtype=np.float64)


def _named(names: tuple[str, ...], values: Array) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _vectors(model: GaussianModel, graphs: Mapping[str, onnx.ModelProto]) -> dict[str, Any]:
    """Vectors inside the domain, with the exact numbers of all graphs."""
    generator = np.random.default_rng(3)
    noise = np.vstack(
        [np.zeros(len(model.names)), generator.uniform(-2, 2, (_VECTORS - 1, len(model.names)))]
    )
    conditions = _random_conditions(model, generator, _VECTORS)
    if model.dtype == "float32":
        noise = noise.astype(np.float32).astype(np.float64)
    points = model.sample(noise, conditions)
    if model.dtype == "float32":
        # What a graph of single precision is asked, so that rounding the input is no error of it.
        points = points.astype(np.float32).astype(np.float64)
    values = model.log_prob(points, conditions) - model.offset
    scores = model.score(points, conditions)
    cases: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    for row, point in enumerate(points):
        given = {} if conditions is None else {"condition": _named(model.conditions, conditions[row])}
        case: dict[str, Any] = {"name": f"point-{row}", "parameters": _named(model.names, point), **given}
        case["log_prob"] = float(values[row])
        if "score" in graphs:
            case["score"] = _named(model.names, scores[row])
        cases.append(case)
        exact = model.sample(noise[row], None if conditions is None else conditions[row])
        drawn = {"name": f"noise-{row}", "z": noise[row].tolist(), **given}
        samples.append(drawn | {"parameters": _named(model.names, exact)})
    document: dict[str, Any] = {
        "format": "llb-vectors",
        "format_version": DENSITY_VERSION,
        "graph": "log_prob",
        "tolerance": {role: _tolerance(model.dtype) for role in graphs},
        "cases": cases,
    }
    return document | ({"samples": samples} if "sample" in graphs else {})


def _tolerance(dtype: str) -> dict[str, Any]:
    derivation = f"Exact values against graphs of a few operators in {dtype}."
    return {"absolute": _TOLERANCE[dtype], "relative": _TOLERANCE[dtype], "derivation": derivation}


def _table(model: GaussianModel, points: Array, conditions: Array | None, truth: Array) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *model.names, *model.conditions, "log_prob"])
    columns = [points, *([] if conditions is None else [conditions]), truth[:, np.newaxis]]
    for row, values in enumerate(np.hstack(columns).tolist()):
        table.writerow([f"draw-{row}", *map(repr, values)])
    return text.getvalue().encode()


def _errors(
    model: GaussianModel, graph: onnx.ModelProto, points: Array, conditions: Array | None, truth: Array
) -> dict[str, Any]:
    error = np.abs(_run(model, graph, points, conditions)[:, 0] + model.offset - truth)
    quantiles = np.quantile(error, [0.5, 0.95, 0.99, 1.0]).tolist()
    claim = dict(zip(("median", "p95", "p99", "max"), quantiles, strict=True))
    return {"quantity": "log_prob", "region": "all", "count": len(error), **claim}


def _distances(
    model: GaussianModel, graph: onnx.ModelProto, points: Array, conditions: Array | None
) -> list[dict[str, Any]]:
    """Two of the distances of CLAIM-4, which are the simplest to write down twice."""
    count = len(points) // 2
    centre, width = points.mean(axis=0), points.std(axis=0)
    generator = np.random.default_rng(_SEED)
    noise = generator.standard_normal((count, len(model.names)))
    drawn = (_run(model, graph, noise, None if conditions is None else conditions[:count]) - centre) / width
    truth = (points - centre) / width
    claims: list[dict[str, Any]] = []
    for quantity, distance in (("mean_wasserstein", _wasserstein), ("correlation", _correlation)):
        nulls: list[float] = []
        for _ in range(_REPETITIONS):
            order = generator.permutation(len(truth))
            nulls.append(distance(truth[order[:count]], truth[order[count : 2 * count]]))
        claims.append(
            {
                "quantity": quantity,
                "value": distance(drawn, truth[:count]),
                "null": float(np.mean(nulls)),
                "null_std": float(np.std(nulls)),
                "n": count,
                "repetitions": _REPETITIONS,
                "seed": _SEED,
            }
        )
    return claims


def _wasserstein(one: Array, two: Array) -> float:
    return float(np.mean(np.abs(np.sort(one, axis=0) - np.sort(two, axis=0))))


def _correlation(one: Array, two: Array) -> float:
    return float(np.linalg.norm(np.corrcoef(one.T) - np.corrcoef(two.T)))


def _manifest(model: GaussianModel, roles: list[str]) -> dict[str, Any]:
    """The manifest down to `graphs`."""
    lower, upper = model.domain
    likelihood = {"kind": "likelihood", "offset": model.offset}
    return {
        "format": "llb",
        "format_version": DENSITY_VERSION,
        "id": model.id,
        "version": "1.0.0",
        "title": "A Gaussian behind functions of one variable",
        "authors": [{"name": "The LLB developers"}],
        "license": "CC0-1.0",
        "references": [],
        "created": "2026-01-01T00:00:00Z",
        "analysis": {"name": "TOY-DENSITY"},
        "teacher": _teacher(model),
        "family": model.family,
        "parameters": [_parameter(model, column) for column in range(len(model.names))],
        **({"conditions": [_condition(name) for name in model.conditions]} if model.conditions else {}),
        "density": {"kind": "posterior", "prior": _prior(model)}
        if model.family == "full_likelihood"
        else likelihood,
        "domain": {"lower": lower.tolist(), "upper": upper.tolist()},
        "graphs": [_graph(model, role) for role in roles],
    }


def _teacher(model: GaussianModel) -> dict[str, Any]:
    source = _json({"gaussian": model.id})
    return {
        "kind": "other",
        "text": "A formula: the Gaussian of this bundle.",
        "files": [{"name": "none.json", "bytes": len(source), "sha256": hashlib.sha256(source).hexdigest()}],
        "software": [],
    }


def _parameter(model: GaussianModel, column: int) -> dict[str, Any]:
    item = model.parameters[column]
    return {
        "name": item.name,
        "role": item.role,
        "unit": item.unit,
        "column": column,
        "bounds": item.bounds,
        "label": item.name,
    }


def _condition(name: str) -> dict[str, Any]:
    bounds = {"lower": -1.0, "upper": 1.0}
    return {"name": name, "unit": "1", "column": int(name[1:]), "bounds": bounds, "label": name}


def _prior(model: GaussianModel) -> list[dict[str, Any]]:
    """Made up, and of every kind that has a formula."""
    kinds: dict[str, dict[str, Any]] = {
        "bounded": {"kind": "uniform"},
        "lognormal": {"kind": "lognormal", "mean": 2.0, "width": 1.5},
        "normal": {"kind": "normal", "mean": 0.0, "width": 200.0},
    }
    return [{"parameter": item.name, **kinds[item.kind]} for item in model.parameters]


def _graph(model: GaussianModel, role: str) -> dict[str, Any]:
    count = len(model.names)
    source, output, width = {
        "log_prob": ("theta", "log_prob", 1),
        "score": ("theta", "score", count),
        "sample": ("z", "theta", count),
    }[role]
    graph: dict[str, Any] = {"role": role, "path": f"graphs/{role}.onnx", "opset": DENSITY_OPSET}
    graph["input"] = _tensor(model, source, count)
    if model.conditions:
        graph["condition"] = _tensor(model, "condition", len(model.conditions))
    return graph | {"outputs": [_tensor(model, output, width)]}


def _tensor(model: GaussianModel, name: str, width: int) -> dict[str, Any]:
    return {"name": name, "dtype": model.dtype, "shape": ["batch", width]}


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
