"""Faults of a manifest that its schema shows: keys, types, forms and ranges, versions and features."""

from __future__ import annotations

from typing import Any

from llb_conformance.corpus.case import Build, Case, case
from llb_conformance.corpus.draft import Draft, drop, faulty, put

__all__ = ["schema_cases"]


def schema_cases() -> tuple[Case, ...]:
    """Cases of stage `manifest` that the schema decides."""
    return (*_identity(), *_keys(), *_values(), *_strings())


def _case(name: str, code: str, pointer: str, build: Build, requirement: str = "", note: str = "") -> Case:
    return case(name, "manifest", code, pointer, build, requirement=requirement, note=note)


def _put(name: str, code: str, pointer: str, value: Any, requirement: str = "", note: str = "") -> Case:
    """A case whose fault is a value of the manifest, at the place of the finding."""
    return _case(name, code, pointer, put(pointer, value), requirement, note)


def _identity() -> tuple[Case, ...]:
    return (
        _case("manifest-an-array", "LLB-S003", "", faulty(_become_a_list)),
        _put("format-other", "LLB-S013", "/format", "onnx"),
        _case("format-missing", "LLB-S013", "/format", drop("/format")),
        _put("version-newer-major", "LLB-S010", "/format_version", "2.0.0"),
        _put("version-between-the-known", "LLB-S015", "/format_version", "0.2.0"),
        _put("version-older", "LLB-S015", "/format_version", "0.0.9"),
        _put("version-not-a-version", "LLB-S014", "/format_version", "1.0"),
        _put("version-a-number", "LLB-S014", "/format_version", 1.0),
        _case("version-missing", "LLB-S014", "/format_version", drop("/format_version")),
        _case("feature-unknown", "LLB-S012", "/required_features/0", put("/required_features", ["flows"])),
        _put("family-not-implemented", "LLB-S018", "/family", "full_likelihood", "FAMILY-2"),
        _case("family-of-a-newer-version", "LLB-S018", "/family", faulty(_new_family), "FAMILY-2"),
        _case("feature-unknown-in-a-newer-version", "LLB-S012", "/required_features/0", faulty(_grown)),
    )


def _keys() -> tuple[Case, ...]:
    return (
        _case("key-missing", "LLB-S001", "/signal_model", drop("/signal_model")),
        _case(
            "key-missing-deep-inside",
            "LLB-S001",
            "/inputs/1/signal_optional",
            drop("/inputs/1/signal_optional"),
        ),
        _case("poi-missing", "LLB-S001", "/teacher/poi", drop("/teacher/poi"), "SOURCE-1"),
        _case("alias-without-its-difference", "LLB-S001", _DIFFERENCE, drop(_DIFFERENCE), "CURVE-4"),
        _case(
            "difference-without-an-alias",
            "LLB-S001",
            "/curves/3/alias_of",
            drop("/curves/3/alias_of"),
            "CURVE-4",
        ),
        _case(
            "third-moments-missing",
            "LLB-S001",
            "/teacher/third_moments",
            put("/teacher/kind", "simplified_likelihood"),
            "SOURCE-1",
        ),
        _put("key-unknown", "LLB-S002", "/colour", "red"),
        _put("key-unknown-deep-inside", "LLB-S002", "/inputs/0/unit", "fb"),
        _put("extension-without-a-domain-name", "LLB-S002", "/extensions", {"colour": "red"}),
    )


def _values() -> tuple[Case, ...]:
    note = "A list that is too long holds something in a place that does not exist."
    return (
        _put("number-as-text", "LLB-S003", "/curves/0/baseline_nll", "20.0"),
        _put("number-null", "LLB-S003", "/domain/upper/0", None),
        _put("number-true", "LLB-S003", "/inputs/0/observed", True),
        _put("integer-with-a-fraction", "LLB-S003", "/inputs/1/index", 1.5),
        _put("family-unknown", "LLB-S004", "/family", "flow"),
        _put("curve-unknown", "LLB-S004", "/curves/0/name", "expected", "CURVE-1"),
        _put("mu-convention-unknown", "LLB-S004", "/mu/convention", "scales_background", "MU-1"),
        _put("dtype-unknown", "LLB-S004", "/graphs/0/input/dtype", "float16", "GRAPH-2"),
        _put("batch-not-free", "LLB-S004", "/graphs/0/input/shape/0", 1, "GRAPH-2"),
        _put("interpolation-unknown", "LLB-S004", "/teacher/interpolation/normsys", "code2", "SOURCE-1"),
        _put("opset-above-range", "LLB-S006", "/graphs/0/opset", 22, "GRAPH-4"),
        _put("opset-below-range", "LLB-S006", "/graphs/0/opset", 16, "GRAPH-4"),
        _put("energy-not-positive", "LLB-S006", "/analysis/sqrt_s", 0),
        _put("count-negative", "LLB-S006", "/inputs/0/observed", -1),
        _put("data-negative", "LLB-S006", "/curves/1/data/main/0", -1.0, "CURVE-3"),
        _put("truncation-negative", "LLB-S006", "/domain/truncation/delta_nll_max", -1.0, "DOMAIN-1"),
        _put("metric-negative", "LLB-S006", "/validation/metrics/0/max", -1e-9),
        _put("inputs-none", "LLB-S007", "/inputs", []),
        _put("graphs-none", "LLB-S007", "/graphs", []),
        _put("shape-of-three", "LLB-S007", "/graphs/0/input/shape", ["batch", 3, 1], "GRAPH-2", note),
    )


def _strings() -> tuple[Case, ...]:
    return (
        _put("digest-with-a-trailing-newline", "LLB-S005", "/files/0/sha256", "0" * 64 + "\n"),
        _put("digest-in-capitals", "LLB-S005", "/files/0/sha256", "A" * 64),
        _put("digest-too-short", "LLB-S005", "/files/0/sha256", "0" * 63),
        _put("bundle-id-with-capitals", "LLB-S005", "/id", "Corpus"),
        _put("bundle-version-not-a-version", "LLB-S005", "/version", "1.0"),
        _put("date-without-a-time", "LLB-S005", "/created", "2026-01-01"),
        _put("date-of-a-thirteenth-month", "LLB-S005", "/created", "2026-13-01T00:00:00Z"),
        _put(
            "orcid-with-its-address", "LLB-S005", "/authors/0/orcid", "https://orcid.org/0000-0002-1825-0097"
        ),
        _put("name-with-a-line-break", "LLB-S005", "/teacher/measurement", "toy\nmodel"),
        _put("listed-path-upwards", "LLB-S005", "/files/0/path", "../LICENSE", "CONTAINER-3"),
        _put("listed-path-absolute", "LLB-S005", "/files/0/path", "/LICENSE", "CONTAINER-3"),
        _put("graph-path-upwards", "LLB-S005", "/graphs/0/path", "../delta_nll.onnx", "SECURITY-4"),
        _put(
            "graph-path-an-address",
            "LLB-S005",
            "/graphs/0/path",
            "https://example.org/delta_nll.onnx",
            "SECURITY-4",
        ),
    )


_DIFFERENCE = "/curves/3/alias_max_difference"


def _become_a_list(draft: Draft) -> None:
    draft.manifest = [draft.manifest]


def _grown(draft: Draft) -> None:
    draft.manifest.update(format_version="1.7.0", required_features=["flows"], novelty=1)


def _new_family(draft: Draft) -> None:
    draft.manifest.update(format_version="1.7.0", family="flow", layers=[])
