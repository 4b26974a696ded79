"""A published bundle to the disk: downloaded, opened, validated, and only then under its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llb.bundle import check_target, content_id, copy_bundle, file_digests, read_any_bundle
from llb.fetch.arrived import open_bundle_archive
from llb.fetch.download import Arrival, Progress
from llb.fetch.record import Resource
from llb.fetch.request import Request, arriving
from llb.validation import validate
from llb_schema import Finding, FindingError, Severity

__all__ = ["DEFAULT_LEVEL", "FetchedBundle", "fetch_bundle"]

DEFAULT_LEVEL = 2
"""The validation level of what arrives: nothing in it is run, everything is what the manifest says."""


@dataclass(frozen=True)
class FetchedBundle:
    """A bundle that has arrived.

    Attributes:
        path: where it is.
        resource: what was fetched.
        url: where from, after redirects.
        bytes: size of the download.
        sha256: digest of the download.
        content_id: of the bundle.
        level: the validation level that it has passed.
        findings: what was found on the way: warnings.
    """

    path: Path
    resource: Resource
    url: str
    bytes: int
    sha256: str
    content_id: str
    level: int
    findings: tuple[Finding, ...]


def fetch_bundle(
    request: Request,
    out: Path,
    *,
    level: int = DEFAULT_LEVEL,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> FetchedBundle:
    """Fetches a bundle; a fault leaves what was at the target before, and nothing else.

    Args:
        request: which one.
        out: the bundle: an archive if it ends in .zip, .tar.gz or .tgz, a directory otherwise.
        level: validation level that it has to pass.
        overwrite: whether a bundle at the target may be replaced.
        progress: told of the download.

    Raises:
        FindingError: `LLB-D...`, it cannot be had; `LLB-A...`, the archive is unsafe; all that `validate`
            finds where there is an error; `LLB-X002`, the target exists; `LLB-X003`, it cannot be written.
    """
    check_target(out, overwrite=overwrite)
    with arriving(request, "bundle", out, progress) as (resource, arrival):
        return _checked(resource, arrival, out, level, overwrite)


def _checked(resource: Resource, arrival: Arrival, out: Path, level: int, overwrite: bool) -> FetchedBundle:
    bundle = read_any_bundle(open_bundle_archive(arrival, resource.name))
    # Validated in the form that it will have, where nobody sees it yet.
    staged = copy_bundle(bundle, arrival.path.with_name(f"checked-{out.name}"))
    report = validate(staged, level)
    if report.status == "invalid":
        raise FindingError(sorted(report.findings, key=lambda item: item.severity is not Severity.ERROR))
    copy_bundle(bundle, out, overwrite=overwrite)
    return FetchedBundle(
        path=out,
        resource=resource,
        url=arrival.url,
        bytes=arrival.bytes,
        sha256=arrival.sha256,
        content_id=content_id(file_digests(bundle.container)),
        level=report.level,
        findings=report.findings,
    )
