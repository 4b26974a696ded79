"""Manifests of densities: good documents, of no bundle that could be run."""

from __future__ import annotations

from typing import Any

import bundles

from llb_schema import DENSITY_VERSION

__all__ = ["FULL", "REGRESSION", "density_manifest", "density_vectors", "good_manifest"]

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
        format_version=DENSITY_VERSION,
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
    if family == FULL:
        document["validation"]["sample_metrics"] = [
            {
                "quantity": "mean_ks",
                "value": 0.021,
                "null": 0.02,
                "null_std": 0.002,
                "n": 4,
                "repetitions": 20,
                "seed": 1,
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


def density_vectors(family: str = FULL, *, conditional: bool = False) -> dict[str, Any]:
    """Test vectors with all that those of such a manifest have; the numbers are of no graph."""
    point = {"mu": 1.0, "alpha": 0.5}
    given = {"condition": {"x": 2.0}} if conditional else {}
    tolerance = {"absolute": 1e-6, "relative": 1e-6, "derivation": "Made up."}
    document: dict[str, Any] = {
        "format": "llb-vectors",
        "format_version": DENSITY_VERSION,
        "graph": "log_prob",
        "tolerance": {"log_prob": tolerance},
        "cases": [{"name": "point", "parameters": point, **given, "log_prob": -2.5}],
    }
    if family == FULL:
        document["tolerance"] |= {"sample": tolerance, "score": tolerance}
        document["cases"][0]["score"] = {"mu": 0.1, "alpha": -0.5}
        document["samples"] = [{"name": "noise", "z": [0.0, 1.0], "parameters": point, **given}]
    return document


def good_manifest(family: str = FULL, *, conditional: bool = False) -> dict[str, Any]:
    """The same manifest with all files listed that it uses, so that its meaning is whole as well."""
    document = density_manifest(family, conditional=conditional)
    used = [(graph["path"], "graph", "application/octet-stream") for graph in document["graphs"]]
    validation, provenance = document["validation"], document["provenance"]
    used += [
        (validation["vectors"], "vectors", "application/json"),
        (validation["heldout"], "heldout", "text/csv"),
    ]
    used += [(provenance[key], "provenance", "application/json") for key in provenance.keys() - {"software"}]
    document["files"] = [
        {"path": path, "bytes": 1, "sha256": "0" * 64, "media_type": media, "role": role}
        for path, role, media in used
    ]
    return document
