"""Faults of a manifest that no schema shows: its parts do not fit together."""

from __future__ import annotations

from typing import Any

from llb_conformance.corpus.case import Build, Case, case
from llb_conformance.corpus.draft import HELDOUT, LABELS, Draft, faulty, put

__all__ = ["meaning_cases"]


def meaning_cases() -> tuple[Case, ...]:
    """Cases of stage `manifest` that are about the meaning of a manifest with a valid form."""
    return (*_inputs(), *_curves(), *_domain(), *_graphs(), *_uncertainty(), *_files())


def _case(name: str, code: str, pointer: str, build: Build, requirement: str = "", note: str = "") -> Case:
    return case(name, "manifest", code, pointer, build, requirement=requirement, note=note)


def _put(name: str, code: str, pointer: str, value: Any, requirement: str = "") -> Case:
    """A case whose fault is a value of the manifest, at the place of the finding."""
    return _case(name, code, pointer, put(pointer, value), requirement)


def _inputs() -> tuple[Case, ...]:
    note = "A bin that is there twice is also one too many in the count of its channel."
    return (
        _put("bin-id-of-another-bin", "LLB-M001", "/inputs/0/id", "SR[7]"),
        _case("bin-twice", "LLB-M002", "/inputs", faulty(_same_bin), note=note),
        _case("bin-column-out-of-range", "LLB-M003", "/inputs", put("/inputs/2/column", 7)),
        _case("bin-missing-in-its-channel", "LLB-M004", "/inputs", faulty(_skip_a_bin)),
        _case("bin-in-no-channel", "LLB-M020", "/inputs/2/channel", put("/teacher/channels/1/name", "VR")),
        _case("bin-beyond-its-channel", "LLB-M020", "/inputs/1/index", put("/teacher/channels/0/bins", 1)),
        _case("channel-twice", "LLB-M043", "/teacher/channels", faulty(_same_channel)),
        _case("observed-half-an-event", "LLB-M031", "/inputs/0/observed", faulty(_half_an_event)),
    )


def _curves() -> tuple[Case, ...]:
    return (
        _case("curve-twice", "LLB-M005", "/curves", put("/curves/3/name", "apriori")),
        _case("curve-columns-equal", "LLB-M006", "/curves", put("/curves/1/column", 2)),
        _put("alias-of-itself", "LLB-M007", "/curves/3/alias_of", "apriori_asimov"),
        _put("alias-with-another-column", "LLB-M007", "/curves/3/column", 1),
        _case("data-too-short", "LLB-M010", "/curves/1/data/main", faulty(_short_data)),
        _put("data-not-the-observed", "LLB-M011", "/curves/0/data/main/1", 1e6),
        _case("curve-observed-missing", "LLB-M012", "/curves", faulty(_without_observed)),
        _case("metric-of-no-curve", "LLB-M019", "/validation/metrics/0/curve", faulty(_without_its_curve)),
        _put("auxiliary-data-of-other-parts", "LLB-M029", "/curves/2/data/auxiliary", []),
        _case(
            "auxiliary-data-too-long",
            "LLB-M029",
            "/curves/2/data/auxiliary",
            put("/curves/2/data/auxiliary/0/values", [1.0, 1.0]),
        ),
    )


def _domain() -> tuple[Case, ...]:
    return (
        _case("domain-too-short", "LLB-M008", "/domain/lower", put("/domain/lower", [0.0, 0.0])),
        _case("domain-bounds-reversed", "LLB-M009", "/domain/upper/1", put("/domain/upper/1", -1.0)),
        _case("domain-edges-equal", "LLB-M009", "/domain/upper/1", put("/domain/upper/1", 0.0)),
        _case("domain-without-zero", "LLB-M009", "/domain/lower/1", put("/domain/lower/1", 0.5)),
    )


