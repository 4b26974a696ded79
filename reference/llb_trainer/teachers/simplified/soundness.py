"""What is wrong with the content of a simplified likelihood, all of it at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, finding
from llb_trainer.teachers.simplified.moments import correlation, expansion, skewness_ratio

__all__ = ["KEYS", "moment_findings", "shape_findings", "value_findings"]

Floats = NDArray[np.float64]

KEYS = (
    "id",
    "arxiv",
    "lumi",
    "regions",
    "observed",
    "background",
    "background_error",
    "covariance",
    "third_moment",
)
"""All keys of the file; none may be missing."""

_TEXTS = ("id", "arxiv", "lumi")
_LISTS = ("observed", "background", "background_error", "third_moment")
_LONGEST = 200
"""Characters of a name, as the bundle format allows."""
_SYMMETRIC = 1e-9
"""Largest asymmetry of the covariance relative to the standard deviations that is none but rounding."""
_SAME = 0.01
"""Relative difference of two statements of one uncertainty that rounding explains."""
_LARGEST, _MOST = 1e45, 1e15
"""Of any number, as the cube of the other: the largest number of events."""
_LEAST = 1e-30
"""Smallest variance that is told from none."""
_SHOWN = 5


def shape_findings(document: Any, name: str) -> Iterator[Finding]:
    """Whether the keys, types and lengths are those of the format.

    Args:
        document: the JSON value.
        name: of the file, for the findings.
    """
    if not isinstance(document, dict):
        yield finding("LLB-W061", "The document is not a JSON object", pointer=name)
        return
    missing = [key for key in KEYS if key not in document]
    for key in missing:
        yield finding("LLB-W061", f"The key {key!r} is missing", pointer=name, expected=key)
    for key in document:
        if key not in KEYS:
            yield finding("LLB-W061", f"The key {key[:80]!r} is not known", pointer=name, actual=key[:80])
    for key in _TEXTS:
        if key not in missing and not isinstance(document[key], str):
            yield finding("LLB-W061", f"{key} is not a string", pointer=f"{name}#/{key}")
    # without regions nothing says how long a list should be
    if "regions" not in missing:
        yield from _array_findings(document, name)


def _array_findings(document: Mapping[str, Any], name: str) -> Iterator[Finding]:
    regions = document["regions"]
    if not isinstance(regions, list) or not regions:
        yield finding("LLB-W061", "regions is not a list of names", pointer=f"{name}#/regions")
        return
    yield from _region_findings(regions, f"{name}#/regions")
    for key in _LISTS:
        values, absent = document.get(key), key == "third_moment"
        if key in document and not (absent and values is None):
            yield from _list_findings(values, key, len(regions), name, absent=absent)
    if "covariance" in document:
        yield from _matrix_findings(document["covariance"], len(regions), name)


def _region_findings(regions: Sequence[Any], place: str) -> Iterator[Finding]:
    for row, region in enumerate(regions):
        if not isinstance(region, str) or not 0 < len(region) <= _LONGEST or not region.isprintable():
            yield finding("LLB-W062", pointer=f"{place}/{row}", actual=str(region)[:80])
    for region, count in Counter(item for item in regions if isinstance(item, str)).items():
        if count > 1:
            message = f"{count} regions are called {region[:80]!r}"
            yield finding("LLB-W062", message, pointer=place, actual=region[:80])


def _list_findings(
    values: Any, key: str, length: int, name: str, *, absent: bool = False
) -> Iterator[Finding]:
    place = f"{name}#/{key}"
    if not isinstance(values, list):
        yield finding("LLB-W061", f"{key} is not a list of numbers", pointer=place)
        return
    if len(values) != length:
        yield finding("LLB-W063", pointer=place, expected=f"{length} numbers", actual=f"{len(values)}")
    for row, value in enumerate(values):
        yield from _number_findings(value, f"{place}/{row}", absent=absent)


def _matrix_findings(rows: Any, length: int, name: str) -> Iterator[Finding]:
    place = f"{name}#/covariance"
    if not isinstance(rows, list):
        yield finding("LLB-W061", "covariance is not a list of rows", pointer=place)
        return
    if len(rows) != length:
        yield finding("LLB-W063", pointer=place, expected=f"{length} rows", actual=f"{len(rows)}")
    for row, values in enumerate(rows):
        yield from _list_findings(values, f"covariance/{row}", length, name)


def _number_findings(value: Any, place: str, *, absent: bool) -> Iterator[Finding]:
    if value is None and absent:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield finding("LLB-W061", "An entry is not a number", pointer=place, actual=str(value)[:40])
    elif not _finite(value):
        yield finding("LLB-W064", pointer=place, actual=str(value)[:40])


def _finite(value: float) -> bool:
    """Whether it is a number of any use; NaN is not, and integers of JSON have no end."""
    return -_LARGEST <= value <= _LARGEST


def value_findings(document: Mapping[str, Any], name: str) -> Iterator[Finding]:
    """Whether counts are counts, and expectations and uncertainties not negative, if the shape is right."""
    for row, count in enumerate(document["observed"]):
        if not 0 <= count <= _MOST or count != int(count):
            yield finding("LLB-W065", pointer=f"{name}#/observed/{row}", actual=count)
    for row, events in enumerate(document["background"]):
        if not 0 <= events <= _MOST:
            yield finding("LLB-W066", pointer=f"{name}#/background/{row}", actual=events)
    for row, error in enumerate(document["background_error"]):
        if error < 0:
            yield finding("LLB-W071", pointer=f"{name}#/background_error/{row}", actual=error)


def moment_findings(
    regions: Sequence[str], error: Floats, covariance: Floats, third: Floats, name: str
) -> Iterator[Finding]:
    """Whether there are nuisance parameters with these moments; the first condition that is broken ends it.

    Args:
        regions: names of the bins.
        error: (n_bins,) stated uncertainties.
        covariance: (n_bins, n_bins) of the background.
        third: (n_bins,) third central moments.
        name: of the file, for the findings.
    """
    place = f"{name}#/covariance"
    variance = np.diag(covariance).copy()
    if np.any(variance < _LEAST):
        bad = _named(regions, variance < _LEAST)
        yield finding("LLB-W068", f"The variance is not positive: {bad}", pointer=place, actual=bad)
        return
    sigma = np.sqrt(variance)
    skew = np.abs(covariance - covariance.T) / np.outer(sigma, sigma)
    if np.max(skew) > _SYMMETRIC:
        i, j = (int(k) for k in np.unravel_index(np.argmax(skew), skew.shape))
        pair = f"{covariance[i, j]:g} and {covariance[j, i]:g}"
        message = f"The covariances of {regions[i]} and {regions[j]} differ: {pair}"
        yield finding("LLB-W067", message, pointer=place, actual=pair)
        return
    if not _positive(covariance / np.outer(sigma, sigma)):
        least = float(np.linalg.eigvalsh(covariance / np.outer(sigma, sigma))[0])
        actual = f"smallest eigenvalue of the correlations {least:.3g}"
        yield finding("LLB-W068", pointer=place, expected="above 0", actual=actual)
        return
    apart = np.abs(sigma - error) > _SAME * np.maximum(sigma, error)
    if apart.any():
        ratio = error[apart] / sigma[apart]
        yield finding(
            "LLB-W072",
            f"In {apart.sum()} of {len(regions)} regions background_error is not the root of the variance: "
            f"{_named(regions, apart)}",
            pointer=f"{name}#/background_error",
            actual=f"{ratio.min():.3g} to {ratio.max():.3g} of it",
        )
    yield from _third_findings(regions, covariance, third, f"{name}#/third_moment")


def _third_findings(
    regions: Sequence[str], covariance: Floats, third: Floats, place: str
) -> Iterator[Finding]:
    variance = np.diag(covariance).copy()
    ratio = np.abs(skewness_ratio(variance, third))
    if np.any(ratio > 1):
        bad = _named(regions, ratio > 1)
        yield finding(
            "LLB-W069",
            f"The third moment is too large for the variance: {bad}",
            pointer=place,
            expected="m^2 <= 8 V^3",
            actual=f"m^2 up to {8 * np.max(ratio) ** 2:.3g} V^3",
        )
        return
    rho = correlation(expansion(np.zeros_like(third), variance, third), covariance)
    if not np.all(np.isfinite(rho)) or not _positive(rho):
        yield finding("LLB-W070", pointer=place)


def _positive(matrix: Floats) -> bool:
    """Whether a symmetric matrix of unit diagonal is positive definite, beyond rounding."""
    return bool(np.linalg.eigvalsh(0.5 * (matrix + matrix.T))[0] > 1e-14 * len(matrix))


def _named(regions: Sequence[str], which: NDArray[np.bool_]) -> str:
    """The first few of these regions."""
    found = [region for region, bad in zip(regions, which, strict=True) if bad]
    return ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
