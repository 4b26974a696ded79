"""The domain of an imported bundle: the box of the training, in events of signal."""

from __future__ import annotations

from collections.abc import Sequence

from llb.bundle import Domain
from llb.interop.metadata_values import place
from llb.interop.olll_metadata import OlllMetadata
from llb_schema import Finding, finding

__all__ = ["domain_of"]

_ROUNDING = 1e-9
"""Relative to the offset: what is left of it when numbers in text are subtracted."""

_PINNED = 1e-6
"""Events: half the width that a bin gets whose yield the training never changed."""

_MAX_FINDINGS = 20


def domain_of(metadata: OlllMetadata, offset: Sequence[float], found: list[Finding]) -> Domain:
    """The box between `x_min` and `x_max`, less the offset; with the largest target of the training as edge.

    Args:
        metadata: what the file says.
        offset: (n,) events that the total yields were counted from.
        found: gets a finding for every bin in which no signal is outside of the box, or the box has no width.
    """
    lower, upper = list[float](), list[float]()
    faults: list[Finding] = []
    for column, (item, base) in enumerate(zip(metadata.bins, offset, strict=True)):
        if column >= min(len(metadata.lower), len(metadata.upper)):
            break
        tolerance = _ROUNDING * max(1.0, abs(base))
        low, high = (
            0.0 if abs(value - base) <= tolerance else value - base
            for value in (metadata.lower[column], metadata.upper[column])
        )
        if not low <= 0.0 <= high:
            box = f"{metadata.lower[column]:g} to {metadata.upper[column]:g} events in total"
            message = f"no signal in {item.id}, {base:g} events, is outside of the box of the training"
            faults.append(
                finding(
                    "LLB-F016",
                    message,
                    pointer=place("x_min", f"/{column}"),
                    expected=box,
                    actual=f"{base:g}",
                )
            )
        elif low == high:
            message = f"{item.id} has no width in the training; it gets {_PINNED:g} events to each side"
            faults.append(finding("LLB-F017", message, pointer=place("x_min", f"/{column}")))
            low, high = -_PINNED, _PINNED
        lower.append(low)
        upper.append(high)
    found.extend(faults[:_MAX_FINDINGS])
    return Domain(tuple(lower), tuple(upper), metadata.delta_max)
