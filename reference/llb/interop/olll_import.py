"""An OLLL v0.1 file as a bundle: read, rebuilt as one graph, and checked against what was published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llb.bundle import BundleFile, check_target, dump_numbers, write_bundle
from llb.interop.olll_choices import ImportChoices, OffsetRule, offsets
from llb.interop.olll_graph import CURVE_ORDER, imported_graph
from llb.interop.olll_manifest import GRAPH, HELDOUT, RECORD, VECTORS, graph_spec, manifest_of
from llb.interop.olll_network import read_file
from llb.interop.olll_reading import Understood, gravest_first, understand
from llb.interop.olll_truth import truth_of
from llb.interop.olll_vectors import check_numbers, vectors_of
from llb.interop.teacher_facts import TeacherFacts
from llb.runtime import GraphSession, open_session
from llb_schema import Finding, FindingError, finding, has_errors

__all__ = ["CLOSURE_LIMIT", "CLOSURE_WARNING", "ImportReport", "import_olll"]

CLOSURE_WARNING = 0.008
"""NLL units: 1 % on CLs at the limit, where d ln CLs / d Delta NLL is about -1.2."""

CLOSURE_LIMIT = 0.08
"""NLL units: 10 % on CLs, where level 5 begins to report benchmarks (CLAIM-3). A network that is this wrong
where its answer is known has no claim to be better where it is not; more often, the offset is not that of the
training."""


@dataclass(frozen=True)
class ImportReport:
    """What came of an import.

    Attributes:
        path: the bundle.
        closure: what the network said of no signal, by curve, in NLL units, before it was subtracted.
        deviation: largest difference of Delta NLL between the bundle's graph and the published network with
            the transforms in NumPy, on the test vectors, divided by 1 + |Delta NLL|.
        findings: warnings.
    """

    path: Path
    closure: Mapping[str, float]
    deviation: float
    findings: tuple[Finding, ...]


def import_olll(
    source: Path,
    out: Path,
    *,
    facts: TeacherFacts | None = None,
    choices: ImportChoices | None = None,
    heldout: Path | None = None,
    overwrite: bool = False,
) -> ImportReport:
    """Writes the bundle of an OLLL v0.1 file.

    Args:
        source: the ONNX file.
        out: path of the bundle; its folder has to exist.
        facts: its teacher; None takes what the file says under `llb.interop.own_record.OWN_KEY`, which
            no other program writes.
        choices: what the file leaves open.
        heldout: table of the teacher's Delta NLL on points that training never saw, see
            `llb.interop.olll_truth.truth_of`; None leaves the bundle without claims of accuracy.
        overwrite: whether a bundle at `out` may be replaced.

    Raises:
        FindingError: `LLB-F...`, all that is ambiguous, missing or contradictory in the file; `LLB-P...`, a
            value is no strict JSON; `LLB-G...`, the network is none that a bundle may have; `LLB-N...`, its
            numbers are not; and as `llb.bundle.write_bundle`.
    """
    check_target(out, overwrite=overwrite)
    data = read_file(source)
    read = understand(data, source.name, facts, choices or ImportChoices())
    item, model = read.item, read.model
    found = [*read.warnings, *_closure(read)]
    if has_errors(found):
        raise FindingError(gravest_first(found))
    check_numbers(item, model)
    graph = imported_graph(
        model.network,
        model.transforms,
        item.offset,
        item.closure,
        floor_asimov=item.choices.floor_asimov,
    )
    spec = graph_spec(len(item.bin_ids), item.opset)
    session = GraphSession(spec, open_session(graph, spec))
    vectors, deviation = vectors_of(item, model, session)
    truth = truth_of(item, session, heldout)
    files = {
        GRAPH: BundleFile(graph, "graph", "application/octet-stream"),
        VECTORS: BundleFile(dump_numbers(vectors), "vectors", "application/json"),
        HELDOUT: BundleFile(truth.table, "heldout", "text/csv"),
        RECORD: BundleFile(dump_numbers(_record(read, data)), "provenance", "application/json"),
    }
    write_bundle(out, manifest_of(item, truth.method, truth.metrics), files, overwrite=overwrite)
    closure: dict[str, float] = dict(zip(CURVE_ORDER, item.closure.tolist(), strict=True))
    return ImportReport(out, closure, deviation, tuple(gravest_first(found)))


def _closure(read: Understood) -> list[Finding]:
    """What is to be said of the network's answer for no signal."""
    item = read.item
    largest = float(np.abs(item.closure).max())
    # Written so that NaN is caught.
    if largest <= CLOSURE_WARNING:
        return []
    curve = CURVE_ORDER[int(np.argmax(np.abs(item.closure)))]
    said = f"Delta NLL of no signal is {largest:.3g} on {curve}"
    accepted = largest <= CLOSURE_LIMIT or (item.choices.accept_closure and np.isfinite(largest))
    if accepted:
        expected = f"at most {CLOSURE_WARNING:g}"
        message = f"{said}; it was subtracted"
        return [finding("LLB-F018", message, expected=expected, actual=f"{largest:.6g}")]
    other: OffsetRule = "bkg" if item.offset_rule != "bkg" else "obs-in-control-regions"
    counted = offsets(item.metadata.bins, other)
    hint = "--accept-closure subtracts it all the same."
    if counted != item.offset:
        alternative = float(np.abs(read.model.with_offset(counted).closure()).max())
        hint = f"With --offset {other} it is {alternative:.3g}. {hint}"
    expected = f"at most {CLOSURE_LIMIT:g}"
    return [finding("LLB-F019", said, expected=expected, actual=f"{largest:.6g}", hint=hint)]


def _record(read: Understood, data: bytes) -> dict[str, Any]:
    """The file's metadata as they were, for whoever wants more of them than a bundle has keys for."""
    return {
        "format": "OLLL",
        "file": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "metadata": dict(read.texts),
        "offset_rule": read.item.offset_rule,
        "transforms_decided": read.item.choices.transforms,
        "closure": dict(zip(CURVE_ORDER, read.item.closure.tolist(), strict=True)),
    }
