"""This engine and pyhf's own `fixed_poi_fit` side by side: same model, same signals, one run.

    python benchmarks/labels.py
    python benchmarks/labels.py --analysis ATLAS-SUSY-2018-04 --format json > labels.json

benchmarks/README.md says what the columns mean.
"""

from __future__ import annotations

import json
import platform
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from searches import DATA, EMBEDDED, REAL, find_search

from llb.cli.failure import run

# Worker processes import this module: what only the parent needs is imported where it is used.
if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["main"]

_SOFTWARE = ("llb", "jax", "numpy", "scipy", "pyhf", "iminuit")


@click.command(context_settings={"show_default": True})
@click.option(
    "--analysis",
    "names",
    multiple=True,
    type=click.Choice([*REAL, EMBEDDED]),
    help="Which; all real ones if none.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Of the report.")
@click.option(
    "--labels", type=click.IntRange(4), help="Signals that this engine labels; by analysis if not given."
)
@click.option(
    "--peer-fits", type=click.IntRange(0), help="Fits by pyhf with SLSQP; by analysis if not given."
)
@click.option(
    "--minuit-fits", type=click.IntRange(0), help="Fits by pyhf with Minuit; by analysis if not given."
)
@click.option(
    "--peer-curves", type=click.Choice(["observed", "all"]), default="observed", help="What pyhf fits."
)
@click.option(
    "--second-look", type=click.IntRange(0), default=200, help="Signals looked at again; 0 for none."
)
@click.option("--starts", type=click.IntRange(1), default=50, help="Further random starts of each.")
@click.option(
    "--cores",
    multiple=True,
    type=click.IntRange(1),
    default=(1, 2),
    help="Worker processes at once; repeatable.",
)
@click.option("--pilot", type=click.IntRange(1), default=512, help="Signals on which the engine explores.")
@click.option("--chunk", type=click.IntRange(1), default=512, help="Most signals in one call of the engine.")
@click.option("--seed", type=click.IntRange(0), default=20261121, help="Of everything random.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=DATA, help="Folder of the models."
)
def main(
    names: tuple[str, ...],
    form: str,
    data: Path,
    peer_fits: int | None,
    minuit_fits: int | None,
    peer_curves: str,
    **options: Any,
) -> None:
    """Measure the labelling engine beside pyhf.

    Progress goes to stderr, the report to stdout.
    """
    from measure import Options, measure

    from llb.cli.progress import Stages

    chosen = Options(slsqp=peer_fits, minuit=minuit_fits, all_curves=peer_curves == "all", **options)
    with Stages() as stages:
        entries = [
            measure(
                find_search(name, data),
                chosen,
                lambda title, size, name=name: stages(f"{name}: {title}", size),
            )
            for name in names or tuple(REAL)
        ]
    if form == "json":
        click.echo(
            json.dumps({"analyses": entries, "environment": _environment()}, allow_nan=False, indent=2)
        )
    else:
        from rich.console import Console

        Console().print(_table(entries))


def _environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        **{name: version(name) for name in _SOFTWARE},
    }


def _table(entries: list[dict[str, Any]]) -> Table:
    """One column per analysis."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(title="Labels: this engine beside pyhf", box=SIMPLE, pad_edge=False)
    table.add_column("", no_wrap=True)
    for entry in entries:
        table.add_column(entry["id"].removeprefix("ATLAS-SUSY-"), justify="right")
    for title, cell in _ROWS.items():
        table.add_row(title, *(cell(entry) for entry in entries))
    return table


def _number(key: str, form: str = ".3g") -> Any:
    return lambda entry: "-" if entry[key] is None else format(entry[key], form)


def _by_cores(group: str, key: str, optimizer: str | None = None) -> Any:
    """The value at each number of cores, in their order."""

    def cell(entry: dict[str, Any]) -> str:
        found = [item[key] for item in entry[group] if item.get("optimizer") == optimizer]
        return " / ".join("-" if value is None else f"{value:.3g}" for value in found)

    return cell


_ROWS = {
    "bins": _number("bins", "d"),
    "nuisance parameters": _number("parameters", "d"),
    "labels/s, by cores": _by_cores("engine", "fits_per_second"),
    "pyhf SLSQP fits/s, by cores": _by_cores("peers", "fits_per_second", "slsqp"),
    "pyhf Minuit fits/s, by cores": _by_cores("peers", "fits_per_second", "minuit"),
    "ratio to SLSQP, by cores": _by_cores("peers", "ratio", "slsqp"),
    "ratio to Minuit, by cores": _by_cores("peers", "ratio", "minuit"),
    "starts per label": _number("starts_per_label"),
    "failed fraction": _number("failed_fraction", ".1e"),
    "NLL above the best of pyhf, at most": _number("max_nll_excess", ".1e"),
    "pyhf in a higher minimum, fraction": _number("peer_local_minimum_fraction"),
    "  by up to": _number("peer_local_minimum_max"),
    "second look, 99.9 %": _number("second_look_excess", ".1e"),
    "|pyhf -logpdf - NLL| at our optimum": _number("pyhf_logpdf_difference", ".1e"),
    "opening and compiling (s)": _number("compile_seconds"),
    "exploring (s)": _number("exploring_seconds"),
    "peak memory of a worker (MB)": _number("peak_rss_mb", ".0f"),
}


if __name__ == "__main__":
    sys.exit(run(partial(main, standalone_mode=False)))
