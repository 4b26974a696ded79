"""What a label costs, against the numbers of bins and of parameters.

    python benchmarks/scaling.py --figure docs/images/label_scaling.png
    python benchmarks/scaling.py --format json > scaling.json
    python benchmarks/scaling.py --from scaling.json --figure docs/images/label_scaling.png

The published searches, and synthetic ones on a grid; one worker process with one thread each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from searches import DATA, EMBEDDED, REAL, Search, find_search

from llb.cli.failure import run

# Worker processes import this module: what only the parent needs is imported where it is used.
if TYPE_CHECKING:
    from engine import Stage
    from rich.table import Table

__all__ = ["main"]

_SYNTHETIC = "synthetic"
_COLUMNS = {
    "bins": ("bins", 1),
    "parameters": ("par.", 1),
    "seconds_per_label": ("ms/label", 1e3),
    "seconds_per_fit": ("ms/fit", 1e3),
    "starts_per_label": ("starts", 1),
    "failed_fraction": ("failed", 1),
    "opening_seconds": ("open s", 1),
    "peak_rss_mb": ("MB", 1),
}
"""Quantity -> title and factor."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--analysis",
    "names",
    multiple=True,
    type=click.Choice([*REAL, EMBEDDED, _SYNTHETIC]),
    default=(*REAL, _SYNTHETIC),
    help="Which models; repeatable.",
)
@click.option(
    "--bins",
    multiple=True,
    type=click.IntRange(4),
    default=(5, 20, 50, 100, 200),
    help="Of synthetic models.",
)
@click.option(
    "--parameters",
    multiple=True,
    type=click.IntRange(5),
    default=(50, 200, 500, 1000),
    help="Of synthetic models.",
)
@click.option("--labels", type=click.IntRange(1), default=256, help="Signals labelled of each model.")
@click.option("--pilot", type=click.IntRange(1), default=64, help="Signals on which the engine explores.")
@click.option("--seed", type=click.IntRange(0), default=20261121, help="Of everything random.")
@click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), default=DATA, help="Folder of the models."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Of the report.")
@click.option("--figure", type=click.Path(path_type=Path, dir_okay=False), help="Where a picture goes (PNG).")
@click.option(
    "--from",
    "earlier",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Report of an earlier run; nothing is measured.",
)
def main(
    names: tuple[str, ...],
    bins: tuple[int, ...],
    parameters: tuple[int, ...],
    data: Path,
    form: str,
    figure: Path | None,
    earlier: Path | None,
    **sizes: int,
) -> None:
    """Measure the cost of labels against the size of the model.

    Progress goes to stderr, the report to stdout.
    """
    if earlier is not None:
        entries = json.loads(earlier.read_bytes())["models"]
    else:
        with tempfile.TemporaryDirectory() as folder:
            searches = [find_search(name, data) for name in names if name != _SYNTHETIC]
            if _SYNTHETIC in names:
                searches += _grid(bins, parameters, sizes["seed"], Path(folder))
            entries = _measured(searches, **sizes)
    if figure is not None:
        from scaling_figure import scaling_figure

        figure.write_bytes(scaling_figure(entries))
    if form == "json":
        click.echo(json.dumps({"models": entries}, allow_nan=False, indent=2))
    else:
        from rich.console import Console

        Console().print(_table(entries))


def _grid(bins: tuple[int, ...], parameters: tuple[int, ...], seed: int, folder: Path) -> list[Search]:
    from synthetic import synthetic_search

    return [synthetic_search(n, m, seed, folder) for n, m in product(bins, parameters)]


def _measured(searches: list[Search], labels: int, pilot: int, seed: int) -> list[dict[str, Any]]:
    from llb.cli.progress import Stages

    with Stages() as stages:
        return [
            _cost(search, labels, pilot, seed, lambda title, size, n=search.id: stages(f"{n}: {title}", size))
            for search in searches
        ]


def _cost(search: Search, count: int, pilot: int, seed: int, stage: Stage) -> dict[str, Any]:
    from engine import Workers, draw, opened

    told = stage("opening and exploring", 1)
    found = opened(search, pilot, seed + 1)
    told(1)
    with Workers(found.teacher, 1) as workers:
        told = stage("compiling", 1)
        workers.warm(draw(found, count, seed + 3))
        told(1)
        run = workers.label(draw(found, count, seed), count, stage("labels", count))
    starts = sum(int(curve.starts.sum()) for curve in run.labels.curves)
    return {
        "id": search.id,
        "bins": len(found.teacher.bins),
        "parameters": len(found.teacher.model.parameters),
        "curves": len(run.labels.curves),
        "labels": run.count,
        "seconds": run.seconds,
        "seconds_per_label": run.seconds / run.proven if run.proven else None,
        "seconds_per_fit": run.seconds / starts,
        "starts_per_label": starts / run.count,
        "failed_fraction": 1 - run.proven / run.count,
        "opening_seconds": found.opening_seconds,
        "exploring_seconds": found.exploring_seconds,
        "compile_seconds": run.compile_seconds,
        "peak_rss_mb": max(run.peak_rss_mb),
    }


def _table(entries: list[dict[str, Any]]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(title="Cost of a label", box=SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("", no_wrap=True)
    for title, _ in _COLUMNS.values():
        table.add_column(title, justify="right", no_wrap=True)
    for entry in entries:
        table.add_row(entry["id"], *(_cell(entry[key], factor) for key, (_, factor) in _COLUMNS.items()))
    return table


def _cell(value: float | None, factor: float) -> str:
    if value is None:
        return "-"
    return f"{factor * value:.0f}" if factor * value >= 100 else f"{factor * value:.3g}"


if __name__ == "__main__":
    sys.exit(run(partial(main, standalone_mode=False)))
