"""How much faster a bundle finds upper limits than pyhf, in the same run.

    uv run python benchmarks/limit_speed.py BUNDLE --analysis ATLAS-SUSY-2019-08 [--points 3] [--format json]

The bundle answers for every published signal, loading included: observed, expected and a-priori limits. pyhf
(numpy, SLSQP, its own root search, observed and expected limits) does a few of the same signals, evenly
chosen among those with a limit between 0.1 and 10, and is taken to need as long for each of the others.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import pyhf
from numpy.typing import NDArray
from pyhf.infer.intervals.upper_limits import upper_limit
from searches import DATA, EMBEDDED, REAL, find_search, published_signals

from llb.runtime import limits, load
from llb_trainer.peer import PeerProblem, PeerSearch, channel_yields, signal_problem
from llb_trainer.peer.quiet import numpy_pyhf
from llb_trainer.teachers.histfactory import read_workspace

_REACHED = (0.1, 10.0)
"""Upper limits that pyhf's search brackets by itself."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Speed:
    """Both sides of one search; seconds for all its signals, and upper limits on mu.

    Attributes:
        id: of the search.
        signals: of the search.
        seconds: of the bundle, for all signals.
        pyhf_signals: given to pyhf.
        pyhf_seconds: of pyhf, for each of those.
        failed: of those, where a fit of pyhf failed.
        ratio: pyhf's time for all signals over the bundle's.
        difference: largest relative difference of the observed limits, where pyhf found one.
    """

    id: str
    signals: int
    seconds: float
    pyhf_signals: int
    pyhf_seconds: float
    failed: int
    ratio: float
    difference: float


def pyhf_limit(problem: PeerProblem) -> float:
    """pyhf's observed upper limit; NaN where one of its fits fails."""
    try:
        observed, _ = upper_limit(problem.data.tolist(), problem.model, level=0.05, rtol=1e-4)
    except (pyhf.exceptions.FailedMinimization, ValueError):
        return float("nan")
    return float(observed)


def measured(name: str, data: Path, bundle: Path, points: int) -> Speed:
    """One search."""
    search = find_search(name, data)
    workspace = read_workspace(search.workspace)
    signals = published_signals(search, workspace, ("lumi",))
    limits(load(bundle), signals.yields[:1])  # what is imported on first use is nobody's time
    began = time.perf_counter()
    found = limits(load(bundle), signals)
    seconds = time.perf_counter() - began
    ours = np.array([item.upper_limit_observed for item in found])
    reached = np.flatnonzero((ours > _REACHED[0]) & (ours < _REACHED[1]))
    chosen = reached[np.linspace(0, len(reached) - 1, min(points, len(reached))).astype(int)]
    peer = PeerSearch(workspace.spec, workspace.measurement)
    theirs: list[float] = []
    began = time.perf_counter()
    with numpy_pyhf():
        for row in chosen:
            yields = channel_yields((channel for channel, _ in workspace.bins), signals.yields[row])
            theirs.append(pyhf_limit(signal_problem(peer, yields)))
            click.echo(f"{signals.names[row]}: bundle {ours[row]:.4f}, pyhf {theirs[-1]:.4f}", err=True)
    each = (time.perf_counter() - began) / len(chosen)
    answers = np.array(theirs)
    return Speed(
        id=name,
        signals=len(found),
        seconds=seconds,
        pyhf_signals=len(chosen),
        pyhf_seconds=each,
        failed=int(np.isnan(answers).sum()),
        ratio=each * len(found) / seconds,
        difference=float(np.nanmax(np.abs(ours[chosen] / answers - 1.0)))
        if np.isfinite(answers).any()
        else float("nan"),
    )


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True))
@click.option("--analysis", type=click.Choice([EMBEDDED, *REAL]), default=EMBEDDED, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
@click.option(
    "--points", type=click.IntRange(1), default=3, show_default=True, help="Signals that pyhf is given."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def main(bundle: Path, analysis: str, data: Path, points: int, form: str) -> None:
    """Time upper limits of a bundle and of pyhf."""
    speed = asdict(measured(analysis, data, bundle, points))
    if form == "json":
        json.dump(speed, sys.stdout, indent=2)
    else:
        click.echo("\n".join(f"{key:15s} {value}" for key, value in speed.items()))


if __name__ == "__main__":
    main()
