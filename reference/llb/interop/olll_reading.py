"""Everything that an OLLL file and its user say, put together; what is wrong with it, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from llb.interop.metadata_values import MetadataValues, place
from llb.interop.olll_choices import ImportChoices, offsets
from llb.interop.olll_domain import domain_of
from llb.interop.olll_graph import CURVE_ORDER, imported_graph
from llb.interop.olll_identity import spdx_of
from llb.interop.olll_manifest import Imported, graph_spec
from llb.interop.olll_metadata import (
    CURVES,
    OlllMetadata,
    OlllSource,
    collect_texts,
    read_metadata,
    read_signal_uncertainty,
)
from llb.interop.olll_network import Network, load_model, read_network
from llb.interop.olll_pipelines import Transforms, read_pipelines, read_transforms
from llb.interop.olll_reference import OlllModel
from llb.interop.own_record import OWN_KEY, OwnRecord
from llb.interop.teacher_facts import TeacherFacts
from llb.runtime import audit_graph
from llb_schema import Finding, FindingError, Severity, finding, has_errors

__all__ = ["Understood", "gravest_first", "understand"]

_T = TypeVar("_T")

_BASELINE_TOLERANCE = 1e-3
"""NLL units; the incumbent's own tolerance where it tells normalisations apart."""

_MAX_FINDINGS = 20


@dataclass(frozen=True)
class Understood:
    """A file of which everything that an import needs is known.

    Attributes:
        item: the import.
        model: the published network with its transforms and offset.
        texts: the metadata by key.
        warnings: findings that are none of severity error.
    """

    item: Imported
    model: OlllModel
    texts: Mapping[str, str]
    warnings: tuple[Finding, ...]


def gravest_first(found: Iterable[Finding]) -> list[Finding]:
    """Errors, then the rest, each by code and place."""
    return sorted(found, key=lambda item: (item.severity != Severity.ERROR, item.code, item.pointer))


def understand(data: bytes, source: str, given: TeacherFacts | None, choices: ImportChoices) -> Understood:
    """Reads a file, and runs its network once, at no signal, when everything else is known.

    Args:
        data: the bytes of the ONNX file.
        source: its name, for the findings.
        given: its teacher; None takes what the file says under `OWN_KEY`.
        choices: what the user has decided.

    Raises:
        FindingError: `LLB-F...`, `LLB-P...`, `LLB-G...`: all that is ambiguous, missing or contradictory.
    """
    onnx_model = load_model(data, source)
    texts, twice = collect_texts((entry.key, entry.value) for entry in onnx_model.metadata_props)
    values = MetadataValues(texts)
    found = values.found
    found.extend(twice)
    metadata = read_metadata(values)
    if any(item.code == "LLB-F001" for item in found):
        # Every other key may be missing then; a list of them would hide what this is.
        raise FindingError([item for item in found if item.code == "LLB-F001"])
    network = _attempt(found, lambda: read_network(onnx_model, source))
    own = _attempt(found, lambda: _own(values))
    facts = given or (own and own.facts)
    transforms = _transforms(values, metadata, network, choices)
    if network is not None and transforms is not None:
        found.extend(_audit(network, transforms, source))
    licence = choices.license
    if licence is None:
        text = values.text("model_license")
        licence = None if text is None else _attempt(found, lambda: spdx_of(text))
    uncertainty = _signal_uncertainty(values, choices)
    rule, offset = _offset(metadata, choices, own)
    domain = domain_of(metadata, offset, found) if metadata is not None else None
    found.extend(_teacher_faults(metadata, facts))
    if (
        has_errors(found)
        or metadata is None
        or network is None
        or transforms is None
        or facts is None
        or licence is None
        or uncertainty is None
        or domain is None
    ):
        raise FindingError(gravest_first(found))
    model = OlllModel(network, transforms, offset)
    item = Imported(
        metadata=metadata,
        facts=facts,
        choices=choices,
        license=licence,
        signal_uncertainty=uncertainty,
        signal_modifiers=_modifiers(choices, own),
        offset=offset,
        offset_rule=rule,
        closure=model.closure(),
        domain=domain,
        opset=network.opset,
    )
    return Understood(item, model, texts, tuple(found))


def _attempt(found: list[Finding], read: Callable[[], _T]) -> _T | None:
    """What is read, or None and the findings that say why not."""
    try:
        return read()
    except FindingError as error:
        found.extend(error.findings)
        return None


