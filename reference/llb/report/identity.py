"""What all bundles say of themselves: who, of what, by which means, and what was found in them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping

from llb.bundle import AnyBundle, ManifestHead, Teacher, content_id, file_digests, parse_json
from llb.report.blocks import Block, Column, Fact, Prose, Section, Table
from llb.report.links import license_link, reference_link
from llb.report.numbers import short
from llb.validation import Report
from llb_schema import Finding, FindingError

__all__ = ["facts", "findings_section", "provenance_section"]

_LEVELS = ("archive and parsing", "schema and meaning", "integrity", "graph", "numbers", "claims")
_MAX_FINDINGS = 200
_MAX_RECORDS = 60
_LONGEST_LIST = 8
_LONGEST_TEXT = 200


def facts(bundle: AnyBundle) -> tuple[Fact, ...]:
    """The head of the page, beside title and authors."""
    manifest = bundle.manifest
    return tuple(_facts(manifest, bundle))


def _facts(manifest: ManifestHead, bundle: AnyBundle) -> Iterator[Fact]:
    analysis = manifest.analysis
    yield Fact("Analysis", analysis.name)
    if analysis.experiment is not None:
        yield Fact("Experiment", analysis.experiment)
    if analysis.sqrt_s is not None:
        yield Fact("√s", f"{analysis.sqrt_s:g} TeV")
    if analysis.luminosity is not None:
        yield Fact("Luminosity", f"{analysis.luminosity:g} fb⁻¹")
    yield Fact("Bundle", f"{manifest.id} {manifest.version}")
    if manifest.supersedes is not None:
        yield Fact("Supersedes", manifest.supersedes)
    yield Fact("Format", f"LLB {manifest.format_version}")
    yield Fact("Made", manifest.created.replace("T", " ").replace("Z", " UTC"))
    yield Fact("Licence", manifest.license, license_link(manifest.license))
    for item in manifest.references:
        name = {"doi": "DOI", "arxiv": "arXiv", "inspire": "INSPIRE", "hepdata": "HEPData", "url": "Address"}
        yield Fact(name.get(item.kind, item.kind), item.value, reference_link(item))
    try:
        yield Fact("Content id", content_id(file_digests(bundle.container)))
    except FindingError:
        # Why a file cannot be read is among the findings.
        return


def findings_section(report: Report, more: Iterable[Finding]) -> Section:
    """What `llb validate` has found, and after it what the page itself has."""
    found = [*report.findings, *(item for item in more if item not in report.findings)]
    asked = "; ".join(f"{level} {name}" for level, name in enumerate(_LEVELS[: report.level + 1]))
    blocks: list[Block] = [Prose(f"llb validate, up to level {report.level} ({asked}).")]
    if found:
        rows = [
            (item.code, str(item.severity), item.pointer or "the whole", _said(item), item.hint)
            for item in found[:_MAX_FINDINGS]
        ]
        left = len(found) - _MAX_FINDINGS
        columns = (
            Column("code", "code"),
            Column("weight"),
            Column("where", "code"),
            Column("what"),
            Column("cure"),
        )
        note = f"{left} more findings: llb validate." if left > 0 else ""
        blocks.append(Table("Findings", columns, rows, note))
    else:
        blocks.append(Prose("No findings."))
    return Section("validation", "Validation", tuple(blocks))


def _said(item: Finding) -> str:
    parts = [f"{word} {text}" for word, text in (("expected", item.expected), ("got", item.actual)) if text]
    return f"{item.message} ({', '.join(parts)})" if parts else item.message


def provenance_section(bundle: AnyBundle) -> Section:
    """Teacher, software, records and files."""
    manifest = bundle.manifest
    blocks: list[Block] = [Prose(_model(manifest.teacher)), *_teacher_files(manifest.teacher)]
    software = [*manifest.teacher.software, *manifest.provenance.software]
    if software:
        used = ", ".join(dict.fromkeys(f"{item.name} {item.version}" for item in software))
        blocks.append(Prose(f"Made with {used}."))
    for path, caption in (
        (manifest.provenance.labels, "Record of the labels"),
        (manifest.provenance.training, "Record of the training"),
    ):
        if path is not None:
            blocks += _record(bundle, path, caption)
    columns = (Column("path", "code"), Column("role"), Column("bytes", "number"), Column("SHA-256", "code"))
    rows = [(item.path, item.role, f"{item.bytes:,}", item.sha256) for item in manifest.files]
    blocks.append(Table("Files of the bundle", columns, rows))
    return Section("provenance", "Provenance", tuple(blocks))


def _model(teacher: Teacher) -> str:
    """What kind of model was learned, and which part of it."""
    if teacher.is_workspace:
        codes = ", ".join(f"{kind} {code}" for kind, code in sorted(teacher.interpolation.items()))
        return (
            f"Learned from a HistFactory workspace: measurement {teacher.measurement}, parameter of interest "
            f"{teacher.poi}" + (f", interpolation {codes}." if codes else ".")
        )
    if teacher.kind == "other":
        return teacher.text
    return "Learned from a simplified likelihood" + (" with third moments." if teacher.third_moments else ".")


def _teacher_files(teacher: Teacher) -> Iterator[Table]:
    if teacher.files:
        columns = (Column("file", "code"), Column("bytes", "number"), Column("SHA-256", "code"))
        rows = [(item.name, f"{item.bytes:,}", item.sha256) for item in teacher.files]
        yield Table("The full statistical model, which is not part of the bundle", columns, rows)


def _record(bundle: AnyBundle, path: str, caption: str) -> Iterator[Table]:
    """The single values of a JSON file; what is wrong with it is for the validation to say."""
    try:
        document = parse_json(bundle.read(path), path)
    except (FindingError, KeyError):
        return
    rows = list(_values(document, ""))
    left = len(rows) - _MAX_RECORDS
    note = f"{left} more values are in {path}." if left > 0 else f"From {path}."
    if rows:
        yield Table(
            caption, (Column("value of", "code"), Column("is")), rows[:_MAX_RECORDS], note, folded=True
        )


def _values(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _values(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        if value and len(value) <= _LONGEST_LIST and not any(isinstance(item, dict | list) for item in value):
            yield name, ", ".join(_plain(item) for item in value)
    else:
        yield name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float) and math.isfinite(value):
        return short(value)
    return str(value)[:_LONGEST_TEXT]
