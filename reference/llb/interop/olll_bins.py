"""The bins of an OLLL v0.1 file: the inputs of its network, by name, channel, role and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from llb.interop.metadata_values import MetadataValues, is_number, place
from llb_schema import finding

__all__ = ["OlllBin", "read_bins"]

_ROLES = ("SR", "CR", "VR")
_MAX_BINS, _MAX_DIGITS = 10_000, 5
"""As many inputs, and as large an index, as a manifest may have."""
_MAX_FINDINGS = 20


@dataclass(frozen=True)
class OlllBin:
    """An input of the network.

    Attributes:
        name: in the file, `<channel>-<index>` or the channel's name.
        channel, index: what that means.
        role: `SR`, `CR` or `VR`.
        observed, background: events, as the file says.
    """

    name: str
    channel: str
    index: int
    role: str
    observed: float
    background: float

    @property
    def id(self) -> str:
        """Its name in a bundle."""
        return f"{self.channel}[{self.index}]"


def _channels(values: MetadataValues) -> dict[str, str] | None:
    """Role by channel, from one map, or from a list of maps with one for each background file."""
    raw = values.json("channels")
    if raw is None:
        return None
    maps = raw if isinstance(raw, list) else [raw]
    if not maps or not all(isinstance(item, dict) for item in maps):
        values.wrong("channels", "an object, or a list of objects", raw)
        return None
    roles: dict[str, str] = {}
    for item in maps:
        for channel, role in item.items():
            if role not in _ROLES or roles.get(channel, role) != role:
                values.wrong("channels", "one of SR, CR and VR for each channel", f"{channel}: {role}")
                return None
            roles[channel] = role
    return roles


def _yields(values: MetadataValues, key: str) -> dict[str, float] | None:
    def fits(item: Any) -> bool:
        return (
            isinstance(item, list)
            and len(item) == 2
            and isinstance(item[0], str)
            and bool(item[0])
            and is_number(item[1])
            and item[1] >= 0
        )

    pairs = values.items(key, fits, "[name of a bin, events]")
    if pairs is None:
        return None
    if len(pairs) > _MAX_BINS:
        values.wrong(key, f"a list of at most {_MAX_BINS} bins", len(pairs))
        return None
    names = sorted(name for name, _ in pairs)
    for name in sorted({one for one, other in pairwise(names) if one == other})[:_MAX_FINDINGS]:
        values.found.append(finding("LLB-F007", f"the bin {name[:80]} is in {key} twice", pointer=place(key)))
    return {name: float(number) for name, number in pairs}


def read_bins(values: MetadataValues) -> tuple[OlllBin, ...] | None:
    """The inputs of the network, by column; None where `values.found` says why they cannot be told."""
    roles = _channels(values)
    observed, background = _yields(values, "obs_yields"), _yields(values, "bkg_yields")
    names = values.items("remove_channels", lambda item: isinstance(item, str) and bool(item), "names")
    if roles is None or observed is None or background is None or names is None:
        return None
    removed = set(names)
    if list(observed) != list(background):
        message = "obs_yields and bkg_yields do not have the same bins in the same order"
        values.found.append(finding("LLB-F007", message, pointer=place("bkg_yields")))
        return None
    for name in sorted(removed - set(roles) - set(observed))[:_MAX_FINDINGS]:
        message = f"the channel {name[:80]}, which is removed, is not among the channels"
        values.found.append(finding("LLB-F007", message, pointer=place("remove_channels")))
    located = {name: _located(name, roles) for name in observed}
    for name in [name for name, found in located.items() if found is None][:_MAX_FINDINGS]:
        message = f"the bin {name[:80]} is of no channel: it is neither one's name nor <channel>-<index>"
        values.found.append(finding("LLB-F007", message, pointer=place("obs_yields")))
    bins = tuple(
        OlllBin(name, *found, roles[found[0]], observed[name], background[name])
        for name, found in located.items()
        if found is not None and name not in removed and found[0] not in removed
    )
    if not bins:
        values.wrong("obs_yields", "bins that are not all removed", f"{len(observed)} bins")
    return bins or None


def _located(name: str, roles: Mapping[str, str]) -> tuple[str, int] | None:
    """Channel and index of a bin; names of channels may hold dashes, an index may not."""
    if name in roles:
        return name, 0
    channel, _, index = name.rpartition("-")
    fits = channel in roles and index.isascii() and index.isdecimal() and len(index) <= _MAX_DIGITS
    return (channel, int(index)) if fits else None
