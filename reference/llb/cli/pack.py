"""Commands that write a bundle anew: pack in another form, upgrade in the current version of the format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from llb.cli.failure import printable
from llb.cli.given import FORMAT, PATH

__all__ = ["pack_command", "upgrade_command"]

_FORMS = {"directory": "directory", "zip": "zip archive", "tar": "tar.gz archive"}


_BUNDLE = click.argument("bundle", type=PATH)
_OUT = click.option(
    "--out",
    type=PATH,
    required=True,
    help="Where to: an archive if it ends in .zip, .tar.gz or .tgz, a directory otherwise.",
)
_FORCE = click.option("--force", "overwrite", is_flag=True, help="Replace a bundle that is there already.")


@click.command("pack", short_help="Write a bundle in another form: zip, tar.gz or directory.")
@_BUNDLE
@_OUT
@_FORCE
@FORMAT
def pack_command(bundle: Path, out: Path, overwrite: bool, output: str) -> None:
    """Write a bundle in another form: zip, tar.gz or directory.

    The files stay what they are, byte by byte, and the same files give the same archive whichever form they
    come from. The content id is the same in every form; it names what is in a bundle.

    \b
    Example:
        llb pack stau.llb --out stau.llb.zip
        llb pack stau.llb.zip --out stau.llb
        llb pack stau.llb --out stau.llb.tar.gz --force --format json
    """
    from llb.bundle import copy_bundle, read_any_bundle

    _say_written(copy_bundle(read_any_bundle(bundle), out, overwrite=overwrite), output, {})


@click.command("upgrade", short_help="Write a bundle in the current version of the format.")
@_BUNDLE
@_OUT
@_FORCE
@FORMAT
def upgrade_command(bundle: Path, out: Path, overwrite: bool, output: str) -> None:
    """Write a bundle in the current version of the format.

    Nothing in it changes its meaning: numbers, files and extensions stay. It is a new bundle all the same,
    with a later version, a content id of its own, and `supersedes` naming the old one. Bundles of older
    formats stay readable without it. For a bundle that is current already nothing is written.

    \b
    Example:
        llb upgrade stau.llb --out stau-1.0.1.llb
        llb upgrade stau.llb.zip --out stau-1.0.1.llb.zip --format json
    """
    from llb.bundle import is_current, read_any_bundle, upgrade_bundle

    opened = read_any_bundle(bundle)
    before = opened.manifest.format_version
    if is_current(opened):
        if output == "json":
            click.echo(json.dumps({"upgraded": False, "format_version": before}, indent=2))
        else:
            click.echo(printable(f"{bundle} is of format {before}, which is current; nothing was written"))
        return
    written = upgrade_bundle(opened, out, overwrite=overwrite)
    _say_written(written, output, {"upgraded": True, "format_version_before": before})


def _say_written(path: Path, output: str, more: dict[str, Any]) -> None:
    """What has been written, read again from there."""
    from llb.bundle import content_id, file_digests, read_any_bundle

    written = read_any_bundle(path)
    digests = file_digests(written.container)
    if output == "json":
        document = {
            **more,
            "id": written.manifest.id,
            "version": written.manifest.version,
            "format_version": written.manifest.format_version,
            "content_id": content_id(digests),
            "path": str(path),
            "form": written.container.kind,
            "files": len(digests),
        }
        click.echo(json.dumps(document, indent=2))
        return
    form = _FORMS[written.container.kind]
    name = f"{written.manifest.id}@{written.manifest.version}"
    click.echo(printable(f"{name}: {form} {path}, {len(digests)} files"))
    click.echo(f"content id {content_id(digests)}")
    if more:
        versions = more["format_version_before"], written.manifest.format_version
        click.echo(printable("format {} -> {}".format(*versions)))
