"""The statistical problem that pyhf is given: background workspace plus one signal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonpatch
import numpy as np
import pyhf
from numpy.typing import NDArray

from llb_schema import FindingError, finding

__all__ = [
    "PeerProblem",
    "PeerSearch",
    "Yields",
    "channel_yields",
    "parameter_names",
    "patch_yields",
    "patched_problem",
    "signal_problem",
]

Yields = Mapping[str, Sequence[float]]
"""Signal events at mu = 1: channel name -> one value per bin; an absent channel has no signal."""

_SIGNAL_SAMPLE = "llb_signal"


@dataclass(frozen=True)
class PeerSearch:
    """A search as pyhf sees it, and how a signal enters it.

    Attributes:
        workspace: background-only workspace, parsed JSON.
        measurement: name of the measurement; None takes the first one.
        signal_modifiers: modifiers of an added signal besides the POI; `("lumi",)` or `()`.
        normsys_code: interpolation of `normsys`, pyhf's name for it.
        histosys_code: interpolation of `histosys`.
    """

    workspace: Mapping[str, Any]
    measurement: str | None = None
    signal_modifiers: tuple[str, ...] = ("lumi",)
    normsys_code: str = "code4"
    histosys_code: str = "code4p"

    @property
    def poi(self) -> str:
        """Name of the parameter of interest in the measurement.

        Raises:
            FindingError: LLB-W051, the workspace has no such measurement.
        """
        for measurement in self.workspace["measurements"]:
            if self.measurement in (None, measurement["name"]):
                return measurement["config"]["poi"]
        names = ", ".join(measurement["name"] for measurement in self.workspace["measurements"])
        raise FindingError(finding("LLB-W051", expected=names, actual=self.measurement))


@dataclass(frozen=True)
class PeerProblem:
    """A pyhf model with its observed data.

    Attributes:
        model: `pyhf.Model` with the signal.
        data: observed main data followed by the auxiliary data, in the model's order.
    """

    model: Any
    data: NDArray[np.float64]


def channel_yields(channels: Iterable[str], yields: NDArray[np.float64]) -> Yields:
    """One signal (n_bins,) by channel, given the channel of each bin; bins are in order within a channel."""
    result: dict[str, tuple[float, ...]] = {}
    for name, value in zip(channels, yields, strict=True):
        result[name] = (*result.get(name, ()), float(value))
    return result


def signal_problem(search: PeerSearch, yields: Yields) -> PeerProblem:
    """Add a signal with the search's signal model to every channel.

    Raises:
        FindingError: LLB-W052, the yields name an unknown channel or have a wrong number of bins.
    """
    bins = {item["name"]: len(item["data"]) for item in search.workspace["observations"]}
    for channel, values in yields.items():
        if len(values) != bins.get(channel, -1):
            raise FindingError(
                finding(
                    "LLB-W052", pointer=channel, expected=bins.get(channel, sorted(bins)), actual=len(values)
                )
            )
    modifiers = [
        {"name": search.poi, "type": "normfactor", "data": None},
        *({"name": name, "type": name, "data": None} for name in search.signal_modifiers),
    ]
    channels = [
        {
            **channel,
            "samples": [
                *channel["samples"],
                {
                    "name": _SIGNAL_SAMPLE,
                    "data": [float(value) for value in yields.get(name, [0.0] * bins[name])],
                    "modifiers": modifiers,
                },
            ],
        }
        for channel in search.workspace["channels"]
        for name in [channel["name"]]
    ]
    return _problem(search, {**search.workspace, "channels": channels})


def parameter_names(search: PeerSearch) -> tuple[str, ...]:
    """Names of all parameter elements of the model with a signal, in pyhf's order, the POI included."""
    return tuple(str(name) for name in signal_problem(search, {}).model.config.par_names)


def patched_problem(search: PeerSearch, patch: Sequence[Mapping[str, Any]]) -> PeerProblem:
    """Apply a patch with everything in it, the signal's own systematic uncertainties included."""
    return _problem(search, jsonpatch.apply_patch(search.workspace, patch))


def patch_yields(search: PeerSearch, patch: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, ...]]:
    """The nominal signal yields that a patch adds: channel -> events per bin at mu = 1.

    Signal is every sample that the POI scales; several of them in one channel are summed.
    """
    spec = jsonpatch.apply_patch(search.workspace, patch)
    yields: dict[str, tuple[float, ...]] = {}
    for channel in spec["channels"]:
        signals = [
            sample["data"]
            for sample in channel["samples"]
            if any(modifier["name"] == search.poi for modifier in sample["modifiers"])
        ]
        if signals:
            yields[channel["name"]] = tuple(float(total) for total in np.sum(signals, axis=0))
    return yields


def _problem(search: PeerSearch, spec: Mapping[str, Any]) -> PeerProblem:
    workspace = pyhf.Workspace(spec)
    model = workspace.model(
        measurement_name=search.measurement,
        modifier_settings={
            "normsys": {"interpcode": search.normsys_code},
            "histosys": {"interpcode": search.histosys_code},
        },
    )
    return PeerProblem(model, np.asarray(workspace.data(model), dtype=np.float64))
