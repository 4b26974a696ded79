"""`python -m llb_smodels`: how to use bundles in SModelS, and the lines of `globalInfo.txt` for one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from llb.bundle import read_bundle
from llb_schema import FindingError
from llb_smodels.database import global_info

__all__ = ["main"]


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
def main(bundle: Path | None) -> None:
    """Print what SModelS is to be told of bundles.

    Without BUNDLE, lines of a parameter file of runSModelS.py; with it, those of an analysis' globalInfo.txt.
    """
    if bundle is None:
        click.echo(f"[custom-codes]\nfiles = {resources.files('llb_smodels') / 'shim.py'}")
        return
    try:
        opened = read_bundle(bundle)
    except FindingError as error:
        raise click.ClickException(str(error)) from error
    name = bundle.name
    if opened.container.kind == "directory":
        name = f"{bundle.name}.zip"
        click.echo(f"SModelS takes archives: llb pack {bundle} --out {name}", err=True)
    click.echo(global_info(opened.manifest, name), nl=False)


if __name__ == "__main__":
    main(prog_name="python -m llb_smodels")
