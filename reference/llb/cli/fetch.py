"""The command `llb fetch`: published bundles and statistical models by their DOIs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import printable
from llb.cli.given import FORMAT, PATH, require_packages, say

if TYPE_CHECKING:
    from llb.fetch import FetchedBundle, FetchedModel, Record, Resource

__all__ = ["fetch_command", "fetch_model_for"]

_MIB = 2**20


@click.command("fetch", short_help="A published bundle, or statistical model, by its DOI.")
@click.argument("reference")
@click.option(
    "--out",
    type=PATH,
    help="Where to: for a bundle an archive if it ends in .zip, .tar.gz or .tgz, a directory otherwise; "
    "for a model a folder.",
)
@click.option("--list", "listing", is_flag=True, help="Show what a record offers, and fetch nothing.")
@click.option("--resource", metavar="NAME|N", help="Which resource of a record, by its name or number.")
@click.option(
    "--workspace", is_flag=True, help="Fetch a statistical model: pyhf workspace and, if there, patchset."
)
@click.option("--region", help="With --workspace: which model, where the archive has several.")
@click.option("--sha256", default="", metavar="HEX", help="Digest that the download has to have.")
@click.option(
    "--level",
    type=click.IntRange(0, 5),
    help="Validation level that a bundle has to pass (llb validate).  [default: 2]",
)
@click.option(
    "--max-size",
    type=click.IntRange(1),
    default=1024,
    show_default=True,
    metavar="MIB",
    help="Largest download.",
)
@click.option("--force", "overwrite", is_flag=True, help="Replace a bundle, or model, that is there already.")
@FORMAT
def fetch_command(
    reference: str,
    out: Path | None,
    listing: bool,
    resource: str | None,
    workspace: bool,
    region: str | None,
    sha256: str,
    level: int | None,
    max_size: int,
    overwrite: bool,
    output: str,
) -> None:
    """A published bundle, or statistical model, by its DOI.

    REFERENCE is a DOI or record of HEPData or Zenodo, or the URL of a file. The bundle is found among the
    resources of the record, downloaded, checked against the digests that are known and validated; only then
    it gets its name. With --workspace the full statistical model instead: BkgOnly.json and patchset.json.

    \b
    Example:
        llb fetch 10.5281/zenodo.1234567 --out search.llb
        llb fetch 10.17182/hepdata.90607.v3 --list
        llb fetch 10.17182/hepdata.90607.v3/r3 --workspace --out 1Lbb
        llb fetch https://example.org/search.llb.zip --sha256 9f86d0... --out search.llb.zip
    """
    if (out is None) is not listing:
        raise click.UsageError("give --out, or --list")
    if region is not None and not workspace:
        raise click.UsageError("--region belongs to --workspace")
    if level is not None and workspace:
        raise click.UsageError("--level is for bundles, not for --workspace")
    if sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise click.UsageError("--sha256 takes 64 hexadecimal digits")
    require_packages(["httpx"])
    from llb.cli.progress import Stages, download_stage
    from llb.fetch import (
        DEFAULT_LEVEL,
        Demands,
        FetchedBundle,
        Record,
        Request,
        Services,
        fetch_bundle,
        fetch_model,
        list_resources,
    )

    demands = Demands(max_size * _MIB, sha256)
    request = Request(reference, resource, demands, Services.from_environment())
    asked = DEFAULT_LEVEL if level is None else level
    with Stages() as stages:
        stages(f"Asking for {reference}", 0)
        progress = download_stage(stages, "" if out is None else out.name)
        if out is None:
            fetched = list_resources(request)
        elif workspace:
            fetched = fetch_model(request, out, region=region, overwrite=overwrite, progress=progress)
        else:
            fetched = fetch_bundle(request, out, level=asked, overwrite=overwrite, progress=progress)
    if isinstance(fetched, Record):
        _say_record(fetched, output)
    elif isinstance(fetched, FetchedBundle):
        _say_bundle(fetched, output)
    else:
        _say_model(fetched, output)


def fetch_model_for(
    reference: str, resource: str | None, region: str | None, folder: Path, *, overwrite: bool
) -> FetchedModel:
    """The statistical model that another command begins with, in a folder, with progress on stderr."""
    require_packages(["httpx"])
    from llb.cli.progress import Stages, download_stage
    from llb.fetch import Request, Services, fetch_model

    request = Request(reference, resource, services=Services.from_environment())
    with Stages() as stages:
        stages(f"Asking for {reference}", 0)
        progress = download_stage(stages, folder.name)
        fetched = fetch_model(request, folder, region=region, overwrite=overwrite, progress=progress)
    say(fetched.findings)
    return fetched


def _say_record(record: Record, output: str) -> None:
    if output == "json":
        offered = [_as_json(record, item) for item in record.resources]
        click.echo(json.dumps({"title": record.title, "url": record.url, "resources": offered}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "name", "looks like", "MB", "description"):
        table.add_column(name, justify="right" if name == "MB" else "left")
    for item in record.resources:
        size = "" if item.bytes is None else f"{item.bytes / 1e6:.1f}"
        cells = (str(item.number), item.name, _looks_like(record, item) or "", size, item.description)
        table.add_row(*map(printable, cells))
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(printable(f"{record.title or 'A file'}, {record.url}"))
    console.print(table, width=console.width if console.is_terminal else max(console.width, 120))


def _as_json(record: Record, item: Resource) -> dict[str, Any]:
    return {
        "number": item.number,
        "name": item.name,
        "looks_like": _looks_like(record, item),
        "kind": item.kind,
        "description": item.description,
        "bytes": item.bytes,
        "md5": item.md5,
        "url": item.url,
    }


def _looks_like(record: Record, item: Resource) -> str | None:
    if record.likeness(item, "bundle"):
        return "bundle"
    return "workspace" if record.likeness(item, "workspace") else None


def _say_bundle(fetched: FetchedBundle, output: str) -> None:
    say(fetched.findings)
    if output == "json":
        document = {
            "bundle": str(fetched.path),
            "content_id": fetched.content_id,
            "level": fetched.level,
            **_origin(fetched),
        }
        click.echo(json.dumps(document, indent=2))
        return
    click.echo(printable(f"{fetched.path}: valid to level {fetched.level}, from {fetched.url}"))
    click.echo(f"content id {fetched.content_id}")


def _say_model(fetched: FetchedModel, output: str) -> None:
    say(fetched.findings)
    if output == "json":
        document = {
            "workspace": str(fetched.workspace),
            "patchset": fetched.patchset and str(fetched.patchset),
            "region": fetched.model.region,
            "regions": fetched.regions,
            "files": [fetched.model.workspace, fetched.model.patchset],
            **_origin(fetched),
        }
        click.echo(json.dumps(document, indent=2))
        return
    signals = fetched.model.patchset or "without a patchset"
    click.echo(
        printable(f"{fetched.workspace.parent}: {fetched.model.workspace}, {signals}, from {fetched.url}")
    )


def _origin(fetched: FetchedBundle | FetchedModel) -> dict[str, Any]:
    return {
        "resource": fetched.resource.name,
        "url": fetched.url,
        "bytes": fetched.bytes,
        "sha256": fetched.sha256,
        "findings": [item.to_json() for item in fetched.findings],
    }
