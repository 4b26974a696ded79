"""Manifests of the families that the format reserves: good documents, of no bundle that could be run."""

from __future__ import annotations

from typing import Any

import bundles

FULL, REGRESSION = "full_likelihood", "parameter_likelihood"


def density_manifest(family: str = FULL, *, conditional: bool = False) -> dict[str, Any]:
    """A manifest of a density of two parameters, with the graphs that its family has."""
    document = bundles.manifest()
    for key in ("inputs", "mu", "curves", "signal_model"):
        del document[key]
    prior = [
        {"parameter": "mu", "kind": "uniform"},
        {"parameter": "alpha", "kind": "normal", "mean": 0.0, "width": 1.0},
    ]
    pair = {"dtype": "float64", "shape": ["batch", 2]}
    one = {"dtype": "float64", "shape": ["batch", 1]}
    tensors = {
        "log_prob": ({"name": "theta", **pair}, {"name": "log_prob", **one}),
        "sample": ({"name": "z", **pair}, {"name": "theta", **pair}),
        "score": ({"name": "theta", **pair}, {"name": "score", **pair}),
    }
    roles = list(tensors) if family == FULL else ["log_prob"]
    document.update(
        family=family,
        parameters=[
            {
                "name": "mu",
                "role": "poi",
                "unit": "1",
                "column": 0,
                "bounds": {"lower": 0.0, "upper": 10.0},
                "label": "$\\mu$",
            },
            {
                "name": "alpha",
                "role": "nuisance",
                "unit": "1",
                "column": 1,
                "bounds": {},
                "label": "$\\alpha$",
            },
        ],
        density={"kind": "posterior", "prior": prior}
        if family == FULL
        else {"kind": "likelihood", "offset": -812.5},
        domain={"lower": [0.0, -5.0], "upper": [10.0, 5.0]},
        graphs=[
            {
                "role": role,
                "path": f"graphs/{role}.onnx",
                "opset": 17,
                "input": tensors[role][0],
                "outputs": [tensors[role][1]],
            }
            for role in roles
        ],
        files=[
            {
                "path": "graphs/log_prob.onnx",
                "bytes": 1,
                "sha256": "0" * 64,
                "media_type": "application/octet-stream",
                "role": "graph",
            }
        ],
    )
    del document["validation"]["benchmarks"]
    document["validation"]["metrics"] = [
        {
            "quantity": "log_prob",
            "region": "all",
            "count": 9,
            "median": 0.01,
            "p95": 0.1,
            "p99": 0.2,
            "max": 0.3,
        }
    ]
    if conditional:
        document["conditions"] = [
            {"name": "x", "unit": "GeV", "column": 0, "bounds": {"lower": 1.0}, "label": "$x$"}
        ]
        document["required_features"] = ["conditional_inputs"]
        for graph in document["graphs"]:
            graph["condition"] = {"name": "x", **one}
    return document
