"""A bundle as one HTML page that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from llb.bundle import Bundle, DensityBundle
from llb.page_policy import page_policy
from llb.report.blocks import Block, Fact, Figure, Panel, Section
from llb.report.density import density_highlights, density_sections
from llb.report.density_numbers import density_numbers
from llb.report.environment import render
from llb.report.identity import facts, findings_section, provenance_section
from llb.report.links import orcid_link
from llb.report.pictures import bundle_figures
from llb.report.profile import profile_highlights, profile_sections
from llb.report.profile_numbers import profile_numbers
from llb.report.usage import density_usage, profile_usage
from llb.validation import Report
from llb_schema import Finding, FindingError

__all__ = ["Page", "report_page"]

_RUNS_FROM = 3
"""The level from which on the validation has run the graph, so that a page may run it as well."""
_KINDS = {
    "profile_likelihood": "profile likelihood",
    "full_likelihood": "density of all parameters",
    "parameter_likelihood": "likelihood of all parameters",
}


@dataclass(frozen=True)
class Page:
    """A page, and what was found on the way besides what the validation has found."""

    html: str
    findings: tuple[Finding, ...]


def report_page(bundle: Bundle | DensityBundle, report: Report, *, interactive: Panel | None = None) -> Page:
    """The page of a bundle: the same for the same bundle and findings, whoever makes it and whenever.

    The graph is run only if the validation ran it and found no error; else there are no drawings.

    Args:
        bundle: whose manifest could be read.
        report: what the validation has found in it.
        interactive: a prepared panel, put before the figures of the bundle.

    Raises:
        FindingError: `LLB-X001`, matplotlib is not installed.
    """
    found: list[Finding] = []
    highlights, sections = _family(bundle, report, found)
    figures: list[Block] = []
    for item in bundle_figures(bundle):
        if isinstance(item, Figure):
            figures.append(item)
        else:
            found += item.findings
    if interactive is not None:
        sections.append(Section("interactive", interactive.title, (interactive,)))
    if figures:
        sections.append(Section("figures", "Figures of the bundle", tuple(figures)))
    usage = profile_usage(bundle) if isinstance(bundle, Bundle) else density_usage(bundle.manifest)
    sections += [usage, provenance_section(bundle), findings_section(report, found)]
    manifest, panel = bundle.manifest, interactive
    html = render(
        "report.html.j2",
        title=manifest.title,
        family=_KINDS[manifest.family],
        authors=[(item, orcid_link(item)) for item in manifest.authors],
        facts=facts(bundle),
        highlights=highlights,
        report=report,
        sections=sections,
        policy=page_policy() if panel is None else page_policy(panel.script, wasm=panel.wasm),
        script=Markup("" if panel is None else panel.script),  # noqa: S704 - of ours
    )
    return Page(html, tuple(found))


def _family(
    bundle: Bundle | DensityBundle, report: Report, found: list[Finding]
) -> tuple[tuple[Fact, ...], list[Section]]:
    """What the family of the bundle has of its own, with numbers where its graph may be run."""
    runs = report.status == "ok" and report.level >= _RUNS_FROM
    if isinstance(bundle, Bundle):
        try:
            numbers = profile_numbers(bundle) if runs else None
        except FindingError as error:
            numbers = _missing(error, found)
        return profile_highlights(bundle, numbers), list(profile_sections(bundle, numbers))
    try:
        drawn = density_numbers(bundle) if runs else None
    except FindingError as error:
        drawn = _missing(error, found)
    return density_highlights(bundle), list(density_sections(bundle, drawn))


def _missing(error: FindingError, found: list[Finding]) -> None:
    """Notes why nothing is drawn; a part of the software that is missing is not the bundle's fault."""
    if any(item.code == "LLB-X001" for item in error.findings):
        raise error
    found += error.findings
