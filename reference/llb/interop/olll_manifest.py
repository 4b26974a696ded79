"""The documents of an imported bundle: manifest, test vectors, held-out table, record of the import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain, GraphSpec, Metric, TensorSpec
from llb.interop.olll_choices import ImportChoices
from llb.interop.olll_graph import CURVE_ORDER, INPUT, OUTPUT, SIGMA
from llb.interop.olll_identity import analysis_of, authors_of, bundle_id_of, references_of
from llb.interop.olll_metadata import CURVES, OlllMetadata
from llb.interop.teacher_facts import TeacherFacts
from llb_schema import FORMAT_VERSION

__all__ = [
    "EXTENSION",
    "GRAPH",
    "HELDOUT",
    "RECORD",
    "VECTORS",
    "Imported",
    "graph_spec",
    "heldout_table",
    "manifest_of",
    "vectors_document",
]

Floats = NDArray[np.float64]

GRAPH, VECTORS, HELDOUT = "graphs/delta_nll.onnx", "validation/vectors.json", "validation/heldout.csv"
RECORD = "provenance/olll.json"
"""The metadata of the file as they were, and what was decided."""

EXTENSION = "org.llb.olll"
"""Key of `extensions` with the offset, the closure and the name of the sigma's output."""


@dataclass(frozen=True)
class Imported:
    """An import, ready to be written down.

    Attributes:
        metadata: what the file says.
        facts: what its teacher is.
        choices: what the user has decided.
        license: SPDX expression.
        signal_uncertainty: flat relative uncertainty of the signal.
        signal_modifiers: modifiers of the signal besides mu.
        offset: (n,) events that a signal is added to.
        offset_rule: where it comes from: an `OffsetRule`, or `stated`.
        closure: (4,) what the network gives at no signal, by `CURVE_ORDER`.
        domain: where the network was trained.
        opset: of the graph.
    """

    metadata: OlllMetadata
    facts: TeacherFacts
    choices: ImportChoices
    license: str
    signal_uncertainty: float
    signal_modifiers: tuple[str, ...]
    offset: tuple[float, ...]
    offset_rule: str
    closure: Floats
    domain: Domain
    opset: int

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Ids of the inputs, by column."""
        return tuple(item.id for item in self.metadata.bins)


def graph_spec(inputs: int, opset: int) -> GraphSpec:
    """The signature of an imported graph."""
    width = len(CURVE_ORDER)
    return GraphSpec(
        role="delta_nll",
        path=GRAPH,
        opset=opset,
        input=TensorSpec(INPUT, "float64", ("batch", inputs)),
        outputs=tuple(TensorSpec(name, "float64", ("batch", width)) for name in (OUTPUT, SIGMA)),
    )


def manifest_of(item: Imported, method: str, metrics: Iterable[Metric]) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        item: the import.
        method: where the held-out points come from.
        metrics: the accuracy on them.
    """
    choices, metadata = item.choices, item.metadata
    created = (choices.created or datetime.now(UTC)).astimezone(UTC)
    source = metadata.source
    title = f"Profile likelihood of {source.analysis}, imported from the OLLL model {metadata.name}"
    named = {_reference_key(entry): dict(entry) for entry in (*references_of(source), *choices.references)}
    spec = graph_spec(len(metadata.bins), item.opset).to_json()
    truncation = item.domain.delta_nll_max
    return {
        "format": "llb",
        "format_version": FORMAT_VERSION,
        "id": choices.id or bundle_id_of(metadata.name),
        "version": choices.version,
        "title": choices.title or title[:300],
        "authors": [dict(author) for author in choices.authors] or authors_of(metadata.author),
        "license": item.license,
        "references": list(named.values()),
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "analysis": analysis_of(source),
        "teacher": dict(item.facts.teacher),
        "family": "profile_likelihood",
        "inputs": [_input(item, column) for column in range(len(metadata.bins))],
        "mu": {"convention": "scales_signal"},
        "curves": [_curve(item, column) for column in range(len(CURVE_ORDER))],
        "signal_model": {
            "modifiers": list(item.signal_modifiers),
            "relative_uncertainty": item.signal_uncertainty,
        },
        "domain": {
            "lower": list(item.domain.lower),
            "upper": list(item.domain.upper),
            **({} if truncation is None else {"truncation": {"delta_nll_max": truncation}}),
        },
        # The file's sigma is of one network and not calibrated; UNCERTAINTY-2 asks for more.
        "uncertainty": {"kind": "none"},
        "graphs": [{**spec, "outputs": list(spec["outputs"])}],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            "method": method,
            "metrics": [asdict(metric) for metric in metrics],
        },
        "provenance": {
            "training": RECORD,
            "software": [
                {"name": name, "version": version(name)} for name in ("llb", "numpy", "onnx", "onnxruntime")
            ],
        },
        "required_features": [],
        "extensions": {EXTENSION: _extension(item)},
    }


