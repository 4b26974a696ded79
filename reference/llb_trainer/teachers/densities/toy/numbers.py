"""The numbers of the toy search, from a JSON file that is given and never shipped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.teachers.contract import SourceFile

__all__ = ["CATEGORIES", "SHAPES", "SYSTEMATICS", "ToyNumbers", "read_numbers"]

Floats = NDArray[np.float64]

CATEGORIES = 3
"""Categories of bins, of equal size, one after the other."""

SHAPES = ("ISR", "JES")
"""Systematics that change the shape within a category as well."""

SYSTEMATICS = (*SHAPES, "LV", "CR")
"""Systematics that change the normalisation of each category, in the order of their parameters."""


@dataclass(frozen=True, eq=False)
class ToyNumbers:
    """Numbers of the search; `I` bins, three categories.

    Attributes:
        file: where they come from.
        observed: (I,) events.
        background: (I,) expected, rounded to one decimal, as the model is defined.
        signal: (I,) at mu = 1.
        spread: (I,) relative Monte Carlo uncertainty.
        shape_up, shape_down: (2, I) factors of ISR and JES at +1 and -1 sigma.
        norm_up, norm_down: (4, 3) relative changes of the categories at +1 and -1 sigma.
    """

    file: SourceFile
    observed: Floats
    background: Floats
    signal: Floats
    spread: Floats
    shape_up: Floats
    shape_down: Floats
    norm_up: Floats
    norm_down: Floats

    @property
    def category(self) -> NDArray[np.int64]:
        """(I,) the category of each bin."""
        return np.repeat(np.arange(CATEGORIES), len(self.observed) // CATEGORIES)


def read_numbers(path: Path) -> ToyNumbers:
    """Read the numbers of the toy, by the names of the published code.

    Args:
        path: JSON object with `data`, `exp_background`, `signal`, `epsI_MCstat`, `kpI_*` and `kmI_*` of ISR
            and JES, one number per bin; `Kp_*` and `Km_*` of ISR, JES, LV and CR, one per category.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-W080 it holds no such numbers.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"it is not JSON: {error}", path) from error
    if not isinstance(document, dict):
        raise _wrong("it is no JSON object", path)
    reading = _Reading(document, path)
    bins = len(reading.column("data"))
    if bins == 0 or bins % CATEGORIES:
        raise _wrong(f"{bins} bins are not {CATEGORIES} categories of equal size", path)
    numbers = ToyNumbers(
        file=SourceFile(path.name, len(raw), hashlib.sha256(raw).hexdigest()),
        observed=reading.column("data", bins),
        background=np.round(reading.column("exp_background", bins), 1),
        signal=reading.column("signal", bins),
        spread=reading.column("epsI_MCstat", bins),
        shape_up=np.stack([reading.column(f"kpI_{name}", bins) for name in SHAPES]),
        shape_down=np.stack([reading.column(f"kmI_{name}", bins) for name in SHAPES]),
        norm_up=np.stack([reading.column(f"Kp_{name}", CATEGORIES) for name in SYSTEMATICS]),
        norm_down=np.stack([reading.column(f"Km_{name}", CATEGORIES) for name in SYSTEMATICS]),
    )
    positive = {
        "exp_background": numbers.background,
        "epsI_MCstat": 1 + numbers.spread,
        "kpI_*": numbers.shape_up,
        "kmI_*": numbers.shape_down,
        "Kp_*": 1 + numbers.norm_up,
        "Km_*": 1 + numbers.norm_down,
    }
    for name, array in positive.items():
        if not (array > 0).all():
            raise _wrong(f"{name} makes an expectation that is not positive", path)
    if (numbers.observed < 0).any():
        raise _wrong("data holds negative counts", path)
    return numbers


class _Reading:
    """Arrays of the document by name."""

    def __init__(self, document: Mapping[str, Any], path: Path) -> None:
        self.document, self.path = document, path

    def column(self, name: str, length: int | None = None) -> Floats:
        """A list of finite numbers, of this length if one is given."""
        raw = self.document.get(name)
        if not isinstance(raw, list) or any(
            isinstance(item, bool) or not isinstance(item, int | float) for item in raw
        ):
            raise _wrong(f"{name} is no list of numbers", self.path)
        try:
            array = np.asarray(raw, dtype=np.float64)
        except (OverflowError, ValueError) as error:
            raise _wrong(f"{name}: {error}", self.path) from error
        if not np.isfinite(array).all() or (length is not None and len(array) != length):
            raise _wrong(f"{name} is not {length} finite numbers", self.path)
        return array


def _wrong(what: str, path: Path) -> FindingError:
    return FindingError(finding("LLB-W080", f"these are not the toy's numbers: {what}", pointer=str(path)))
