"""Signal yields by bin id: from what a user has to the vector that the graph wants.

Order is never trusted: yields come as a mapping by bin id, or as an array of exactly the right length.
Every fault of a mapping is reported at once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Manifest
from llb_schema import Finding, FindingError, finding

__all__ = ["BinNames", "aliases", "signal_vector"]

Array = NDArray[np.float64]
_LISTED = 12


@dataclass(frozen=True)
class BinNames:
    """The bins that a signal may name, where there is no bundle to say so.

    Attributes:
        ids: of all bins, in column order.
        names: id by accepted name.
        optional: ids of the bins that a signal may leave out; they count as zero.
    """

    ids: tuple[str, ...]
    names: Mapping[str, str]
    optional: frozenset[str]

    @classmethod
    def of_bins(cls, bins: Sequence[tuple[str, int]]) -> BinNames:
        """All bins of a model, by channel and index; a signal may leave out any of them."""
        ids = tuple(f"{channel}[{index}]" for channel, index in bins)
        return cls(ids, _accepted(bins, Counter(channel for channel, _ in bins)), frozenset(ids))

    @classmethod
    def of(cls, manifest: Manifest) -> BinNames:
        """The bins of a bundle."""
        optional = frozenset(item.id for item in manifest.bins if item.signal_optional)
        return cls(manifest.bin_ids, aliases(manifest), optional)


def aliases(manifest: Manifest) -> dict[str, str]:
    """The accepted names of bins and the ids that they stand for.

    These are the ids, and the bare names of channels with one bin (unless another bin has that id).
    """
    counts = {channel.name: channel.bins for channel in manifest.teacher.channels}
    return _accepted([(item.channel, item.index) for item in manifest.inputs], counts)


def _accepted(bins: Sequence[tuple[str, int]], counts: Mapping[str, int]) -> dict[str, str]:
    """Ids by accepted name, of bins by channel and index; `counts` has the number of bins of a channel."""
    alone = {channel: f"{channel}[{index}]" for channel, index in bins if counts.get(channel) == 1}
    ids = [f"{channel}[{index}]" for channel, index in bins]
    return alone | {name: name for name in ids}


def signal_vector(
    signal: Mapping[str, float] | Sequence[float] | Array, manifest: Manifest | BinNames, *, pointer: str = ""
) -> Array:
    """The yields of one signal in the order of the graph's columns.

    Args:
        signal: events by bin id (or bare channel name where the channel has one bin), or an array of
            exactly one yield per column in column order.
        manifest: the bundle's manifest, or the bins themselves.
        pointer: where the signal comes from, for the findings.

    Returns:
        float64 array of shape (n_bins,).

    Raises:
        FindingError: `LLB-Y001` unknown bin, `LLB-Y002` missing bin, `LLB-Y003` bin given twice, `LLB-Y004`
            not a finite number, `LLB-Y005` array of the wrong shape; all that apply.
    """
    bins = manifest if isinstance(manifest, BinNames) else BinNames.of(manifest)
    if isinstance(signal, Mapping):
        return _from_mapping(signal, bins, pointer)
    return _from_array(signal, bins, pointer)


def _from_array(signal: Sequence[float] | Array, bins: BinNames, pointer: str) -> Array:
    ids = bins.ids
    try:
        vector = np.array(signal, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise FindingError(
            finding("LLB-Y004", f"the signal is not an array of numbers: {error}", pointer=pointer)
        ) from error
    if vector.shape != (len(ids),):
        expected, actual = f"({len(ids)},)", str(vector.shape)
        raise FindingError(finding("LLB-Y005", pointer=pointer, expected=expected, actual=actual))
    bad = [ids[i] for i in np.flatnonzero(~np.isfinite(vector))]
    if bad:
        raise FindingError([_not_finite(name, "NaN or infinity", pointer) for name in bad])
    return vector


def _from_mapping(signal: Mapping[str, float], bins: BinNames, pointer: str) -> Array:
    known = bins.names
    values: dict[str, float] = {}
    findings: list[Finding] = []
    unknown = [name for name in signal if name not in known]
    if unknown:
        findings.append(
            finding(
                "LLB-Y001",
                f"unknown bin{'s' if len(unknown) > 1 else ''} {_join(unknown)}",
                pointer=pointer,
                expected=_join(bins.ids),
                actual=_join(unknown),
            )
        )
    for name, value in signal.items():
        if name not in known:
            continue
        bin_id = known[name]
        if bin_id in values:
            findings.append(
                finding("LLB-Y003", f"bin {bin_id!r} is given twice, once as {name!r}", pointer=pointer)
            )
        # bool counts as a number in Python, but a yield of True is a mistake.
        if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not math.isfinite(value):
            findings.append(_not_finite(name, repr(value)[:40], pointer))
            values[bin_id] = math.nan
        else:
            values[bin_id] = float(value)
    missing = [bin_id for bin_id in bins.ids if bin_id not in values and bin_id not in bins.optional]
    if missing:
        findings.append(
            finding(
                "LLB-Y002",
                f"no yield for bin{'s' if len(missing) > 1 else ''} {_join(missing)}",
                pointer=pointer,
                expected=_join(missing),
            )
        )
    if findings:
        raise FindingError(findings)
    return np.array([values.get(bin_id, 0.0) for bin_id in bins.ids], dtype=np.float64)


def _not_finite(name: str, actual: str, pointer: str) -> Finding:
    message = f"the yield of bin {name!r} is not a finite number"
    return finding("LLB-Y004", message, pointer=pointer, expected="a finite number of events", actual=actual)


def _join(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
