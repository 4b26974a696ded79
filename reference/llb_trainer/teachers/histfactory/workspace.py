"""A pyhf workspace as the teacher sees it: read, checked by pyhf, one measurement chosen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llb_schema import FindingError, finding

if TYPE_CHECKING:
    import pyhf

__all__ = ["INTERPOLATION", "Channel", "Workspace", "read_workspace"]

INTERPOLATION = {"normsys": "code4", "histosys": "code4p"}
"""The teacher's interpolation codes: those of ATLAS and pyhf's command line, not pyhf's library defaults."""

_SUPPORTED = frozenset({"histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"})


@dataclass(frozen=True)
class Channel:
    """A channel as the workspace document lists it; JSON patches point into this order."""

    name: str
    bins: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Workspace:
    """A background-only workspace that pyhf accepts.

    Attributes:
        name: file name, for the record.
        spec: the document.
        sha256: digest of the raw bytes.
        size: number of raw bytes.
        pyhf_digest: pyhf's own digest of the content, the one that patchsets quote.
        measurement: name of the measurement in use.
        poi: name of the parameter of interest; no sample carries it.
        channels: the channels in document order.
        model: the pyhf model of that measurement, without a POI.
        observed: observed main data per channel name.
    """

    name: str
    spec: dict[str, Any] = field(repr=False)
    sha256: str
    size: int
    pyhf_digest: str
    measurement: str
    poi: str
    channels: tuple[Channel, ...]
    model: pyhf.Model = field(repr=False)
    observed: dict[str, tuple[float, ...]]


def read_workspace(path: Path, measurement: str | None = None) -> Workspace:
    """Read a background-only HistFactory workspace and let pyhf check it.

    Args:
        path: pyhf JSON workspace with observations and at least one measurement.
        measurement: name of the measurement; the first one if None.

    Raises:
        FindingError: LLB-W001 not readable or not JSON; LLB-W002 refused by pyhf; LLB-W003 no such
            measurement; LLB-W004 the workspace already holds a signal (a sample carries the POI);
            LLB-W005 a number in it is not finite; LLB-W006 a channel has no observation; LLB-W010 a
            modifier type that the teacher does not know; LLB-W011 a normsys factor that is not positive
            (code4 takes its logarithm; pyhf itself returns NaN there).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FindingError(
            finding("LLB-W001", f"Workspace cannot be read: {error.strerror}", pointer=str(path))
        ) from error
    try:
        spec = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FindingError(
            finding("LLB-W001", f"Workspace is not JSON: {error}", pointer=str(path))
        ) from error
    return check_workspace(spec, path.name, data, measurement)


def check_workspace(spec: object, name: str, data: bytes, measurement: str | None) -> Workspace:
    """The checks of `read_workspace` on a parsed document."""
    import pyhf
    from pyhf.utils import digest

    if not isinstance(spec, dict):
        raise FindingError(finding("LLB-W002", "A workspace is a JSON object", pointer=name))
    _refuse_non_finite(spec, name)
    try:
        workspace = pyhf.Workspace(spec)
        _refuse_unsupported(spec, name)
        names = list(workspace.measurement_names)
        if measurement is not None and measurement not in names:
            raise FindingError(
                finding("LLB-W003", pointer=name, expected=", ".join(names), actual=measurement)
            )
        chosen = measurement if measurement is not None else names[0]
        poi = str(workspace.get_measurement(measurement_name=chosen)["config"]["poi"])
        settings = {key: {"interpcode": code} for key, code in INTERPOLATION.items()}
        model = workspace.model(measurement_name=chosen, poi_name=None, modifier_settings=settings)
        observed = {key: tuple(float(n) for n in values) for key, values in workspace.observations.items()}
    except FindingError:
        raise
    # pyhf's refusals share no base class narrower than Exception, and broken documents also
    # surface as KeyError, IndexError or TypeError from inside it.
    except Exception as error:
        text = str(error).strip().splitlines()
        raise FindingError(
            finding("LLB-W002", f"pyhf refuses the workspace: {text[0] if text else error!r}", pointer=name)
        ) from error
    for channel_name, bins in model.config.channel_nbins.items():
        if len(observed.get(channel_name, ())) != bins:
            raise FindingError(finding("LLB-W006", pointer=f"{name}/{channel_name}"))
    if poi in model.config.parameters:
        raise FindingError(finding("LLB-W004", f"A sample carries the POI {poi!r}", pointer=name))
    return Workspace(
        name=name,
        spec=spec,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        pyhf_digest=str(digest(spec)),
        measurement=chosen,
        poi=poi,
        channels=tuple(
            Channel(
                str(channel["name"]),
                len(channel["samples"][0]["data"]),
                tuple(str(sample["name"]) for sample in channel["samples"]),
            )
            for channel in spec["channels"]
        ),
        model=model,
        observed=observed,
    )


def _refuse_unsupported(spec: dict[str, Any], pointer: str) -> None:
    """What pyhf's schema allows and the teacher does not."""
    for channel in spec["channels"]:
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                where = f"{pointer}/{channel['name']}/{sample['name']}/{modifier['name']}"
                if modifier["type"] not in _SUPPORTED:
                    raise FindingError(finding("LLB-W010", pointer=where, actual=modifier["type"]))
                if modifier["type"] == "normsys" and min(modifier["data"].values()) <= 0:
                    raise FindingError(finding("LLB-W011", pointer=where, actual=modifier["data"]))


def _refuse_non_finite(node: object, pointer: str) -> None:
    """Python's json module reads NaN and Infinity; no workspace may hold them."""
    stack: list[tuple[object, str]] = [(node, pointer)]
    while stack:
        item, where = stack.pop()
        if isinstance(item, dict):
            stack.extend((value, f"{where}/{key}") for key, value in item.items())
        elif isinstance(item, list):
            stack.extend((value, f"{where}/{index}") for index, value in enumerate(item))
        elif isinstance(item, float) and not (abs(item) < float("inf")):
            raise FindingError(finding("LLB-W005", pointer=where, actual=item))
