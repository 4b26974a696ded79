"""The good bundles of the suite, and those that a careless loader takes for bad ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from llb_conformance.corpus import Archive, Folder
from llb_conformance.corpus.containers import Pairs
from llb_conformance.quadratic import QuadraticBin, QuadraticCurve, QuadraticModel, counting_model
from llb_conformance.quadratic_bundle import file_entry, quadratic_files, quadratic_graph
from llb_conformance.suite.case import Bundle

__all__ = ["add_file", "archived", "changed", "plain", "wide_model", "with_graph"]

Manifest = dict[str, Any]
Files = dict[str, bytes]
Change = Callable[[Manifest, Files], None]
_MANIFEST = "manifest.json"


def plain(model: QuadraticModel) -> Bundle:
    """The bundle of a model as a directory."""
    return Bundle(model.id, lambda: Folder(quadratic_files(model)))


def archived(model: QuadraticModel, name: str, pack: Callable[[Pairs], bytes], suffix: str) -> Bundle:
    """The bundle of a model in one file."""
    return Bundle(f"{model.id}-{name}", lambda: Archive(pack(sorted(quadratic_files(model).items())), suffix))


def changed(model: QuadraticModel, name: str, change: Change, text: Callable[[str], str] = str) -> Bundle:
    """The bundle of a model with its manifest or other files changed, still a good one.

    Args:
        model: what its numbers come from.
        name: of the change.
        change: is given the manifest as JSON, and the other files.
        text: changes the text of the manifest after that.
    """

    def build() -> Folder:
        files = dict(quadratic_files(model))
        manifest: Manifest = json.loads(files.pop(_MANIFEST))
        change(manifest, files)
        written = text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        return Folder({**files, _MANIFEST: written.encode()})

    return Bundle(f"{model.id}-{name}", build)


def add_file(manifest: Manifest, files: Files, path: str, data: bytes, role: str, media_type: str) -> None:
    """Puts a file into a bundle and into its list, or another content in its place."""
    files[path] = data
    others = [entry for entry in manifest["files"] if entry["path"] != path]
    manifest["files"] = [*others, file_entry(path, data, role, media_type)]


def with_graph(model: QuadraticModel, name: str, change: Callable[[onnx.ModelProto], Any]) -> Bundle:
    """The bundle of a model with a graph of other nodes and the same numbers."""

    def build() -> Folder:
        graph = quadratic_graph(model)
        change(graph)
        onnx.checker.check_model(graph, full_check=True)
        return Folder(quadratic_files(model, graph))

    return Bundle(f"{model.id}-{name}", build)


def wide_model(size: int = 40) -> QuadraticModel:
    """Many bins: one channel of `size` bins without truncation, negative yields allowed."""
    generator = np.random.default_rng(40)
    bins = tuple(QuadraticBin("SR", index) for index in range(size))
    base = counting_model().curves
    curves = tuple(
        QuadraticCurve(
            curve.name,
            0.05 * generator.normal(size=size) if curve.name == "observed" else np.zeros(size),
            np.diag(generator.uniform(0.05, 0.3, size))
            @ (np.eye(size) + 0.05 * generator.normal(size=(size, size))),
            curve.baseline + 400.0,
        )
        for curve in base
    )
    model = QuadraticModel("wide", bins, curves, (-3.0,) * size, (25.0,) * size)
    return replace(model, samples=("background",))
