"""A bundle of ATLAS-SUSY-2019-08 against the CLs of its published model, as others computed them with pyhf.

    uv run python benchmarks/published_cls.py BUNDLE [--data DIR]

The harvest `noSigUncs_1Lbb` is the likelihood that the bundle learns: the signal's own uncertainties left
out. `1Lbb` has them, so that what they change stands apart from what the network does.
"""

from __future__ import annotations

import csv
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from searches import DATA, find_search, mass_plane, published_signals

from llb.runtime import limits, load
from llb_trainer.teachers.histfactory import read_workspace

_ANALYSIS = "ATLAS-SUSY-2019-08"
_HARVESTS = {"noSigUncs_1Lbb": "the same likelihood", "1Lbb": "with the signal's own uncertainties"}

Floats = NDArray[np.float64]


def harvested(path: Path, harvest: str) -> dict[tuple[float, float], tuple[float, float]]:
    """Observed and median expected CLs by masses."""
    with path.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["harvest"] == harvest]
    return {(float(row["m1"]), float(row["m2"])): (float(row["CLs"]), float(row["CLsexp"])) for row in rows}


def sentence(name: str, ours: Floats, theirs: Floats) -> str:
    """How two sets of CLs (n,) compare."""
    decided = (theirs > 1e-3) & (theirs < 1.0)
    relative = np.abs(ours[decided] / theirs[decided] - 1.0)
    same = int(np.sum((ours < 0.05) == (theirs < 0.05)))
    quantiles = ", ".join(f"{100 * value:.2g} %" for value in np.quantile(relative, [0.5, 0.95, 1.0]))
    sides = f"{same} of {len(ours)} signals on the same side of 0.05"
    return f"{name}: {sides}; median, 95 %, largest difference {quantiles}"


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
def main(bundle: Path, data: Path) -> None:
    """Compare a bundle's CLs with published ones."""
    search = find_search(_ANALYSIS, data)
    signals = published_signals(search, read_workspace(search.workspace), ("lumi",))
    found = limits(load(bundle), signals)
    masses = [(float(a), float(b)) for a, b in mass_plane(search, signals.names)[1]]
    for harvest, meaning in _HARVESTS.items():
        known = harvested(data / _ANALYSIS / "reference" / "pyhf_CLs_harvest.csv", harvest)
        pairs = [(item, known[mass]) for item, mass in zip(found, masses, strict=True) if mass in known]
        observed = np.array([(item.cls_observed, cls) for item, (cls, _) in pairs])
        expected = np.array([(item.cls_expected[2], cls) for item, (_, cls) in pairs])
        click.echo(f"{harvest}, {meaning}:")
        click.echo(f"  {sentence('observed', *observed.T)}")
        click.echo(f"  {sentence('expected', *expected.T)}")


if __name__ == "__main__":
    main()
