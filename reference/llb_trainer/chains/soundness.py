"""Whether samples can be learned from: shapes, numbers, bounds, names, how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, finding
from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.chains.samples import ParameterSamples

__all__ = ["FEWEST", "sample_findings", "sound_samples"]

FEWEST = 100
"""Samples below which nothing about a density can be said, however few its parameters."""

_SHOWN = 5
"""Parameters that a message names at most."""


def sample_findings(samples: ParameterSamples, pointer: str = "", least: int = FEWEST) -> tuple[Finding, ...]:
    """What is wrong with the samples; nothing if they are sound.

    Args:
        samples: to be looked at.
        pointer: where they come from, for the findings.
        least: fewest samples, and at least one more than parameters: fewer have no covariance.

    Returns:
        LLB-L203 a shape does not fit; LLB-L204 not finite; LLB-L205 outside of the bounds; LLB-L206 a name
        twice; LLB-L207 too few; LLB-L208 not numbers of the right type.
    """
    shapes = tuple(_shapes(samples, pointer))
    return shapes or tuple(_contents(samples, pointer, least))


def sound_samples(samples: ParameterSamples, pointer: str = "", least: int = FEWEST) -> ParameterSamples:
    """The samples, if nothing is wrong with them.

    Raises:
        FindingError: what `sample_findings` says.
    """
    found = sample_findings(samples, pointer, least)
    if found:
        raise FindingError(found)
    return samples


def _shapes(samples: ParameterSamples, pointer: str) -> Iterator[Finding]:
    """Types and shapes: what everything else relies on."""
    expected = {"values": np.float64, "log_density": np.float64, "chain": np.int64}
    for name, dtype in expected.items():
        array = getattr(samples, name)
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype != dtype:
            what = getattr(array, "dtype", type(array).__name__)
            yield finding(
                "LLB-L208", pointer=f"{pointer}#{name}", expected=np.dtype(dtype).name, actual=str(what)
            )
            return
    n, wide = len(samples.values), len(samples.parameters)
    if samples.values.shape != (n, wide) or wide == 0:
        yield finding(
            "LLB-L203",
            f"values of shape {samples.values.shape} for {wide} parameters",
            pointer=f"{pointer}#values",
            expected=f"(n, {max(wide, 1)})",
            actual=samples.values.shape,
        )
    for name in ("log_density", "chain"):
        array = getattr(samples, name)
        if array is not None and array.shape != (n,):
            yield finding(
                "LLB-L203",
                f"{name} of shape {array.shape} for {n} samples",
                pointer=f"{pointer}#{name}",
                expected=(n,),
                actual=array.shape,
            )


def _contents(samples: ParameterSamples, pointer: str, least: int) -> Iterator[Finding]:
    twice = [name for name, count in Counter(samples.names).items() if count > 1]
    if twice:
        yield finding(
            "LLB-L206", f"more than one parameter {_named(twice)}", pointer=pointer, actual=twice[0]
        )
    n, wide = samples.values.shape
    if n < max(least, wide + 1):
        yield finding(
            "LLB-L207",
            f"{n} samples of {wide} parameters",
            pointer=pointer,
            expected=f"at least {max(least, wide + 1)}",
            actual=n,
        )
    yield from _numbers(samples, pointer)


def _numbers(samples: ParameterSamples, pointer: str) -> Iterator[Finding]:
    values, names = samples.values, samples.names
    odd = ~np.isfinite(values)
    if odd.any():
        yield finding(
            "LLB-L204",
            f"{int(odd.any(axis=1).sum())} samples are not finite in {_columns(names, odd)}",
            pointer=pointer,
            actual=values[odd][0],
        )
    outside = (values < lower_bounds(samples.parameters)) | (values > upper_bounds(samples.parameters))
    if outside.any():
        row, column = np.argwhere(outside)[0]
        yield finding(
            "LLB-L205",
            f"{int(outside.any(axis=1).sum())} samples are out of the bounds of {_columns(names, outside)}",
            pointer=pointer,
            expected=samples.parameters[column].bounds,
            actual=values[row, column],
        )
    if samples.log_density is not None and not np.isfinite(samples.log_density).all():
        odd = ~np.isfinite(samples.log_density)
        yield finding(
            "LLB-L204",
            f"the log density of {int(odd.sum())} samples is not finite",
            pointer=f"{pointer}#log_density",
            actual=samples.log_density[odd][0],
        )


def _columns(names: tuple[str, ...], where: NDArray[np.bool_]) -> str:
    return _named([names[column] for column in np.flatnonzero(where.any(axis=0))])


def _named(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