def _own(values: MetadataValues) -> OwnRecord | None:
    raw = values.mapping(OWN_KEY, needed=False)
    return None if raw is None else OwnRecord.from_json(raw, place(OWN_KEY))


def _offset(
    metadata: OlllMetadata | None, choices: ImportChoices, own: OwnRecord | None
) -> tuple[str, tuple[float, ...]]:
    """Where the offset comes from, and its events by column."""
    bins = () if metadata is None else metadata.bins
    if choices.offset is None and own is not None and all(item.id in own.offset for item in bins):
        return "stated", tuple(own.offset[item.id] for item in bins)
    rule = choices.offset or "obs-in-control-regions"
    return rule, offsets(bins, rule)


def _modifiers(choices: ImportChoices, own: OwnRecord | None) -> tuple[str, ...]:
    if choices.signal_modifiers is not None:
        return choices.signal_modifiers
    return ("lumi",) if own is None else own.signal_modifiers


def _transforms(
    values: MetadataValues, metadata: OlllMetadata | None, network: Network | None, choices: ImportChoices
) -> Transforms | None:
    """The transforms with their numbers, once it is known for how many inputs."""
    pipelines = read_pipelines(values, choices.transforms, choices.run_config)
    inputs = {len(metadata.bins)} if metadata is not None else set[int]()
    inputs |= {network.width} if network is not None else set()
    if len(inputs) > 1 and metadata is not None and network is not None:
        message = (
            f"the file has {len(metadata.bins)} bins that are not removed, its network {network.width} inputs"
        )
        values.found.append(
            finding(
                "LLB-F015",
                message,
                pointer=place("obs_yields"),
                expected=network.width,
                actual=", ".join(item.name for item in metadata.bins)[:200],
            )
        )
        return None
    return read_transforms(values, pipelines, inputs.pop()) if pipelines is not None and inputs else None


def _audit(network: Network, transforms: Transforms, source: str) -> tuple[Finding, ...]:
    """What the audit finds in the rebuilt graph; the published network runs only after that."""
    trial = imported_graph(network, transforms, (0.0,) * network.width, None)
    return audit_graph(trial, graph_spec(network.width, network.opset), source=source)


def _signal_uncertainty(values: MetadataValues, choices: ImportChoices) -> float | None:
    if choices.signal_uncertainty is not None:
        return choices.signal_uncertainty
    before, stated = len(values.found), read_signal_uncertainty(values)
    if stated is None and len(values.found) == before:
        values.found.append(finding("LLB-F024", pointer=place("signal_unc")))
    return stated


def _teacher_faults(metadata: OlllMetadata | None, facts: TeacherFacts | None) -> list[Finding]:
    """Where the file and its teacher contradict each other."""
    if facts is None:
        source = OlllSource("") if metadata is None else metadata.source
        place_of_it = " from ".join(part for part in (source.filename, source.reference) if part)
        hint = (
            f"Give the statistical model{f', {place_of_it[:120]},' if place_of_it else ''} with --workspace."
        )
        return [finding("LLB-F021", pointer=place("source", "/statistical_model"), hint=hint)]
    if metadata is None:
        return []
    missing = [name for name in CURVE_ORDER if name not in facts.data]
    found = [
        finding("LLB-F022", f"the teacher has no data set {name}", pointer=place(OWN_KEY)) for name in missing
    ]
    for item in metadata.bins:
        if not all(
            item.id in part for part in (facts.background, *(data.main for data in facts.data.values()))
        ):
            message = f"the teacher has no bin {item.id}"
            found.append(finding("LLB-F022", message, pointer=place("obs_yields"), actual=item.name))
        elif "observed" in facts.data and facts.data["observed"].main[item.id] != item.observed:
            message = f"the teacher has observed other events in {item.id}"
            expected, actual = facts.data["observed"].main[item.id], item.observed
            found.append(
                finding("LLB-F022", message, pointer=place("obs_yields"), expected=expected, actual=actual)
            )
    for key, value in zip(CURVES, metadata.baselines, strict=True):
        own = facts.data[CURVES[key]].baseline_nll if CURVES[key] in facts.data else None
        if own is not None and abs(own - value) > _BASELINE_TOLERANCE:
            message = f"{key}_mu0 differs from the teacher's NLL by {value - own:.6g}"
            where = place(f"{key}_mu0")
            found.append(finding("LLB-F025", message, pointer=where, expected=own, actual=value))
    return found[:_MAX_FINDINGS]
