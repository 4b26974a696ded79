"""Invented HistFactory searches of any size, seeded, for the scaling of costs.

Three backgrounds with free normalisations, each fixed by a control region of one bin, a rest without,
and signal regions of up to ten bins. Uncertainties are normsys and histosys that several channels and samples
share, and staterror; together they move a background by some 15 %, as in a published search.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from searches import Search, Sizes

__all__ = ["NORMALISED", "synthetic_search", "synthetic_signals", "synthetic_workspace"]

Floats = NDArray[np.float64]
Modifier = dict[str, Any]

NORMALISED = ("top", "Z", "diboson")
"""Backgrounds with a free normalisation and a control region."""

_SAMPLES = (*NORMALISED, "rest")
_REGION_BINS = 10
_PLACES = 8
"""(channel, sample) pairs on which one systematic uncertainty works, on average."""
_TOTAL = 0.15
_SIGNALS = 16


def synthetic_search(bins: int, parameters: int, seed: int, folder: Path) -> Search:
    """Write a search with so many bins and nuisance parameters, and its signals, into a folder.

    Raises:
        ValueError: fewer than 4 bins, or too few parameters for three normalisations and one uncertainty.
    """
    name = f"synthetic-{bins}x{parameters}"
    workspace, signals = folder / f"{name}.json", folder / f"{name}.csv"
    spec = synthetic_workspace(bins, parameters, seed)
    workspace.write_text(json.dumps(spec), encoding="utf-8")
    signals.write_text(_csv(spec, synthetic_signals(spec, seed)), encoding="utf-8")
    return Search(name, workspace, signals, Sizes(256, 0, 0))


def synthetic_workspace(bins: int, parameters: int, seed: int) -> dict[str, Any]:
    """A background-only workspace with observations; exactly so many bins and nuisance parameters."""
    if bins < len(NORMALISED) + 1 or parameters < len(NORMALISED) + 1:
        raise ValueError(f"no search has {bins} bins and {parameters} parameters here")
    rng = np.random.default_rng([seed, bins, parameters])
    channels = _channels(bins, rng)
    statistical = _with_staterror(channels, (parameters - len(NORMALISED)) // 2)
    count = sum(len(channel["samples"][0]["data"]) for channel in statistical)
    for channel in statistical:
        for sample in channel["samples"]:
            nominal = np.asarray(sample["data"])
            error = (0.02 + 0.3 / np.sqrt(nominal + 1.0)) * nominal
            sample["modifiers"].append(_modifier(f"staterror_{channel['name']}", "staterror", error.tolist()))
    _add_systematics(channels, parameters - len(NORMALISED) - count, rng)
    observations = [
        {"name": channel["name"], "data": rng.poisson(_total(channel)).astype(float).tolist()}
        for channel in channels
    ]
    norms = [{"name": f"mu_{name}", "bounds": [[0.0, 5.0]], "inits": [1.0]} for name in NORMALISED]
    measurement = {"name": "synthetic", "config": {"poi": "mu_SIG", "parameters": norms}}
    return {
        "channels": channels,
        "observations": observations,
        "measurements": [measurement],
        "version": "1.0.0",
    }


def synthetic_signals(spec: dict[str, Any], seed: int) -> Floats:
    """(n, n_bins) signals in the order of the document: broad bumps in the signal regions."""
    rng = np.random.default_rng([seed, 1])
    background = np.concatenate([_total(channel) for channel in spec["channels"]])
    inside = np.arange(len(background)) >= len(NORMALISED)
    place = np.arange(len(background)) - len(NORMALISED)
    centre, width = rng.uniform(0, place[-1] + 1, size=(2, _SIGNALS, 1))
    shape = np.exp(-0.5 * ((place - centre) / (1.0 + width)) ** 2) * inside
    return shape * np.sqrt(background + 1.0)


def _channels(bins: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Control regions first, then signal regions; samples without modifiers but their normalisation."""
    channels: list[dict[str, Any]] = []
    for number, name in enumerate(NORMALISED):
        events = 20.0 * rng.uniform(0.5, 1.5, size=(len(_SAMPLES), 1))
        events[number] = rng.uniform(200.0, 600.0)
        channels.append(_channel(f"CR{name}", events))
    left = bins - len(NORMALISED)
    while left:
        size = min(_REGION_BINS, left)
        falling = np.exp(-np.arange(size) / 3.0)
        events = rng.uniform(4.0, 40.0, size=(len(_SAMPLES), 1)) * falling
        channels.append(_channel(f"SR{len(channels) - len(NORMALISED):02d}", 0.2 + events))
        left -= size
    return channels


def _channel(name: str, events: Floats) -> dict[str, Any]:
    samples = [
        {
            "name": sample,
            "data": values.tolist(),
            "modifiers": [_modifier(f"mu_{sample}", "normfactor", None)] if sample in NORMALISED else [],
        }
        for sample, values in zip(_SAMPLES, events, strict=True)
    ]
    return {"name": name, "samples": samples}


def _with_staterror(channels: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """As many channels, from the last, as have no more than so many bins together."""
    chosen: list[dict[str, Any]] = []
    for channel in reversed(channels):
        most -= len(channel["samples"][0]["data"])
        if most < 0:
            break
        chosen.append(channel)
    return chosen


def _add_systematics(channels: list[dict[str, Any]], count: int, rng: np.random.Generator) -> None:
    """Uncertainties in turn normsys and histosys, each on some pairs of channel and sample."""
    places = [sample for channel in channels for sample in channel["samples"]]
    working = min(_PLACES, len(places))
    size = _TOTAL / np.sqrt(max(1.0, count * working / len(places)))
    for number in range(count):
        for place in rng.choice(len(places), working, replace=False):
            sample, name = places[place], f"alpha_{number:04d}"
            up, down = size * rng.normal(size=2) * (1.0, 0.2)
            if number % 2:
                sample["modifiers"].append(_modifier(name, "histosys", _shifted(sample["data"], up, rng)))
            else:
                factors = {"hi": float(np.exp(up)), "lo": float(np.exp(down - up))}
                sample["modifiers"].append(_modifier(name, "normsys", factors))


def _shifted(nominal: list[float], size: float, rng: np.random.Generator) -> dict[str, list[float]]:
    """Templates at one standard deviation, the shift changing along the bins."""
    shift = size * rng.uniform(-0.5, 1.5, size=len(nominal)) * np.asarray(nominal)
    return {"hi_data": (nominal + shift).tolist(), "lo_data": (nominal - shift).tolist()}


def _modifier(name: str, kind: str, data: object) -> Modifier:
    return {"name": name, "type": kind, "data": data}


def _total(channel: dict[str, Any]) -> Floats:
    return np.sum([sample["data"] for sample in channel["samples"]], axis=0)


def _csv(spec: dict[str, Any], signals: Floats) -> str:
    """Yields in the columns of the published ones."""
    bins = [
        (channel["name"], index)
        for channel in spec["channels"]
        for index in range(len(channel["samples"][0]["data"]))
    ]
    rows = [
        f"bump_{number},{channel},{index},{float(events)!r}"
        for number, signal in enumerate(signals)
        for (channel, index), events in zip(bins, signal, strict=True)
    ]
    return "\n".join(["point,channel,bin,yield", *rows, ""])