def _graphs() -> tuple[Case, ...]:
    return (
        _case("graph-of-no-role", "LLB-M017", "/graphs", faulty(_twin_alone)),
        _case("graph-role-twice", "LLB-M017", "/graphs", faulty(_graph_twice)),
        _put("shape-not-one-column-per-bin", "LLB-M018", "/graphs/0/input/shape", ["batch", 4]),
        _put("shape-not-one-column-per-curve", "LLB-M018", "/graphs/0/outputs/0/shape", ["batch", 4]),
    )


def _uncertainty() -> tuple[Case, ...]:
    place = "/uncertainty/output"
    covered = "/uncertainty/coverage/0/curve"
    note = "Both entries name the curve, and either may be the wrong one."
    return (
        _put("error-in-no-output", "LLB-M021", place, "spread"),
        _put("error-in-the-first-output", "LLB-M021", place, "delta_nll"),
        _case("error-none-and-yet-an-output", "LLB-M021", "/uncertainty", put("/uncertainty/kind", "none")),
        _case("error-of-another-type", "LLB-M041", place, put("/graphs/0/outputs/1/dtype", "float32")),
        _put("coverage-of-an-alias", "LLB-M042", covered, "apriori_asimov"),
        _case(
            "coverage-twice", "LLB-M042", covered, put("/uncertainty/coverage/0/curve", "apriori"), note=note
        ),
    )


def _files() -> tuple[Case, ...]:
    heldout, labels = "/validation/heldout", "/provenance/labels"
    return (
        _put("used-file-not-listed", "LLB-M014", heldout, "validation/points.csv"),
        _case("used-file-of-another-role", "LLB-M015", labels, put(labels, HELDOUT)),
        _case("listed-path-twice", "LLB-M016", "/files/7/path", faulty(_list_twice)),
        _case("listed-path-of-a-device", "LLB-M016", "/files/7/path", faulty(lambda d: _list(d, "aux.json"))),
        _case(
            "manifest-lists-itself", "LLB-I005", "/files/7/path", faulty(lambda d: _list(d, "manifest.json"))
        ),
    )


def _same_bin(draft: Draft) -> None:
    draft.manifest["inputs"][1].update(id="SR[0]", index=0)


def _same_channel(draft: Draft) -> None:
    channels = draft.manifest["teacher"]["channels"]
    channels.append({**channels[0], "bins": 5})


def _skip_a_bin(draft: Draft) -> None:
    draft.manifest["inputs"][1].update(id="SR[2]", index=2)
    draft.manifest["teacher"]["channels"][0]["bins"] = 3


def _half_an_event(draft: Draft) -> None:
    draft.manifest["inputs"][0]["observed"] += 0.5
    draft.manifest["curves"][0]["data"]["main"][0] += 0.5


def _short_data(draft: Draft) -> None:
    draft.manifest["curves"][1]["data"]["main"].pop()


def _without_observed(draft: Draft) -> None:
    """Takes the observed curve out of everything that the manifest says."""
    manifest = draft.manifest
    del manifest["curves"][0]
    for curve in manifest["curves"]:
        curve["column"] -= 1
    for tensor in manifest["graphs"][0]["outputs"]:
        tensor["shape"][1] -= 1
    for part, key in (("validation", "metrics"), ("uncertainty", "coverage")):
        manifest[part][key] = [item for item in manifest[part][key] if item["curve"] != "observed"]


def _without_its_curve(draft: Draft) -> None:
    draft.manifest["validation"]["metrics"][0]["curve"] = draft.manifest["curves"].pop()["name"]


def _twin_alone(draft: Draft) -> None:
    draft.manifest["graphs"][0]["role"] = "delta_nll_float32"
    draft.manifest["uncertainty"] = {"kind": "none"}


def _graph_twice(draft: Draft) -> None:
    draft.manifest["graphs"] *= 2


def _list(draft: Draft, path: str) -> None:
    entry = next(item for item in draft.manifest["files"] if item["path"] == LABELS)
    draft.manifest["files"].append({**entry, "path": path})


def _list_twice(draft: Draft) -> None:
    _list(draft, LABELS.upper())
