"""The good bundle that every case starts from, and the means to put one fault into it."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import onnx

from llb_conformance.corpus.case import Build, Folder
from llb_conformance.quadratic import QuadraticModel, counting_model
from llb_conformance.quadratic_bundle import file_entry, quadratic_files

__all__ = [
    "BENCHMARKS",
    "GRAPH",
    "HELDOUT",
    "LABELS",
    "MANIFEST",
    "VECTORS",
    "Draft",
    "drop",
    "faulty",
    "good_bundle",
    "good_model",
    "put",
    "replaced",
]

MANIFEST = "manifest.json"
GRAPH = "graphs/delta_nll.onnx"
VECTORS = "validation/vectors.json"
HELDOUT = "validation/heldout.csv"
BENCHMARKS = "validation/benchmarks.csv"
LABELS = "provenance/labels.json"
_SIGNALS = {"weak": (1.0, 1.5, 0.5), "strong": (4.0, 3.0, 0.0)}


def good_model() -> QuadraticModel:
    """Two signal bins and a control bin; an alias, a truncated domain, a stated error."""
    model = counting_model(channels=(("SR", 2, "SR"), ("CR", 1, "CR")))
    return replace(model.with_spread(observed=1e-3, observed_asimov=1e-3, apriori=2e-3), id="corpus")


class Draft:
    """A bundle in memory.

    Attributes:
        model: what its numbers come from.
        manifest: the manifest as JSON; a change is written as it is.
        files: all other files by path; a change by hand breaks size and digest.
    """

    def __init__(self, model: QuadraticModel | None = None) -> None:
        self.model = good_model() if model is None else model
        files = dict(_files() if model is None else _complete(model))
        self.manifest: Any = json.loads(files.pop(MANIFEST))
        self.files = files

    def replace(self, path: str, data: bytes) -> None:
        """Replaces a file, with its size and digest."""
        self.files[path] = data
        entry = next(item for item in self.manifest["files"] if item["path"] == path)
        entry.update(file_entry(path, data, entry["role"], entry["media_type"]))

    def change_json(self, path: str, change: Callable[[Any], Any]) -> None:
        """Changes a JSON document in place, with its size and digest."""
        document = json.loads(self.files[path])
        change(document)
        self.replace(path, _dump(document))

    def change_graph(self, change: Callable[[onnx.ModelProto], Any]) -> None:
        """Changes the graph in place, with its size and digest."""
        model = onnx.load_from_string(self.files[GRAPH])
        change(model)
        self.replace(GRAPH, model.SerializeToString(deterministic=True))

    def contents(self) -> dict[str, bytes]:
        """All files by path, the manifest included."""
        return {**self.files, MANIFEST: _dump(self.manifest)}


def good_bundle() -> dict[str, bytes]:
    """All files of the good bundle by path."""
    return Draft().contents()


def faulty(fault: Callable[[Draft], Any], model: Callable[[], QuadraticModel] | None = None) -> Build:
    """The good bundle with a fault, as a directory; or the one of another model."""

    def build() -> Folder:
        draft = Draft(None if model is None else model())
        fault(draft)
        return Folder(draft.contents())

    return build


def put(pointer: str, value: Any) -> Build:
    """The good bundle with one value of its manifest set, by JSON pointer."""

    def fault(draft: Draft) -> None:
        parent, last = _place(draft.manifest, pointer)
        # A value of its own, so that no later change reaches the next bundle.
        parent[last] = copy.deepcopy(value)

    return faulty(fault)


def drop(pointer: str) -> Build:
    """The good bundle without one value of its manifest."""

    def fault(draft: Draft) -> None:
        parent, last = _place(draft.manifest, pointer)
        del parent[last]

    return faulty(fault)


def replaced(path: str, change: Callable[[bytes], bytes]) -> Build:
    """The good bundle with other contents of a file, in whose size and digest the manifest agrees."""
    return faulty(lambda draft: draft.replace(path, change(draft.files[path])))


def _place(document: Any, pointer: str) -> tuple[Any, Any]:
    """What holds the value at a pointer, and its key or position there."""
    *parents, last = pointer.split("/")[1:]
    for part in parents:
        document = document[int(part) if isinstance(document, list) else part]
    return document, int(last) if isinstance(document, list) else last


@cache
def _files() -> dict[str, bytes]:
    return _complete(good_model())


def _complete(model: QuadraticModel) -> dict[str, bytes]:
    """The files of an analytic bundle, with benchmarks and a record of the labels."""
    files = quadratic_files(model)
    manifest = json.loads(files[MANIFEST])
    manifest["validation"]["benchmarks"] = BENCHMARKS
    manifest["provenance"]["labels"] = LABELS
    for path, data, role, media_type in (
        (BENCHMARKS, _benchmarks(good_model()), "benchmarks", "text/csv"),
        (LABELS, _dump({"points": 200}), "provenance", "application/json"),
    ):
        files[path] = data
        manifest["files"].append(file_entry(path, data, role, media_type))
    return {**files, MANIFEST: _dump(manifest)}


def _benchmarks(model: QuadraticModel) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *model.bin_ids, "cls_observed", "upper_limit_observed"])
    for name, signal in _SIGNALS.items():
        exact = model.exact(np.array(signal))
        row = (*signal, exact.cls_observed, exact.upper_limit_observed)
        table.writerow([name, *(repr(float(value)) for value in row)])
    return text.getvalue().encode()


def _dump(document: Any) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
