"""Loaders that take bad bundles, or refuse good ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llb.loader import Refusal
from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader

__all__ = ["opening_mutants"]

Message = dict[str, Any]
Maker = Callable[..., WrongLoader]

_ACCEPTING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("ignores-digests", "does not look at digests", ("LLB-I001",)),
    ("ignores-files-that-are-not-listed", "does not look for files that are not listed", ("LLB-I004",)),
    ("follows-links", "follows symbolic links", ("LLB-A005",)),
    ("needs-no-manifest", "does without a manifest", ("LLB-A010",)),
    ("follows-paths-upwards", "follows paths out of the bundle", ("LLB-A004", "LLB-S005")),
    ("takes-keys-twice", "takes the last of two equal keys", ("LLB-P006",)),
    ("takes-nan", "takes NaN and Infinity in JSON", ("LLB-P004",)),
    ("takes-numbers-that-overflow", "takes numbers beyond a double", ("LLB-P005",)),
    ("takes-a-byte-order-mark", "takes a byte order mark", ("LLB-P002",)),
    ("takes-other-encodings", "takes what is not UTF-8", ("LLB-P001",)),
    ("takes-json-with-comments", "takes JSON with comments and the like", ("LLB-P003",)),
    ("takes-any-depth", "takes JSON of any depth", ("LLB-P007",)),
    ("takes-any-size", "takes JSON of any size", ("LLB-P008",)),
    ("takes-half-surrogates", "takes halves of surrogate pairs", ("LLB-P009",)),
    ("takes-newer-versions", "takes every newer version", ("LLB-S010",)),
    ("takes-versions-in-between", "takes versions that never were", ("LLB-S015",)),
    ("takes-anything-for-a-version", "takes anything for a version", ("LLB-S014",)),
    ("takes-other-formats", "takes other formats", ("LLB-S013",)),
    ("ignores-required-features", "does not look at required features", ("LLB-S012",)),
    ("takes-other-families", "takes every family", ("LLB-S018", "LLB-S004")),
    ("ignores-unknown-keys", "leaves out keys that it does not know", ("LLB-S002",)),
    ("fills-in-missing-keys", "fills in keys that are missing", ("LLB-S001",)),
    ("converts-types", "takes text for numbers", ("LLB-S003",)),
    ("ignores-bounds", "does not look at bounds of numbers", ("LLB-S006",)),
    ("takes-empty-lists", "takes lists of any length", ("LLB-S007",)),
    ("ignores-bin-ids", "does not look whether ids fit", ("LLB-M001", "LLB-M002")),
    ("ignores-columns", "does not look at columns", ("LLB-M003", "LLB-M006", "LLB-M007")),
    ("ignores-curve-names", "does not look at the names of curves", ("LLB-M005", "LLB-M012")),
    ("ignores-the-domain", "does not look at the domain", ("LLB-M008", "LLB-M009")),
    ("ignores-graph-roles", "takes the first graph whatever its role", ("LLB-M017",)),
    ("ignores-declared-shapes", "does not look at the declared shapes", ("LLB-M018",)),
    ("ignores-listed-twice", "takes files that are listed twice", ("LLB-M016",)),
    ("trusts-the-graph", "gives the graph to a runtime that repairs it", ("LLB-G001", "LLB-G002")),
    ("runs-every-operator", "runs operators beyond the list", ("LLB-G003",)),
    ("runs-every-opset", "runs every opset", ("LLB-G004",)),
    ("runs-custom-operators", "runs operators of other domains", ("LLB-G005",)),
    ("reads-external-data", "reads weights from other files", ("LLB-G006",)),
    ("runs-subgraphs", "runs subgraphs and functions", ("LLB-G007",)),
    ("ignores-names-of-outputs", "takes inputs and outputs by their place", ("LLB-G009",)),
    ("converts-graph-types", "converts between types", ("LLB-G010",)),
    ("pads-batches", "pads graphs of a fixed batch", ("LLB-G011",)),
    ("takes-every-ir-version", "takes every IR version", ("LLB-G013",)),
    ("takes-nan-weights", "takes weights that are NaN", ("LLB-G014",)),
)


def opening_mutants() -> Iterator[Mutant]:
    """Faults of `open`."""
    for name, what, codes in _ACCEPTING:
        yield Mutant(name, what, _accepting(frozenset(codes)))
    yield Mutant("accepts-everything", "opens whatever it is given", _accepting(None))
    yield Mutant("refuses-everything", "opens nothing", _RefusesAll)
    yield Mutant("fails-on-bad-bundles", "answers `errored` to bad bundles", _Errs)
    yield Mutant("unsupported-for-bad-bundles", "answers `unsupported` to bad bundles", _Unsupported)
    yield Mutant(
        "one-reason-for-all", "refuses every bad bundle at one stage with one code", _OneReason, "recommended"
    )
    yield Mutant("reason-without-its-stage", "refuses at the stage before", _StageBefore, "recommended")
    for name, what, refused in _REFUSING:
        yield Mutant(name, what, _refusing(refused))
    yield Mutant(
        "keeps-the-bundle-after-a-refusal", "goes on with the bundle before a refused one", _KeepsOpen
    )
    yield Mutant("archives-of-any-kind", "opens every archive", _accepting(frozenset(_ARCHIVE)), "archives")
    yield Mutant("no-archives", "claims archives, and opens directories only", _NoArchives, "archives")


_ARCHIVE = ("LLB-A001", "LLB-A002", "LLB-A003", "LLB-A004", "LLB-A006", "LLB-A007", "LLB-A008", "LLB-A009")


def _accepting(codes: frozenset[str] | None) -> Maker:
    class Accepting(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if (
                request["cmd"] == "open"
                and reply["reply"] == "rejected"
                and (codes is None or reply["code"] in codes)
            ):
                inputs = ["SR[0]", "SR[1]", "CR[0]"]
                return {"reply": "opened", "seq": reply["seq"], "format_version": "1.0.0", "inputs": inputs}
            return reply

    return Accepting


class _RefusesAll(WrongLoader):
    def opening(self, opened: Opened) -> Opened:
        return Refusal("manifest", "LLB-S002", "", "unknown key")


class _Errs(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "open" and reply["reply"] == "rejected":
            return {"reply": "errored", "seq": reply["seq"], "context": {"message": "KeyError"}}
        return reply


class _Unsupported(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "open" and reply["reply"] == "rejected":
            return {"reply": "unsupported", "seq": reply["seq"], "what": "open"}
        return reply


class _OneReason(WrongLoader):
    def opening(self, opened: Opened) -> Opened:
        return Refusal("manifest", "LLB-S001", "", "") if isinstance(opened, Refusal) else opened


class _StageBefore(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        stages = ("archive", "archive", "manifest", "integrity", "graph", "numbers", "claims")
        if request["cmd"] == "open" and reply["reply"] == "rejected":
            reply["stage"] = (
                stages[stages.index(reply["stage"], 1) - 1] if reply["stage"] != "archive" else "claims"
            )
        return reply


def _large(opened: Any) -> bool:
    return len(str(opened.bundle.raw)) > 1_000_000


_REFUSING: tuple[tuple[str, str, Callable[[Any], bool]], ...] = (
    (
        "refuses-extensions",
        "refuses a bundle with extensions",
        lambda opened: bool(opened.bundle.raw.get("extensions")),
    ),
    (
        "refuses-newer-minor-versions",
        "refuses a newer minor version",
        lambda opened: opened.bundle.raw["format_version"] == "1.3.0",
    ),
    (
        "refuses-patches",
        "refuses a later patch of its version",
        lambda opened: opened.bundle.raw["format_version"] == "1.0.7",
    ),
    (
        "refuses-older-versions",
        "refuses the first version",
        lambda opened: opened.bundle.raw["format_version"] == "0.1.0",
    ),
    ("refuses-long-manifests", "refuses a manifest of 4 MB", _large),
    (
        "refuses-many-files",
        "refuses a bundle of many files",
        lambda opened: len(opened.bundle.manifest.files) > 500,
    ),
    (
        "refuses-float32",
        "refuses graphs in single precision",
        lambda opened: opened.dtype.name == "float32",
    ),
    (
        "refuses-inputs-in-another-order",
        "refuses inputs that are not listed by column",
        lambda opened: (
            [item["column"] for item in opened.bundle.raw.get("inputs", ())]
            != sorted(item["column"] for item in opened.bundle.raw.get("inputs", ()))
        ),
    ),
    (
        "refuses-new-opsets",
        "refuses every opset but 17",
        lambda opened: opened.bundle.manifest.graphs[0].opset != 17,
    ),
)


def _refusing(refused: Callable[[Any], bool]) -> Maker:
    class Refusing(WrongLoader):
        def opening(self, opened: Opened) -> Opened:
            if isinstance(opened, Refusal) or not refused(opened):
                return opened
            return Refusal("manifest", "LLB-S002", "", "")

    return Refusing


class _KeepsOpen(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._last: Message | None = None

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "opened":
            self._last = request
        elif request["cmd"] == "open" and self._last is not None:
            self._loader.answer(self._last)
        return reply


class _NoArchives(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "open" and not str(request["bundle"]).endswith(".llb"):
            return {"reply": "rejected", "seq": reply["seq"], "stage": "archive", "code": "LLB-A001"}
        return reply
