"""Good bundles that a careless loader refuses, or misreads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from llb_conformance.corpus.containers import Pairs, tarred, zipped
from llb_conformance.quadratic import QuadraticModel, counting_model
from llb_conformance.quadratic_bundle import quadratic_graph
from llb_conformance.suite.bundles import Change, add_file, archived, changed
from llb_conformance.suite.case import Bundle, Case, ConformanceClass
from llb_conformance.suite.requests import describing, evaluating, inside, one_bundle

__all__ = ["accept_cases"]

Manifest = dict[str, Any]
Files = dict[str, bytes]

_VECTORS = "validation/vectors.json"
_TWIN = "graphs/delta_nll_float32.onnx"
# Just within what every reader takes (SECURITY-2).
_FILES, _DEPTH, _LENGTH = 900, 60, 4_000_000


def accept_cases() -> Iterator[Case]:
    """Cases of class `core`, and of `archives`: the bundle is good, and its numbers are known."""
    model = counting_model()
    for name, what, requirement, change in _CHANGES:
        yield _case(model, name, what, requirement, changed(model, name, change))
    for name, what, requirement, text in _TEXTS:
        yield _case(model, name, what, requirement, changed(model, name, _nothing, text))
    for version in ("1.0.7", "1.3.0", "0.1.0"):
        yield _version(model, version)
    packs: tuple[tuple[str, Callable[[Pairs], bytes], str], ...] = (
        ("zip", zipped, ".zip"),
        ("zip-stored", lambda pairs: zipped(pairs, stored=True), ".zip"),
        ("tar", tarred, ".tar.gz"),
    )
    for name, pack, suffix in packs:
        bundle = archived(model, name, pack, suffix)
        yield _case(
            model, f"archive-{name}", "in one file", "CONTAINER-1", bundle, conformance_class="archives"
        )


def _case(
    model: QuadraticModel,
    name: str,
    what: str,
    requirement: str,
    bundle: Bundle,
    *,
    version: str = "1.0.0",
    conformance_class: ConformanceClass = "core",
) -> Case:
    return one_bundle(
        f"accept-{name}",
        f"opens a bundle {what}, and answers as always",
        model,
        describing(model),
        evaluating(model, inside(model, 3, 100)),
        requirements=(requirement,),
        conformance_class=conformance_class,
        bundle=bundle,
        format_version=version,
    )


def _nothing(manifest: Manifest, files: Files) -> None:
    """The manifest says what it said."""


def _inputs_reversed(manifest: Manifest, files: Files) -> None:  # noqa: ARG001 - one form for all changes
    manifest["inputs"].reverse()


def _curves_reversed(manifest: Manifest, files: Files) -> None:  # noqa: ARG001
    manifest["curves"].reverse()


def _extended(manifest: Manifest, files: Files) -> None:  # noqa: ARG001
    manifest["extensions"] = {
        "org.example.note": {"colour": "blue", "nested": [1, [2.5, None, True]]},
        "com.example.empty": None,
    }


def _deep(manifest: Manifest, files: Files) -> None:  # noqa: ARG001
    value: Any = 0
    for _ in range(_DEPTH):
        value = [value]
    manifest["extensions"] = {"org.example.deep": value}


def _long(manifest: Manifest, files: Files) -> None:  # noqa: ARG001
    manifest["extensions"] = {"org.example.long": "x" * _LENGTH}


def _many_files(manifest: Manifest, files: Files) -> None:
    for number in range(_FILES):
        add_file(manifest, files, f"extra/{number // 100}/{number}.txt", b"n", "provenance", "text/plain")


def _odd_paths(manifest: Manifest, files: Files) -> None:
    for path in ("notes/A=b,c@d+e.f_g-h.txt", f"{'d' * 99}/{'f' * 100}"):
        add_file(manifest, files, path, path.encode(), "provenance", "text/plain")


def _twin(manifest: Manifest, files: Files) -> None:
    """A faster twin in front of the graph; it rounds, and nobody may publish its numbers (GRAPH-1)."""
    data = quadratic_graph(counting_model().with_precision("float32")).SerializeToString(deterministic=True)
    add_file(manifest, files, _TWIN, data, "graph", "application/octet-stream")
    entry = json.loads(json.dumps(manifest["graphs"][0]))
    entry.update(role="delta_nll_float32", path=_TWIN)
    for tensor in (entry["input"], *entry["outputs"]):
        tensor["dtype"] = "float32"
    manifest["graphs"].insert(0, entry)


def _graph_elsewhere(manifest: Manifest, files: Files) -> None:
    """The graph under another path, and another file under the path that it usually has."""
    old, new = manifest["graphs"][0]["path"], "a/b/c/likelihood"
    add_file(manifest, files, new, files[old], "graph", "application/octet-stream")
    add_file(manifest, files, old, b"not a graph", "provenance", "application/octet-stream")
    manifest["graphs"][0]["path"] = new


def _unicode(manifest: Manifest, files: Files) -> None:  # noqa: ARG001
    manifest["title"] = "Quadratische Formen für größere Suchen: \u03bc, \U0001d4db"
    manifest["authors"] = [{"name": "Łucja Ørsted"}]


_CHANGES: tuple[tuple[str, str, str, Change], ...] = (
    (
        "inputs-in-another-order",
        "whose inputs are not listed in the order of their columns",
        "INPUT-4",
        _inputs_reversed,
    ),
    (
        "curves-in-another-order",
        "whose curves are not listed in the order of their columns",
        "CURVE-2",
        _curves_reversed,
    ),
    ("extensions", "with extensions that nobody knows", "MANIFEST-2", _extended),
    ("nested-deeply", "with an extension nested to the depth that is allowed", "SECURITY-2", _deep),
    ("manifest-long", "with a manifest of nearly the size that is allowed", "SECURITY-2", _long),
    ("many-files", f"of more than {_FILES} files", "SECURITY-2", _many_files),
    ("odd-paths", "with paths of every kind that is allowed", "CONTAINER-3", _odd_paths),
    ("float32-twin", "with a single-precision twin in front of its graph", "GRAPH-1", _twin),
    ("graph-elsewhere", "with a graph of another path", "CONTAINER-2", _graph_elsewhere),
    ("unicode", "with letters of every alphabet", "CONTAINER-6", _unicode),
)

_TEXTS: tuple[tuple[str, str, str, Callable[[str], str]], ...] = (
    (
        "integers-with-a-point",
        "in which integers are written with a fractional part of 0",
        "CONTAINER-7",
        lambda text: text.replace('"column": 1,', '"column": 1.0,').replace('"opset": 17', '"opset": 1.7e1'),
    ),
    (
        "escapes",
        "in which letters are written as escapes",
        "CONTAINER-6",
        lambda text: text.replace('"inputs"', '"\\u0069nputs"').replace('"SRlow[0]"', '"\\u0053Rlow[0]"'),
    ),
    (
        "no-white-space",
        "without white space",
        "CONTAINER-6",
        lambda text: json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False),
    ),
    (
        "much-white-space",
        "with every kind of white space",
        "CONTAINER-6",
        lambda text: "\r\n\t " + text.replace("\n", "\r\n\t "),
    ),
    (
        "keys-sorted",
        "whose keys come in another order",
        "MANIFEST-3",
        lambda text: json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False),
    ),
)


def _version(model: QuadraticModel, version: str) -> Case:
    """A bundle of another version that every reader of 1.0 takes (VERSION-7)."""

    def change(manifest: Manifest, files: Files) -> None:
        manifest["format_version"] = version
        if version == "1.3.0":
            manifest["colour"] = "blue"
            manifest["inputs"][0]["unit"] = "events"
        vectors = json.loads(files[_VECTORS])
        vectors["format_version"] = version
        data = (json.dumps(vectors, indent=1) + "\n").encode()
        add_file(manifest, files, _VECTORS, data, "vectors", "application/json")

    what = {
        "1.0.7": "of a later patch of the format",
        "1.3.0": "of a later minor version, with keys that nobody knows",
        "0.1.0": "of the first version of the format",
    }[version]
    name = f"version-{version.replace('.', '-')}"
    requirement = "VERSION-4" if version == "1.3.0" else "VERSION-7"
    return _case(model, name, what, requirement, changed(model, name, change), version=version)
