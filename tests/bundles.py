"""A small good bundle, with an exact likelihood in place of a learned one.

Every curve is a product of Poisson terms without nuisances, Delta NLL = sum(s - n * ln(1 + s/b)), written
in ONNX operators; so every number in the bundle can be computed by hand.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from llb.bundle import BundleFile, write_bundle

BIN_IDS = ("SR[0]", "SR[1]", "CR[0]")
OBSERVED = (5.0, 3.0, 40.0)
BACKGROUND = (4.0, 2.5, 42.0)
FITTED = (4.4, 2.7, 41.0)
LOWER = (-1.0, -0.5, -5.0)
UPPER = (20.0, 15.0, 60.0)
# (data, expectation) of the three curves with a column of their own.
CURVES = {
    "observed": (OBSERVED, FITTED),
    "observed_asimov": (FITTED, FITTED),
    "apriori": (BACKGROUND, BACKGROUND),
}
INPUT, OUTPUT, SIGMA, GRAPH = "signal", "delta_nll", "sigma", "graphs/delta_nll.onnx"
UNCERTAINTY: dict[str, Any] = {
    "kind": "ensemble_spread",
    "output": SIGMA,
    "method": "A thousandth of every event of signal.",
    "coverage": [
        {"curve": name, "points": points, "within_68": 1.0, "within_95": 1.0}
        for name, points in (("observed", 11), ("observed_asimov", 11), ("apriori", 10))
    ],
}
SPREAD = 1e-3
VECTORS, HELDOUT, BENCHMARKS = (
    "validation/vectors.json",
    "validation/heldout.csv",
    "validation/benchmarks.csv",
)

QUANTILES = ("median", "p95", "p99", "max")

Array = NDArray[np.float64]


def truth(signals: Array) -> Array:
    """Delta NLL of signals of shape (N, 3), shape (N, 3 curves)."""
    data, rate = (np.array([curve[part] for curve in CURVES.values()]) for part in (0, 1))
    rows = signals[:, np.newaxis, :]
    return (rows - data * np.log(1.0 + rows / rate)).sum(axis=-1)


def graph_model(*, sigma: bool = False) -> onnx.ModelProto:
    """The likelihood as an ONNX model; with `sigma` its second output is `SPREAD` * |s| in every curve."""
    data, rate = (np.array([curve[part] for curve in CURVES.values()]) for part in (0, 1))
    constants = {
        "data": data,
        "inverse_rate": 1.0 / rate,
        "one": np.array(1.0),
        "middle": np.array([1], np.int64),
        "last": np.array([-1], np.int64),
    }
    nodes = [
        helper.make_node("Unsqueeze", [INPUT, "middle"], ["rows"]),
        helper.make_node("Mul", ["rows", "inverse_rate"], ["ratio"]),
        helper.make_node("Add", ["ratio", "one"], ["total"]),
        helper.make_node("Log", ["total"], ["log"]),
        helper.make_node("Mul", ["log", "data"], ["weighted"]),
        helper.make_node("Sub", ["rows", "weighted"], ["terms"]),
        helper.make_node("ReduceSum", ["terms", "last"], [OUTPUT], keepdims=0),
    ]
    if sigma:
        constants["spread"] = np.full((3, 3), SPREAD)
        nodes += [
            helper.make_node("Abs", [INPUT], ["size"]),
            helper.make_node("MatMul", ["size", "spread"], [SIGMA]),
        ]
    kind = onnx.TensorProto.DOUBLE
    graph = helper.make_graph(
        nodes,
        "delta_nll",
        [helper.make_tensor_value_info(INPUT, kind, ["batch", 3])],
        [
            helper.make_tensor_value_info(name, kind, ["batch", 3])
            for name in ((OUTPUT, SIGMA) if sigma else (OUTPUT,))
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def signals(count: int, seed: int = 0) -> Array:
    """Random signals inside the domain, shape (count, 3)."""
    return np.random.default_rng(seed).uniform(LOWER, UPPER, size=(count, 3))


def vectors() -> dict[str, Any]:
    """The test vectors: zero and five random signals."""
    points = np.vstack([np.zeros(3), signals(5, seed=1)])
    cases = [
        {
            "name": "zero" if number == 0 else f"random-{number}",
            "signal": dict(zip(BIN_IDS, map(float, point), strict=True)),
            "delta_nll": dict(zip(CURVES, map(float, values), strict=True)),
        }
        for number, (point, values) in enumerate(zip(points, truth(points), strict=True))
    ]
    tolerance = {
        "absolute": 1e-9,
        "relative": 1e-9,
        "derivation": "ten thousand times the rounding of one sum",
    }
    return {
        "format": "llb-vectors",
        "format_version": "1.0.0",
        "graph": "delta_nll",
        "tolerance": {"delta_nll": tolerance},
        "cases": cases,
    }


def manifest() -> dict[str, Any]:
    """The manifest without its closed list."""
    main = {**{name: data for name, (data, _) in CURVES.items()}, "apriori_asimov": BACKGROUND}
    rates = {**{name: rate for name, (_, rate) in CURVES.items()}, "apriori_asimov": BACKGROUND}

    def curve(name: str, column: int) -> dict[str, Any]:
        terms = (
            rate - n * math.log(rate) + math.lgamma(n + 1)
            for n, rate in zip(main[name], rates[name], strict=True)
        )
        data = {"main": list(main[name]), "auxiliary": [{"name": "lumi", "values": [1.0]}]}
        return {"name": name, "column": column, "baseline_nll": math.fsum(terms), "data": data}

    curves = [curve(name, column) for column, name in enumerate(CURVES)]
    curves.append({**curve("apriori_asimov", 2), "alias_of": "apriori", "alias_max_difference": 0.0})
    tensor = {"dtype": "float64", "shape": ["batch", 3]}
    return {
        "format": "llb",
        "format_version": "1.0.0",
        "id": "three-bins",
        "version": "1.0.0",
        "title": "Three Poisson bins without nuisances",
        "authors": [{"name": "The LLB developers"}],
        "license": "CC0-1.0",
        "references": [{"kind": "arxiv", "value": "1007.1727"}],
        "created": "2026-11-21T23:00:00Z",
        "analysis": {"name": "three-bins", "experiment": "none", "sqrt_s": 13.0, "luminosity": 139.0},
        "teacher": {
            "kind": "histfactory",
            "files": [{"name": "three-bins.json", "bytes": 3, "sha256": hashlib.sha256(b"{}\n").hexdigest()}],
            "pyhf_digest": hashlib.sha256(b"{}").hexdigest(),
            "measurement": "measurement",
            "poi": "mu_SIG",
            "interpolation": {"normsys": "code4", "histosys": "code4p"},
            "channels": [
                {"name": "SR", "bins": 2, "samples": ["background"]},
                {"name": "CR", "bins": 1, "samples": ["background"]},
            ],
            "software": [],
        },
        "family": "profile_likelihood",
        "inputs": [
            {
                "id": name,
                "channel": name[:2],
                "index": int(name[3]),
                "role": name[:2],
                "column": column,
                "observed": int(OBSERVED[column]),
                "background": BACKGROUND[column],
                "signal_optional": name == "CR[0]",
            }
            for column, name in enumerate(BIN_IDS)
        ],
        "mu": {"convention": "scales_signal"},
        "curves": curves,
        "signal_model": {"modifiers": [], "relative_uncertainty": 0.0},
        "domain": {"lower": list(LOWER), "upper": list(UPPER)},
        "uncertainty": {"kind": "none"},
        "graphs": [
            {
                "role": "delta_nll",
                "path": GRAPH,
                "opset": 17,
                "input": {"name": INPUT, **tensor},
                "outputs": [{"name": OUTPUT, **tensor}],
            }
        ],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            "benchmarks": BENCHMARKS,
            "method": "Uniform in the domain; the truth is analytic.",
            "metrics": metrics(heldout_points()),
        },
        "provenance": {"labels": "provenance/labels.json", "software": [{"name": "llb", "version": "0.1.0"}]},
        "required_features": [],
        "extensions": {},
    }


def heldout_points(count: int = 20) -> Array:
    """Random signals, from near zero to the edge of the domain, shape (count, 3)."""
    return signals(count, seed=2) * np.linspace(0.01, 1.0, count)[:, np.newaxis]


def metrics(points: Array) -> list[dict[str, Any]]:
    """What the graph, which is exact, may claim on held-out points."""
    return [
        {"curve": name, "region": region, "count": count, **dict.fromkeys(QUANTILES, 0.0)}
        for column, name in enumerate(CURVES)
        for region, count in regions(truth(points)[:, column]).items()
    ]


def regions(values: Array) -> dict[str, int]:
    """How many held-out points each region of the specification has, regions without any left out."""
    inside = {
        "decision": values <= 6.0,
        "tail": values > 6.0,
        "near_zero": np.abs(values) < 0.1,
        "all": np.full(values.shape, True),
    }
    return {name: int(rows.sum()) for name, rows in inside.items() if rows.any()}


def stating(document: dict[str, Any]) -> None:
    """Makes the manifest one of a graph that states its own error, `graph_model(sigma=True)`."""
    document["uncertainty"] = copy.deepcopy(UNCERTAINTY)
    (graph,) = document["graphs"]
    graph["outputs"].append({**graph["outputs"][0], "name": SIGMA})


def stating_graph() -> BundleFile:
    """The graph that states its own error, as a file of a bundle."""
    return BundleFile(graph_model(sigma=True).SerializeToString(), "graph", "application/octet-stream")


def heldout(points: Array | None = None) -> bytes:
    """The held-out table of some points, or of `heldout_points()`."""
    points = heldout_points() if points is None else points
    lines = [",".join(("name", *BIN_IDS, *CURVES))]
    for number, (point, values) in enumerate(zip(points, truth(points), strict=True)):
        lines.append(",".join((f"point-{number}", *(repr(float(value)) for value in (*point, *values)))))
    return ("\n".join(lines) + "\n").encode()


def files() -> dict[str, BundleFile]:
    """All files but the manifest, the card and the licence."""
    benchmarks = f"name,{','.join(BIN_IDS)},cls_observed,upper_limit_observed\nA,1.0,2.0,0.5,0.33,2.22\n"
    return {
        GRAPH: BundleFile(graph_model().SerializeToString(), "graph", "application/octet-stream"),
        VECTORS: json_file(vectors(), "vectors"),
        HELDOUT: BundleFile(heldout(), "heldout", "text/csv"),
        BENCHMARKS: BundleFile(benchmarks.encode(), "benchmarks", "text/csv"),
        "provenance/labels.json": json_file({"points": 20}, "provenance"),
    }


def json_file(document: Any, role: str) -> BundleFile:
    """A JSON document as a file of a bundle."""
    return BundleFile(json.dumps(document).encode(), role, "application/json")


def write(
    target: Path,
    change: Callable[[dict[str, Any]], None] | None = None,
    replace: Mapping[str, BundleFile] | None = None,
) -> Path:
    """Writes the bundle, with the manifest changed and files replaced before it is sealed."""
    document = manifest()
    if change is not None:
        change(document)
    return write_bundle(target, document, {**files(), **(replace or {})})


def reseal(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes the manifest of a bundle folder on disk, past every check of the writer."""
    path = bundle / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def replace_file(bundle: Path, name: str, data: bytes) -> None:
    """Replaces a file of a bundle folder and brings size and digest in the manifest up to date."""
    (bundle / name).write_bytes(data)

    def update(document: dict[str, Any]) -> None:
        for entry in document["files"]:
            if entry["path"] == name:
                entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())

    reseal(bundle, update)


def put(document: Any, pointer: str, value: Any) -> None:
    """Sets the value at a JSON pointer, or takes it out if it is None."""
    *parents, last = pointer.strip("/").split("/")
    for part in parents:
        document = document[int(part) if isinstance(document, list) else part]
    key = int(last) if isinstance(document, list) else last
    if value is None:
        del document[key]
    else:
        document[key] = value
