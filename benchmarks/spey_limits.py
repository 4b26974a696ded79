"""Upper limits in Spey: a bundle beside spey-pyhf on the full model, the same signals, in the same run.

    uv run --with "spey-pyhf>=0.2,<0.3" python benchmarks/spey_limits.py BUNDLE --analysis ATLAS-SUSY-2018-04

Both are asked as a user would ask: a new Spey model for each signal, then its observed and its a-posteriori
expected limit. The bundle is opened once; spey-pyhf builds the full model from the workspace and a patch with
the same yields. Where they differ by more than two standard deviations of the error that the bundle states,
the exact limit in the bundle says which of them is off: fits of spey-pyhf start once and may end in the wrong
minimum, or fail.
"""

from __future__ import annotations

import csv
import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyhf

os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")

import spey
from searches import DATA, EMBEDDED, REAL, find_search, published_signals

from llb.runtime import ProfileLikelihood, limits, load
from llb_trainer.teachers.histfactory import Workspace, read_workspace

_REACHED = (0.1, 10.0)
"""Upper limits that a search brackets without trouble."""
_KINDS = {"observed": "observed", "expected": "aposteriori"}
_WARM = 1
"""Signals answered before the clock runs: libraries compile and import then."""


@dataclass(frozen=True)
class Limit:
    """One upper limit on mu, of one signal.

    Attributes:
        signal: its name.
        kind: `observed` or `expected`.
        bundle: the bundle's, through Spey.
        full: of the full model, through spey-pyhf; NaN where it fails.
        stated: the error of the bundle's limit that the bundle states, one standard deviation.
        exact: the teacher's own, found in every minimum.
    """

    signal: str
    kind: str
    bundle: float
    full: float
    stated: float
    exact: float

    @property
    def within(self) -> bool:
        """Whether both agree within two standard deviations of what the bundle states."""
        return abs(self.bundle - self.full) <= 2.0 * self.stated + 1e-4 * self.full


@dataclass(frozen=True)
class Answered:
    """What came of one search; seconds are medians over signals of a new model and both of its limits.

    Attributes:
        id: of the search.
        backend: what pyhf computed with.
        seconds_bundle, seconds_full: for one signal.
        ratio: of them.
        limits: all of them.
        within: how many agree within the stated error.
        bundle_nearer: of the others, where the bundle is nearer to the exact limit.
    """

    id: str
    backend: str
    seconds_bundle: float
    seconds_full: float
    ratio: float
    limits: tuple[Limit, ...]
    within: int
    bundle_nearer: int


def patch_of(workspace: Workspace, yields: np.ndarray) -> list[dict[str, Any]]:
    """A JSON patch that adds the signal to every channel, with the POI and luminosity."""
    bins = dict[str, list[float]]()
    for (channel, _), events in zip(workspace.bins, yields, strict=True):
        bins.setdefault(channel, []).append(float(events))
    measurement = next(
        item for item in workspace.spec["measurements"] if item["name"] == workspace.measurement
    )
    named = {item["name"] for item in measurement["config"]["parameters"]}
    modifiers = [{"name": measurement["config"]["poi"], "type": "normfactor", "data": None}]
    if "lumi" in named:
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})
    return [
        {
            "op": "add",
            "path": f"/channels/{number}/samples/{len(channel['samples'])}",
            "value": {"name": "signal", "data": bins[channel["name"]], "modifiers": modifiers},
        }
        for number, channel in enumerate(workspace.spec["channels"])
    ]


def both_limits(make: Callable[[], Any]) -> tuple[dict[str, float], float]:
    """Limits by kind from a new Spey model, and the seconds they took; NaN where Spey fails."""
    began = time.perf_counter()
    model = make()
    found = dict[str, float]()
    for kind, expected in _KINDS.items():
        try:
            found[kind] = float(model.poi_upper_limit(expected=spey.ExpectationType[expected]))
        except Exception as error:  # a fit of a peer may fail in many ways, and its row has to say so
            click.echo(f"spey-pyhf: {type(error).__name__}: {str(error)[:100]}", err=True)
            found[kind] = math.nan
    return found, time.perf_counter() - began


