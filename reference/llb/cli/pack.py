"""The command `llb pack`: a bundle in another form."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llb.cli.failure import printable
from llb.cli.given import FORMAT, PATH

__all__ = ["pack_command"]

_FORMS = {"directory": "directory", "zip": "zip archive", "tar": "tar.gz archive"}


@click.command("pack", short_help="Write a bundle in another form: zip, tar.gz or directory.")
@click.argument("bundle", type=PATH)
@click.option(
    "--out",
    type=PATH,
    required=True,
    help="Where to: an archive if it ends in .zip, .tar.gz or .tgz, a directory otherwise.",
)
@click.option("--force", "overwrite", is_flag=True, help="Replace a bundle that is there already.")
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
    from llb.bundle import content_id, copy_bundle, file_digests, read_bundle

    written = read_bundle(copy_bundle(read_bundle(bundle), out, overwrite=overwrite))
    digests = file_digests(written.container)
    if output == "json":
        document = {
            "id": written.manifest.id,
            "version": written.manifest.version,
            "content_id": content_id(digests),
            "path": str(out),
            "form": written.container.kind,
            "files": len(digests),
        }
        click.echo(json.dumps(document, indent=2))
        return
    form = _FORMS[written.container.kind]
    name = f"{written.manifest.id}@{written.manifest.version}"
    click.echo(printable(f"{name}: {form} {out}, {len(digests)} files"))
    click.echo(f"content id {content_id(digests)}")
