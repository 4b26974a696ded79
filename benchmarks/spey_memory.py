"""What a scan through Spey leaves in memory: the plugin's part, and all of it beside a model of Spey's own.

    uv run python benchmarks/spey_memory.py [--signals 10000] [--format json]

Spey 0.2.7 keeps every model of a scan (its cache of results lets go of none), so whatever a backend holds
adds up. Each row is a fresh process: backends alone, all of them kept; Spey models with a limit each; and, to
compare, as many of Spey's own Poisson models.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")

_BINS = 4
_WARM = 600
"""Signals before the first look: imports, sessions, and the curves that the plugin keeps."""


@dataclass(frozen=True)
class Growth:
    """Growth of the resident set over the signals of one kind of scan, in MB (10^6 bytes)."""

    what: str
    signals: int
    megabytes: float


def resident() -> float:
    """Resident set of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def bundle() -> Any:
    """An analytic bundle of four bins, opened."""
    from llb.runtime import load
    from llb_conformance import counting_model, write_quadratic

    return load(write_quadratic(counting_model(), Path(tempfile.mkdtemp()) / "counting.llb"))


def backends() -> Callable[[Any], Any]:
    """The plugin's objects."""
    from llb_spey import ProfileLikelihoodBackend

    model = bundle()
    return lambda signal: ProfileLikelihoodBackend(model, signal)


def models() -> Callable[[Any], Any]:
    """Spey's objects around them, each asked for its limit."""
    import spey

    make, model = spey.get_backend("llb.profile_likelihood"), bundle()
    return lambda signal: make(bundle=model, signal_yields=signal).poi_upper_limit()


def poisson() -> Callable[[Any], Any]:
    """Spey's own model of as many bins, asked for its limit."""
    import spey

    make = spey.get_backend("default.poisson")
    return lambda signal: make(
        signal_yields=signal, background_yields=np.full(_BINS, 10.0), data=np.full(_BINS, 11)
    ).poi_upper_limit()


SCANS: dict[str, Callable[[], Callable[[Any], Any]]] = {
    "plugin": backends,
    "plugin in Spey": models,
    "Poisson model of Spey": poisson,
}


def grown(what: str, signals: int) -> Growth:
    """One scan, in this process."""
    make = SCANS[what]()
    yields = np.random.default_rng(1).uniform(0.1, 5.0, (_WARM + signals, _BINS))
    kept = [make(signal) for signal in yields[:_WARM]]
    before = resident()
    kept += [make(signal) for signal in yields[_WARM:]]
    return Growth(what, signals, resident() - before)


@click.command()
@click.option("--signals", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def main(signals: int, form: str) -> None:
    """Memory of scans."""
    rows: list[Growth] = []
    for what in SCANS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(grown, (what, signals)))
        if form == "text":
            click.echo(f"{what:22s} {signals} signals: {rows[-1].megabytes:6.1f} MB")
    if form == "json":
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)


if __name__ == "__main__":
    main()