def exact_limits(bundle: ProfileLikelihood) -> dict[str, dict[str, float]]:
    """The teacher's own limits, from the benchmarks in the bundle, by signal and kind."""
    table = bundle.bundle.manifest.validation.benchmarks
    if table is None:
        return {}
    lines = bundle.bundle.container.read(table).decode().splitlines()
    return {
        row["name"]: {kind: float(row[f"upper_limit_{kind}"]) for kind in _KINDS}
        for row in csv.DictReader(lines)
    }


def measured(name: str, data: Path, path: Path, points: int, backend: str) -> Answered:
    """One search."""
    search = find_search(name, data)
    workspace = read_workspace(search.workspace)
    signals = published_signals(search, workspace, ("lumi",))
    bundle = load(path)
    ours = limits(bundle, signals)
    observed = np.array([item.upper_limit_observed for item in ours])
    reached = np.flatnonzero((observed > _REACHED[0]) & (observed < _REACHED[1]))
    chosen = reached[np.linspace(0, len(reached) - 1, min(points + _WARM, len(reached))).astype(int)]
    exact = exact_limits(bundle)
    learned, full = spey.get_backend("llb.profile_likelihood"), spey.get_backend("pyhf")
    # spey-pyhf takes JAX where it is installed.
    pyhf.set_backend(backend, precision="64b")
    rows: list[Limit] = []
    seconds: list[tuple[float, float]] = []
    for row in chosen:
        yields, patch = signals.yields[row], patch_of(workspace, signals.yields[row])
        mine, fast = both_limits(lambda yields=yields: learned(bundle=bundle, signal_yields=yields))
        theirs, slow = both_limits(
            lambda patch=patch: full(background_only_model=dict(workspace.spec), signal_patch=patch)
        )
        seconds.append((fast, slow))
        truth = exact.get(signals.names[row], {})
        stated = {
            "observed": ours[row].upper_limit_observed_error,
            "expected": ours[row].upper_limit_expected_error[2],
        }
        rows += [
            Limit(signals.names[row], kind, mine[kind], theirs[kind], stated[kind], truth.get(kind, math.nan))
            for kind in _KINDS
        ]
        click.echo(f"{rows[-2]}\n{rows[-1]}\n{fast:.4f} s, {slow:.1f} s", err=True)
    fast, slow = np.median(np.array(seconds[_WARM:]), axis=0)
    outside = [item for item in rows if not item.within]
    return Answered(
        id=name,
        backend=backend,
        seconds_bundle=float(fast),
        seconds_full=float(slow),
        ratio=float(slow / fast),
        limits=tuple(rows),
        within=len(rows) - len(outside),
        bundle_nearer=sum(
            not abs(item.full - item.exact) < abs(item.bundle - item.exact) for item in outside
        ),
    )


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True))
@click.option("--analysis", type=click.Choice([EMBEDDED, *REAL]), default=EMBEDDED, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
@click.option("--points", type=click.IntRange(1), default=5, show_default=True, help="Signals to ask for.")
@click.option("--pyhf-backend", type=click.Choice(["jax", "numpy"]), default="jax", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def main(bundle: Path, analysis: str, data: Path, points: int, pyhf_backend: str, form: str) -> None:
    """Limits and times of a bundle and of spey-pyhf."""
    answered = measured(analysis, data, bundle, points, pyhf_backend)
    if form == "json":
        json.dump(asdict(answered), sys.stdout, indent=2)
        return
    for item in answered.limits:
        sign = " " if item.within else "*"
        click.echo(
            f"{item.signal:20s} {item.kind:9s}{sign} bundle {item.bundle:.5f} ± {item.stated:.5f}, "
            f"spey-pyhf {item.full:.5f}, exact {item.exact:.5f}"
        )
    click.echo(
        f"{answered.within} of {len(answered.limits)} within the stated error; in {answered.bundle_nearer} "
        "of the others (*) the bundle is nearer to the exact limit"
    )
    click.echo(
        f"{answered.seconds_full:.2f} s (spey-pyhf, {answered.backend}) against "
        f"{1e3 * answered.seconds_bundle:.2f} ms: {answered.ratio:.0f} times"
    )


if __name__ == "__main__":
    main()