def _reference_key(entry: Mapping[str, str]) -> tuple[str, str]:
    """What makes two references the same."""
    return entry["kind"], entry["value"]


def _extension(item: Imported) -> dict[str, Any]:
    """What is worth knowing of the import besides what the manifest has a key for."""
    return {
        "model_name": item.metadata.name,
        "offset_rule": item.offset_rule,
        "offset": dict(zip(item.bin_ids, item.offset, strict=True)),
        "closure": dict(zip(CURVE_ORDER, item.closure.tolist(), strict=True)),
        "sigma_output": SIGMA,
        "floor_asimov": item.choices.floor_asimov,
    }


def _input(item: Imported, column: int) -> dict[str, Any]:
    entry = item.metadata.bins[column]
    return {
        "id": entry.id,
        "channel": entry.channel,
        "index": entry.index,
        "role": entry.role,
        "column": column,
        "observed": _count(entry.observed),
        "background": item.facts.background[entry.id],
        "signal_optional": entry.role != "SR" and item.choices.optional_control_regions,
    }


def _count(value: float) -> float:
    """Whole numbers without a fraction, as people write counts."""
    return int(value) if value.is_integer() else value


def _curve(item: Imported, column: int) -> dict[str, Any]:
    name = CURVE_ORDER[column]
    data = item.facts.data[name]
    return {
        "name": name,
        "column": column,
        "baseline_nll": item.metadata.baselines[list(CURVES.values()).index(name)],
        "data": {
            "main": [_count(data.main[key]) for key in item.bin_ids],
            "auxiliary": [{"name": part.name, "values": list(part.values)} for part in data.auxiliary],
        },
    }


def vectors_document(
    bin_ids: Sequence[str],
    names: Sequence[str],
    signals: Floats,
    expected: Floats,
    tolerance: float,
    why: str,
) -> dict[str, Any]:
    """The test vectors as a JSON document.

    Args:
        bin_ids: ids of the inputs, by column.
        names, signals: the cases.
        expected: (n, 4) values of the published network, by `CURVE_ORDER`.
        tolerance: absolute and relative.
        why: its derivation.
    """
    return {
        "format": "llb-vectors",
        "format_version": FORMAT_VERSION,
        "graph": "delta_nll",
        "tolerance": {"delta_nll": {"absolute": tolerance, "relative": tolerance, "derivation": why}},
        "cases": [
            {
                "name": name,
                "signal": dict(zip(bin_ids, signal, strict=True)),
                "delta_nll": dict(zip(CURVE_ORDER, values, strict=True)),
            }
            for name, signal, values in zip(names, signals.tolist(), expected.tolist(), strict=True)
        ],
    }


def heldout_table(bin_ids: Sequence[str], names: Sequence[str], signals: Floats, truth: Floats) -> bytes:
    """The held-out table as CSV (HELDOUT-1); repr gives every digit that a double has."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *bin_ids, *CURVE_ORDER])
    for name, signal, values in zip(names, signals.tolist(), truth.tolist(), strict=True):
        table.writerow([name, *map(repr, (*signal, *values))])
    return text.getvalue().encode()
