"""Test vectors as typed data, and what they have to have in common with the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from llb.bundle import Manifest
from llb_schema import Finding, finding, has_errors, migrate, validate_document

__all__ = ["TestVectors", "check_vectors", "difference", "in_document", "repeated_names", "reproduces"]

# Imported where it computes: to check the document takes no numpy, and less time without.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MAX_FINDINGS = 200


@dataclass(frozen=True)
class TestVectors:
    """Normative inputs and outputs of a graph.

    Attributes:
        names: names of the cases.
        signals: yields in events, shape (cases, bins), by input column.
        expected: Delta NLL, shape (cases, curves), by output column.
        absolute: absolute tolerance, in NLL units.
        relative: tolerance relative to the expected value.
    """

    # The name begins like a test class; pytest is told that it is none.
    __test__ = False

    names: tuple[str, ...]
    signals: Array
    expected: Array
    absolute: float
    relative: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], manifest: Manifest) -> TestVectors:
        """The vectors in a document for which `check_vectors` finds no error, of any supported version."""
        raw = migrate(raw, "vectors")
        cases = raw["cases"]
        curves = [curve.name for curve in manifest.own_curves]
        tolerance = raw["tolerance"]["delta_nll"]
        return cls(
            names=tuple(case["name"] for case in cases),
            signals=_matrix([case["signal"] for case in cases], manifest.bin_ids),
            expected=_matrix([case["delta_nll"] for case in cases], curves),
            absolute=float(tolerance["absolute"]),
            relative=float(tolerance["relative"]),
        )


def _matrix(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> Array:
    import numpy as np

    return np.array([[row[name] for name in names] for row in rows], np.float64)


def reproduces(got: Array, expected: Array, absolute: float | Array, relative: float) -> NDArray[np.bool_]:
    """VECTORS-6, element by element: |got - expected| <= absolute + relative * |expected|.

    Anything that is not finite, on either side, fails; zero signals are held to exactness elsewhere.
    """
    import numpy as np

    with np.errstate(invalid="ignore"):
        close = np.abs(got - expected) <= absolute + relative * np.abs(expected)
    # An infinite expectation would allow everything.
    return close & np.isfinite(expected)


def check_vectors(raw: Any, manifest: Manifest, source: str) -> tuple[Finding, ...]:
    """All findings about a vectors document: its schema, and if that is kept, its fit to the manifest."""
    findings = tuple(in_document(item, source) for item in validate_document(raw, "vectors"))
    if has_errors(findings):
        return findings
    raw = migrate(raw, "vectors")
    if raw["graph"] != "delta_nll":
        place = f"{source}#/graph"
        return (*findings, finding("LLB-M052", pointer=place, expected="delta_nll", actual=raw["graph"]))
    return (*findings, *islice(_names(raw, manifest, source), _MAX_FINDINGS), *_zero(raw, source))


def in_document(item: Finding, source: str) -> Finding:
    """A finding about a document of a bundle, with the path of its file in front of the place."""
    return finding(
        item.code,
        f"{source}: {item.message}",
        pointer=f"{source}#{item.pointer}",
        expected=item.expected,
        actual=item.actual,
        hint=item.hint,
    )


def _names(raw: Mapping[str, Any], manifest: Manifest, source: str) -> Iterator[Finding]:
    bins = set(manifest.bin_ids)
    curves = {curve.name for curve in manifest.own_curves}
    yield from repeated_names(raw["cases"], f"{source}#/cases", source)
    for position, case in enumerate(raw["cases"]):
        for code, key, wanted in (("LLB-M022", "signal", bins), ("LLB-M023", "delta_nll", curves)):
            missing, unknown = sorted(wanted - case[key].keys()), sorted(case[key].keys() - wanted)
            if missing or unknown:
                yield finding(
                    code,
                    f"{source}: {difference(missing, unknown)} in case {case['name']!r}",
                    pointer=f"{source}#/cases/{position}/{key}",
                )


def repeated_names(cases: Sequence[Mapping[str, Any]], place: str, source: str) -> Iterator[Finding]:
    """Findings about names that several of the vectors at a place have."""
    for name, count in Counter(case["name"] for case in cases).items():
        if count > 1:
            yield finding("LLB-M028", f"{source}: {count} cases are named {name!r}", pointer=place)


def difference(missing: list[str], unknown: list[str]) -> str:
    """Which names are missing and which unknown, in a few words."""
    parts = [
        f"{', '.join(names[:5])} {what}"
        for names, what in ((missing, "missing"), (unknown, "unknown"))
        if names
    ]
    return " and ".join(parts)


def _zero(raw: Mapping[str, Any], source: str) -> Iterator[Finding]:
    zeros = [
        (position, case)
        for position, case in enumerate(raw["cases"])
        if all(value == 0 for value in case["signal"].values())
    ]
    if not zeros:
        yield finding(
            "LLB-M024", f"{source}: the zero signal is not among the cases", pointer=f"{source}#/cases"
        )
    for position, case in zeros:
        for curve, value in sorted(case["delta_nll"].items()):
            if value != 0:
                place = f"{source}#/cases/{position}/delta_nll/{curve}"
                message = f"{source}: Delta NLL of the zero signal is not 0"
                yield finding("LLB-M024", message, pointer=place, expected=0, actual=value)
