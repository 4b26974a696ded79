"""The command `llb index`: what bundles there are in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llb import __version__
from llb.cli.failure import EXIT_FINDINGS, EXIT_OK, printable
from llb.cli.given import FORMAT, PATH, require_packages, say

__all__ = ["index_command"]

_DOCUMENT, _PAGE, _ANALYSES = "index.json", "index.html", "analyses.json"


@click.command("index", short_help="A page and a list of all bundles in a folder.")
@click.argument("folder", metavar="DIR", type=PATH)
@click.option("--out", type=PATH, help="Folder for what is written.  [default: DIR]")
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier index.")
@click.option(
    "--level",
    type=click.IntRange(1, 5),
    default=2,
    show_default=True,
    help="How far each bundle is validated.",
)
@click.option("--title", default="Learned likelihoods", show_default=True, help="Heading of the page.")
@click.option(
    "--url",
    metavar="TEMPLATE",
    help="Where the bundles will be, with {name} for the path of one; writes analyses.json for HEPData.",
)
@FORMAT
def index_command(
    folder: Path, out: Path | None, overwrite: bool, level: int, title: str, url: str | None, output: str
) -> int:
    """A page and a list of all bundles in a folder and the folders below.

    Writes index.json for programs and index.html for people, who search it by analysis, family, curve and
    error; it works without a server. With --url it writes analyses.json as well, the list by which HEPData
    links its records to a tool.

    Bundles with an error are not listed. Exit code 1 if there are any; the index is written all the same.

    \b
    Example:
        llb index bundles
        llb index bundles --overwrite --url 'https://example.org/bundles/{name}'
    """
    require_packages(["jinja2"])
    from llb.bundle import check_free, write_file
    from llb.cli.progress import Stages
    from llb.index import analyses_document, index_folder, index_page
    from llb.index.folder import find_bundles

    if url is not None and ("{name}" not in url or not url.startswith(("https://", "http://"))):
        raise click.UsageError("--url must be an address with {name} in it")
    target = folder if out is None else out
    names = [_DOCUMENT, _PAGE, *([_ANALYSES] if url is not None else [])]
    bundles = find_bundles(folder)
    for name in names:
        check_free(target / name, overwrite=overwrite)
    with Stages() as stages:
        index = index_folder(folder, level, stages("Validating the bundles", len(bundles)))
    document = index.to_json()
    written = {_DOCUMENT: _json(document), _PAGE: index_page(index, title)}
    if url is not None:
        analyses, missing = analyses_document(index.entries, url, __version__)
        say(missing)
        if analyses is not None:
            written[_ANALYSES] = _json(analyses)
    for name, text in written.items():
        write_file(target / name, text.encode(), overwrite=overwrite)
    say(item for found in index.findings.values() for item in found)
    if output == "json":
        click.echo(_json(document), nl=False)
    else:
        count = f"{len(index.entries)} bundles, {len(index.left_out)} not listed"
        click.echo(printable(f"{count}: {', '.join(str(target / name) for name in written)}"))
    return EXIT_FINDINGS if index.left_out else EXIT_OK


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
