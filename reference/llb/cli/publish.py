"""`llb publish`: bundles as submissions and depositions, ready to be uploaded by a person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import EXIT_FINDINGS, printable
from llb.cli.given import FORMAT, PATH, require_packages, say

if TYPE_CHECKING:
    from llb.publish import Publication

__all__ = ["publish_command"]

_OUT = click.option("--out", type=PATH, required=True, help="Folder to be made.")
_DOI = re.compile(r"10\.[0-9]{4,9}/[!-~]+")


@click.group("publish", short_help="A bundle as a record of HEPData or Zenodo.")
def publish_command() -> None:
    """A bundle as a record of HEPData or Zenodo. Nothing is uploaded.

    \b
    Example:
        llb publish hepdata stau.llb --out stau-hepdata
        llb publish zenodo stau.llb --out stau-zenodo
    """


@publish_command.command("hepdata", short_help="A submission for HEPData (extra 'hepdata').")
@click.argument("bundles", type=PATH, nargs=-1, required=True)
@_OUT
@click.option("--extend", type=PATH, help="Folder of a submission to go on from; it is copied, not changed.")
@click.option("--name", help="In the names of files and tables, in place of the bundle's id.")
@click.option("--description", help="Of the bundle on the record, in place of its title.")
@click.option("--comment", help="Abstract of a new record.  [default: the titles of the bundles]")
@click.option("--reaction", "reactions", multiple=True, help="Keyword, e.g. 'P P --> STAU STAU'; repeatable.")
@click.option("--phrase", "phrases", multiple=True, help="Further keyword; repeatable.")
@click.option(
    "--points",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="Rows of a table of validation points, at most; the bundle has all of them.",
)
@FORMAT
@click.pass_context
def hepdata_command(
    ctx: click.Context, bundles: tuple[Path, ...], out: Path, extend: Path | None, output: str, **words: Any
) -> None:
    """A submission for HEPData (extra 'hepdata').

    OUT gets the folder `submission` and, from it, `submission.tar.gz` to upload: each bundle as one archive,
    tables of its validation points, limits and claims, figures, keywords and licences. HEPData's own
    validator has accepted it; where a finding is an error nothing is written.

    \b
    Example:
        llb publish hepdata stau.llb --out stau-hepdata --reaction "P P --> STAU STAU"
        llb publish hepdata stau.llb charginos.llb --out both
        llb publish hepdata stau.llb --extend my-submission --out extended --format json
    """
    if len(bundles) > 1 and (words["name"] or words["description"]):
        raise click.UsageError("--name and --description are for one bundle")
    if words["name"] and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", words["name"]):
        raise click.UsageError("--name is made of letters, digits and . _ -")
    require_packages(("hepdata_lib", "hepdata_validator", "yaml", "PIL", "matplotlib"))
    from llb.publish import Wording, publish_hepdata

    wording = Wording(**words)
    done = _shown(lambda stage: publish_hepdata(bundles, out, extend=extend, wording=wording, on_stage=stage))
    _report(ctx, done, output, _HEPDATA.format(out=out))


@publish_command.command("zenodo", short_help="A deposition for Zenodo.")
@click.argument("bundle", type=PATH)
@_OUT
@click.option("--doi", help="DOI that Zenodo has reserved for the record.")
@click.option("--hepdata", "identical", multiple=True, help="DOI of the same archive at HEPData; repeatable.")
@click.option("--community", "communities", multiple=True, help="Zenodo community; repeatable.")
@FORMAT
@click.pass_context
def zenodo_command(
    ctx: click.Context,
    bundle: Path,
    out: Path,
    doi: str | None,
    identical: tuple[str, ...],
    communities: tuple[str, ...],
    output: str,
) -> None:
    """A deposition for Zenodo.

    OUT gets `deposition.json`, the metadata, and in `files` what to upload: the bundle as one archive, model
    card, licence, CITATION.cff, and descriptions for catalogues (FAIR4ML and Croissant). Where a finding is
    an error nothing is written.

    \b
    Example:
        llb publish zenodo stau.llb --out stau-zenodo
        llb publish zenodo stau.llb --out stau-zenodo --hepdata 10.17182/hepdata.12345.v1/r1
    """
    for given in (*identical, *([] if doi is None else [doi])):
        if not _DOI.fullmatch(given):
            raise click.UsageError(f"{given} is no DOI such as 10.5281/zenodo.1234567")
    from llb.publish import publish_zenodo

    done = _shown(
        lambda stage: publish_zenodo(
            bundle, out, doi=doi, identical=identical, communities=communities, on_stage=stage
        )
    )
    _report(ctx, done, output, _ZENODO.format(out=out))


_HEPDATA = """Look through {out}/submission, then upload {out}/submission.tar.gz:
  on trial   https://www.hepdata.net/record/sandbox
  for good   as the uploader of your record, on its page or by the link in HEPData's e-mail"""
_ZENODO = """Nothing was uploaded. With a token of https://zenodo.org (on trial, of sandbox.zenodo.org):
  curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
       -d @{out}/deposition.json https://zenodo.org/api/deposit/depositions
  curl -H "Authorization: Bearer $TOKEN" -T FILE BUCKET/FILE
the second one for each FILE of {out}/files; BUCKET is links.bucket in the answer to the first.
Then look at the draft in the browser and publish it there."""


def _shown(work: Callable[[Callable[[str], object]], Publication]) -> Publication:
    """Does the work, with its stages on stderr."""
    from llb.cli.progress import Stages

    with Stages() as stages:
        return work(lambda name: stages(name, 0))


def _report(ctx: click.Context, done: Publication, output: str, upload: str) -> None:
    if output == "json":
        click.echo(json.dumps(done.to_json(), indent=2))
    else:
        say(done.findings)
        if done.folder is None:
            click.echo("Nothing was written.")
        else:
            click.echo(printable(f"{done.folder}: {len(done.files)} files"))
            click.echo("\n".join(printable(line) for line in upload.splitlines()))
    if done.folder is None:
        ctx.exit(EXIT_FINDINGS)
