"""A simplified likelihood as a file: strict JSON, checked before anything is computed with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, Severity, finding
from llb_trainer.teachers.simplified.soundness import moment_findings, shape_findings, value_findings

__all__ = ["SimplifiedLikelihood", "is_simplified_likelihood", "read_simplified_likelihood"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SimplifiedLikelihood:
    """Counts, expectations and their moments, as an experiment published them.

    Attributes:
        name: file name, for the record.
        sha256: digest of the raw bytes.
        size: number of raw bytes.
        id: name of the analysis.
        arxiv: where it is published.
        lumi: its integrated luminosity, as text.
        regions: names of the bins.
        observed: (n_bins,) observed events.
        background: (n_bins,) expected background events: the mean over the nuisance parameters.
        covariance: (n_bins, n_bins) of the background.
        third_moment: (n_bins,) third central moments of the background, 0 where none is given.
        warnings: findings that do not stand in the way.
    """

    name: str
    sha256: str
    size: int
    id: str
    arxiv: str
    lumi: str
    regions: tuple[str, ...]
    observed: Floats = field(repr=False)
    background: Floats = field(repr=False)
    covariance: Floats = field(repr=False)
    third_moment: Floats = field(repr=False)
    warnings: tuple[Finding, ...] = ()

    @property
    def bins(self) -> tuple[tuple[str, int], ...]:
        """Channel and index of every bin: each region is a channel of one bin."""
        return tuple((region, 0) for region in self.regions)

    @property
    def skewed(self) -> bool:
        """Whether any region has a third moment."""
        return bool(np.any(self.third_moment != 0))


def is_simplified_likelihood(path: Path) -> bool:
    """Whether a file has the outline of a simplified likelihood, good or not, and not that of a workspace."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and {"regions", "covariance"} <= document.keys()


def read_simplified_likelihood(path: Path) -> SimplifiedLikelihood:
    """Read a simplified likelihood; docs/simplified.md describes the file.

    Args:
        path: a JSON file with the keys `llb_trainer.teachers.simplified.soundness.KEYS`.

    Returns:
        The likelihood. Of `background_error` nothing is used: where it differs from the covariance, that
        counts, and the warning LLB-W072 says so.

    Raises:
        FindingError: LLB-W060 not readable or not strict JSON; LLB-W061 to LLB-W071 for its content, all that
            is found at once.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"The file cannot be read: {error.strerror}"
        raise FindingError(finding("LLB-W060", message, pointer=str(path))) from error
    document = _parsed(data, str(path))
    _sift(shape_findings(document, path.name))
    _sift(value_findings(document, path.name))
    regions = tuple(document["regions"])
    observed, background, error, covariance = (
        np.asarray(document[key], dtype=np.float64)
        for key in ("observed", "background", "background_error", "covariance")
    )
    given = document["third_moment"] or [None] * len(regions)
    third = np.asarray([0.0 if moment is None else float(moment) for moment in given])
    warnings = _sift(moment_findings(regions, error, covariance, third, path.name))
    return SimplifiedLikelihood(
        name=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        id=document["id"],
        arxiv=document["arxiv"],
        lumi=document["lumi"],
        regions=regions,
        observed=observed,
        background=background,
        covariance=0.5 * (covariance + covariance.T),
        third_moment=third,
        warnings=warnings,
    )


def _sift(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, if all of them are warnings."""
    found = tuple(findings)
    errors = tuple(item for item in found if item.severity is Severity.ERROR)
    if errors:
        raise FindingError(errors)
    return found


def _parsed(data: bytes, pointer: str) -> Any:
    """The value; literals that are no JSON become what they mean, for `soundness` to point at."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        message = f"The file is not strict JSON: {error}"
        raise FindingError(finding("LLB-W060", message, pointer=pointer)) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if no key is in it twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} occurs twice")
    return found
