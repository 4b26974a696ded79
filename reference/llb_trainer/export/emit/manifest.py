"""The manifest of an emission, section by section in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from llb.bundle import Coverage, GraphSpec, Metric, TensorSpec
from llb_schema import FORMAT_VERSION
from llb_trainer.export.emit.emission import Emission, Identity
from llb_trainer.export.emit.records import software
from llb_trainer.export.onnx import INPUT, OPSET, OUTPUT, SIGMA

__all__ = [
    "BENCHMARKS",
    "GRAPH",
    "HELDOUT",
    "LABELS",
    "TRAINING",
    "VECTORS",
    "graph_spec",
    "identity_document",
    "manifest",
]

GRAPH = "graphs/delta_nll.onnx"
VECTORS = "validation/vectors.json"
HELDOUT = "validation/heldout.csv"
BENCHMARKS = "validation/benchmarks.csv"
LABELS = "provenance/labels.json"
TRAINING = "provenance/training.json"
"""Where the files of a bundle lie."""

_MAKER_SOFTWARE = ("llb", "jax", "flax", "optax", "numpy", "onnx")


def graph_spec(emission: Emission) -> GraphSpec:
    """The signature of the graph."""
    return GraphSpec(
        role="delta_nll",
        path=GRAPH,
        opset=OPSET,
        input=TensorSpec(INPUT, "float64", ("batch", len(emission.bin_ids))),
        outputs=tuple(
            TensorSpec(name, "float64", ("batch", len(emission.curves)))
            for name in (OUTPUT, *((SIGMA,) if emission.trained.network.calibration else ()))
        ),
    )


def manifest(
    emission: Emission, method: str, metrics: Iterable[Metric], coverage: Iterable[Coverage]
) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        emission: what is written.
        method: how the held-out points were made, for people.
        metrics: the accuracy on them.
        coverage: how often the stated errors cover the true ones, on them.
    """
    columns = {name: column for column, name in enumerate(emission.curves)}
    return {
        **identity_document(emission.identity, FORMAT_VERSION),
        "teacher": _teacher(emission),
        "family": "profile_likelihood",
        "inputs": [_input(emission, column) for column in range(len(emission.bin_ids))],
        "mu": {"convention": "scales_signal"},
        "curves": [_curve(emission, row, columns) for row in range(len(emission.teacher.curves))],
        "signal_model": {
            "modifiers": list(emission.teacher.signal_modifiers),
            "relative_uncertainty": emission.teacher.signal_uncertainty,
        },
        "domain": _domain(emission),
        "uncertainty": _uncertainty(emission, coverage),
        "graphs": [graph_spec(emission).to_json()],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            **({"benchmarks": BENCHMARKS} if emission.benchmarks else {}),
            "method": method,
            "metrics": [asdict(metric) for metric in metrics],
        },
        "provenance": {"labels": LABELS, "training": TRAINING, "software": software(_MAKER_SOFTWARE)},
        "required_features": [],
        "extensions": {},
    }


def identity_document(identity: Identity, format_version: str) -> dict[str, Any]:
    """The keys of a manifest, of any family, that say what the bundle is called and who made it."""
    created = (identity.created or datetime.now(UTC)).astimezone(UTC)
    return {
        "format": "llb",
        "format_version": format_version,
        "id": identity.id,
        "version": identity.version,
        "title": identity.title,
        "authors": [_given(asdict(author)) for author in identity.authors],
        "license": identity.license,
        "references": [asdict(reference) for reference in identity.references],
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **_given({"supersedes": identity.supersedes}),
        "analysis": identity.analysis.to_json(),
    }


def _given(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is not known: the format leaves keys out and has no null."""
    return {key: value for key, value in document.items() if value is not None}


def _teacher(emission: Emission) -> dict[str, Any]:
    source = emission.teacher.source
    return {
        "kind": source.kind,
        "files": [asdict(item) for item in source.files],
        **source.details,
        "channels": [
            {"name": channel.name, "bins": channel.bins, "samples": list(channel.samples)}
            for channel in source.channels
        ],
        "software": software(source.software),
    }


def _input(emission: Emission, column: int) -> dict[str, Any]:
    item = emission.teacher.bins[column]
    return {
        "id": emission.bin_ids[column],
        "channel": item.channel,
        "index": item.index,
        "role": emission.roles.get(item.channel) or _role(item.channel),
        "column": column,
        "observed": _count(item.observed),
        "background": item.background,
        "signal_optional": item.channel in emission.optional_channels,
    }


def _role(channel: str) -> str:
    return next((role for role in ("CR", "VR") if role in channel.upper()), "SR")


def _count(value: float) -> float:
    """Whole numbers without a fraction, as people write counts."""
    return int(value) if value.is_integer() else value


def _curve(emission: Emission, row: int, columns: Mapping[str, int]) -> dict[str, Any]:
    curve = emission.teacher.curves[row]
    alias = {"alias_of": curve.alias_of, "alias_max_difference": curve.alias_max_difference}
    return {
        "name": curve.name,
        "column": columns[curve.alias_of or curve.name],
        **(alias if curve.alias_of else {}),
        "baseline_nll": curve.baseline_nll,
        "data": {
            "main": [_count(value) for value in curve.main.tolist()],
            "auxiliary": [{"name": name, "values": list(values)} for name, values in curve.auxiliary],
        },
    }


def _uncertainty(emission: Emission, coverage: Iterable[Coverage]) -> dict[str, Any]:
    network = emission.trained.network
    if network.calibration is None:
        return {"kind": "none"}
    method = (
        f"Spread of the {network.n_members} members of the ensemble and a floor, scaled curve by curve such "
        "that 68 % and 95 % of the errors in the decision region are within one and two of it, on "
        f"{len(emission.labels.calibration.signals)} labels that were neither trained on nor held out."
    )
    rows = [asdict(item) for item in coverage]
    return {"kind": "ensemble_spread", "output": SIGMA, "method": method, "coverage": rows}


def _domain(emission: Emission) -> dict[str, Any]:
    domain = emission.domain
    truncation = {} if domain.delta_nll_max is None else {"delta_nll_max": domain.delta_nll_max}
    return {
        "lower": list(domain.lower),
        "upper": list(domain.upper),
        **({"truncation": truncation} if truncation else {}),
    }
