"""Profiles: what an archive or a reviewer asks of a valid manifest (SPEC.md, section 10)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal, get_args

from llb.bundle import DensityManifest, Manifest, ManifestHead
from llb.validation.identifiers import (
    has_its_form,
    is_open,
    leads_to_data,
    leads_to_paper,
    orcid_digit,
)
from llb_schema import Finding, finding

__all__ = ["PROFILES", "Profile", "check_profile"]

Profile = Literal["draft", "publishable"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
"""The names of the profiles, the least demanding first."""

_REGIONS = ("decision", "tail", "near_zero", "all")
_MIN_HELDOUT = 1000
_MAX_ALIAS_DIFFERENCE = 1e-3
_MAX_BYTES = 50_000_000
_MIN_WORDS = 3
# Words that no finished text has, and texts that are no names.
_UNFINISHED = re.compile(r"\b(todo|tbd|tba|fixme|xxx|untitled|placeholder|lorem ipsum)\b", re.IGNORECASE)
_NO_NAMES = frozenset(
    {"unknown", "none", "n/a", "name", "title", "author", "authors", "analysis", "test", "example"}
)


def check_profile(manifest: ManifestHead, profile: Profile) -> tuple[Finding, ...]:
    """All that a profile asks for and a valid manifest does not have, sorted by code and place."""
    if profile == "draft":
        return ()
    findings = [item for demand in _OF_ALL for item in demand(manifest)]
    if isinstance(manifest, Manifest):
        findings += [item for demand in _OF_PROFILES for item in demand(manifest)]
    if isinstance(manifest, DensityManifest):
        findings += _density_metrics(manifest)
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _people(manifest: ManifestHead) -> Iterator[Finding]:
    if all(author.orcid is None for author in manifest.authors):
        yield finding("LLB-M101", pointer="/authors")
    for position, author in enumerate(manifest.authors):
        if author.orcid is not None and author.orcid[-1] != orcid_digit(author.orcid):
            message = f"the ORCID iD of {author.name} ends in another digit than it has to"
            place = f"/authors/{position}/orcid"
            yield finding(
                "LLB-M102", message, pointer=place, expected=orcid_digit(author.orcid), actual=author.orcid
            )


def _license(manifest: ManifestHead) -> Iterator[Finding]:
    if not is_open(manifest.license):
        yield finding("LLB-M103", pointer="/license", actual=manifest.license)


def _references(manifest: ManifestHead) -> Iterator[Finding]:
    references = manifest.references
    if not any(map(leads_to_paper, references)):
        yield finding("LLB-M104", pointer="/references")
    for position, item in enumerate(references):
        if not has_its_form(item):
            message = f"this is no reference of the kind {item.kind}"
            yield finding(
                "LLB-M105", message, pointer=f"/references/{position}/value", actual=item.value[:100]
            )
    if not any(map(leads_to_data, references)):
        yield finding("LLB-M106", pointer="/references")


def _texts(manifest: ManifestHead) -> Iterator[Finding]:
    if len(manifest.title.split()) < _MIN_WORDS:
        message = f"the title has fewer than {_MIN_WORDS} words"
        yield finding("LLB-M107", message, pointer="/title", actual=manifest.title)
    texts = {
        "/title": manifest.title,
        "/analysis/name": manifest.analysis.name,
        "/analysis/experiment": manifest.analysis.experiment or "",
        "/validation/method": manifest.evidence.method,
        "/uncertainty/method": manifest.uncertainty.method if isinstance(manifest, Manifest) else "",
        **{f"/authors/{position}/name": author.name for position, author in enumerate(manifest.authors)},
    }
    for place, text in texts.items():
        if _UNFINISHED.search(text) or text.strip().lower() in _NO_NAMES:
            yield finding("LLB-M107", "a placeholder was left", pointer=place, actual=text[:100])


def _analysis(manifest: ManifestHead) -> Iterator[Finding]:
    said = manifest.analysis.to_json()
    for key in ("experiment", "sqrt_s", "luminosity"):
        if key not in said:
            yield finding("LLB-M108", f"the analysis has no {key}", pointer=f"/analysis/{key}")


def _date(manifest: ManifestHead) -> Iterator[Finding]:
    try:
        datetime.fromisoformat(manifest.created)
    except ValueError:
        yield finding("LLB-M109", pointer="/created", actual=manifest.created)


def _provenance(manifest: ManifestHead) -> Iterator[Finding]:
    for place, programs in (
        ("teacher", manifest.teacher.software),
        ("provenance", manifest.provenance.software),
    ):
        if not programs:
            yield finding("LLB-M110", pointer=f"/{place}/software")
    for key in ("labels", "training"):
        if getattr(manifest.provenance, key) is None:
            yield finding("LLB-M111", f"there is no record of the {key}", pointer=f"/provenance/{key}")


def _evidence(manifest: Manifest) -> Iterator[Finding]:
    if manifest.validation.benchmarks is None:
        yield finding("LLB-M112", pointer="/validation/benchmarks")
    if manifest.uncertainty.kind == "none":
        yield finding("LLB-M113", pointer="/uncertainty/kind")


def _metrics(manifest: Manifest) -> Iterator[Finding]:
    metrics = manifest.validation.metrics
    stated = {(metric.curve, metric.region) for metric in metrics}
    for curve in manifest.own_curves:
        for region in _REGIONS:
            if (curve.name, region) not in stated:
                message = f"{curve.name} has no metric in the region {region}"
                yield finding("LLB-M115", message, pointer="/validation/metrics")
    for position, metric in enumerate(metrics):
        if metric.region == "all" and metric.count < _MIN_HELDOUT:
            message = f"{metric.curve} is judged by few held-out points"
            place = f"/validation/metrics/{position}/count"
            yield finding(
                "LLB-M114", message, pointer=place, expected=f"at least {_MIN_HELDOUT}", actual=metric.count
            )


def _density_metrics(manifest: DensityManifest) -> Iterator[Finding]:
    for position, metric in enumerate(manifest.validation.metrics):
        if metric.count < _MIN_HELDOUT:
            message = "log_prob is judged by few held-out points"
            place, expected = f"/validation/metrics/{position}/count", f"at least {_MIN_HELDOUT}"
            yield finding("LLB-M114", message, pointer=place, expected=expected, actual=metric.count)


def _files(manifest: ManifestHead) -> Iterator[Finding]:
    roles = {item.role for item in manifest.files}
    if "figure" not in roles:
        yield finding("LLB-M116", pointer="/files")
    for role, what in (("card", "model card"), ("license", "licence text")):
        if role not in roles:
            yield finding("LLB-M117", f"there is no {what}", pointer="/files", expected=f"role {role}")
    total = sum(item.bytes for item in manifest.files)
    if total > _MAX_BYTES:
        yield finding("LLB-M120", pointer="/files", expected=f"at most {_MAX_BYTES} bytes", actual=total)


def _aliases(manifest: Manifest) -> Iterator[Finding]:
    for position, curve in enumerate(manifest.curves):
        difference = curve.alias_max_difference
        if difference is not None and difference > _MAX_ALIAS_DIFFERENCE:
            message = f"{curve.name} is not {curve.alias_of} to the accuracy that is asked for"
            place = f"/curves/{position}/alias_max_difference"
            yield finding(
                "LLB-M118",
                message,
                pointer=place,
                expected=f"at most {_MAX_ALIAS_DIFFERENCE}",
                actual=difference,
            )


def _version(manifest: ManifestHead) -> Iterator[Finding]:
    if manifest.version.startswith("0.") or "-" in manifest.version:
        yield finding("LLB-M119", pointer="/version", expected="at least 1.0.0", actual=manifest.version)


_OF_ALL: tuple[Callable[[ManifestHead], Iterator[Finding]], ...] = (
    _people,
    _license,
    _references,
    _texts,
    _analysis,
    _date,
    _provenance,
    _files,
    _version,
)
_OF_PROFILES: tuple[Callable[[Manifest], Iterator[Finding]], ...] = (_evidence, _metrics, _aliases)
