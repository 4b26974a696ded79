"""A published statistical model to the disk: the workspace of one region, and its signals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llb.bundle import check_folder, write_files
from llb.bundle.packing import archive_kind
from llb.fetch.arrived import open_model_files
from llb.fetch.download import Progress
from llb.fetch.models import PublishedModel, choose_model, find_models
from llb.fetch.record import Resource
from llb.fetch.request import Request, arriving
from llb_schema import Finding, FindingError, finding

__all__ = ["FetchedModel", "check_model_target", "fetch_model"]

# The names that analyses give them, whatever these are called where they come from.
_WORKSPACE, _PATCHSET = "BkgOnly.json", "patchset.json"


@dataclass(frozen=True)
class FetchedModel:
    """A statistical model that has arrived.

    Attributes:
        workspace: the workspace.
        patchset: its signals, or None.
        model: what these were among the published files.
        regions: all regions that there were to choose from.
        resource: what was fetched.
        url: where from, after redirects.
        bytes: size of the download.
        sha256: digest of the download.
        findings: warnings.
    """

    workspace: Path
    patchset: Path | None
    model: PublishedModel
    regions: tuple[str, ...]
    resource: Resource
    url: str
    bytes: int
    sha256: str
    findings: tuple[Finding, ...]


def fetch_model(
    request: Request,
    out: Path,
    *,
    region: str | None = None,
    overwrite: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> FetchedModel:
    """Fetches a workspace and its patchset, byte by byte; a fault leaves what was at the target before.

    Args:
        request: of which resource: an archive, or a workspace by itself.
        out: a folder for the two.
        region: which of several models; not needed where there is one only.
        overwrite: whether a model that was fetched there before may be replaced.
        progress: told of the download.

    Raises:
        FindingError: `LLB-D...`, it cannot be had, or is not told from others; `LLB-A...`, the archive is
            unsafe; `LLB-X002`, the target exists; `LLB-X003`, it cannot be written.
    """
    check_model_target(out, overwrite=overwrite)
    with arriving(request, "workspace", out, progress) as (resource, arrival):
        container = open_model_files(arrival, resource.name)
        found = find_models(container)
        model = choose_model(found.models, region)
        files = {_WORKSPACE: container.read(model.workspace)}
        if model.patchset is not None:
            files[_PATCHSET] = container.read(model.patchset)
        write_files(out, files)
    return FetchedModel(
        workspace=out / _WORKSPACE,
        patchset=out / _PATCHSET if model.patchset is not None else None,
        model=model,
        regions=tuple(item.region for item in found.models),
        resource=resource,
        url=arrival.url,
        bytes=arrival.bytes,
        sha256=arrival.sha256,
        findings=tuple(finding("LLB-D022", pointer=name) for name in found.unclaimed),
    )


def check_model_target(out: Path, *, overwrite: bool) -> None:
    """Make sure that a model may be written to a folder.

    Raises:
        FindingError: `LLB-X002`, something is there; `LLB-X003`, there is no folder to write it to, or its
            name is one of an archive.
    """
    check_folder(out)
    if archive_kind(out) is not None:
        message, hint = (
            f"{out} is to be a folder, and has the name of an archive",
            "Choose a name without suffix.",
        )
        raise FindingError(finding("LLB-X003", message, pointer=str(out), hint=hint))
    if not out.exists() and not out.is_symlink():
        return
    fetched = (
        out.is_dir()
        and not out.is_symlink()
        and {item.name for item in out.iterdir()} <= {_WORKSPACE, _PATCHSET}
    )
    if not fetched:
        hint = "Choose another folder: only a model that was fetched is ever replaced."
        raise FindingError(finding("LLB-X002", f"{out} exists already", pointer=str(out), hint=hint))
    if not overwrite and any(out.iterdir()):
        raise FindingError(finding("LLB-X002", f"{out} exists already", pointer=str(out)))
