"""What is fuzzed: every place where bytes of somebody else are read first.

A target takes bytes and gives findings. Anything else is a crash: another exception, the code LLB-X900 of a
check that broke, a finding that cannot be written down.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

import mutated_archives
import mutated_bundles
import mutated_documents
import mutated_graphs
import numpy as np

from llb.bundle import Bundle, Container, Limits, Manifest, check_manifest, pack, parse_json
from llb.bundle.tar import read_tar
from llb.bundle.zip import read_zip
from llb.evaluation import read_benchmarks, read_heldout
from llb.runtime import GraphSession, open_session
from llb.runtime.patchset import patchset_signals
from llb.runtime.signal import BinNames
from llb.runtime.signal_files import read_signals
from llb.validation import validate
from llb.validation.tables import check_benchmarks, check_heldout
from llb.validation.vectors import TestVectors, check_vectors
from llb_conformance.corpus import Archive, corpus, good_bundle
from llb_schema import Finding, FindingError, has_errors

__all__ = ["TARGETS", "Target", "examine"]

GRAPH = "graphs/delta_nll.onnx"
# So small that an archive which is allowed cannot fill the memory of a fuzzer.
_LIMITS = Limits(member_bytes=2**22, total_bytes=2**23)
_BROKEN = "LLB-X900"


@dataclass(frozen=True)
class Target:
    """A place to fuzz.

    Attributes:
        run: gives the findings about an input, or raises them.
        seeds: gives inputs to start from.
        mutate: makes another input of one.
    """

    run: Callable[[bytes], Iterable[Finding]]
    seeds: Callable[[], Iterable[bytes]]
    mutate: Callable[[bytes, Random], bytes]


def examine(target: Target, data: bytes) -> tuple[Finding, ...]:
    """The findings about an input.

    Raises:
        Exception: the target broke.
    """
    try:
        found = tuple(target.run(data))
    except FindingError as error:
        found = error.findings
    # Half of a surrogate pair would end a program that prints it.
    json.dumps([item.to_json() for item in found], ensure_ascii=False).encode()
    broken = [item for item in found if item.code == _BROKEN]
    if broken:
        raise RuntimeError(str(broken[0]))
    return found


@cache
def _raw_manifest() -> dict[str, object]:
    return json.loads(good_bundle()["manifest.json"])


@cache
def _manifest() -> Manifest:
    return Manifest.from_json(_raw_manifest())


def _bundle_with(path: str, data: bytes) -> Bundle:
    """The good bundle with another content of a file that its manifest agrees with."""
    manifest = _manifest()
    entries = tuple(
        replace(entry, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        if entry.path == path
        else entry
        for entry in manifest.files
    )
    contents = {**good_bundle(), path: data}
    sizes = {name: len(content) for name, content in contents.items()}
    container = Container(Path("fuzz.llb"), "zip", sizes, _LIMITS, contents)
    return Bundle(replace(manifest, files=entries), _raw_manifest(), container)


def _strict_json(data: bytes) -> Iterable[Finding]:
    value = parse_json(data, "fuzz.json")
    again = parse_json(json.dumps(value).encode(), "again.json")
    if again != value:
        raise AssertionError("a document is not what it was")
    return ()


def _manifests(data: bytes) -> Iterable[Finding]:
    raw = parse_json(data, "manifest.json")
    before = copy.deepcopy(raw)
    found = check_manifest(raw)
    if raw != before:
        raise AssertionError("a check has changed the document")
    return found


def _zip(data: bytes) -> Iterable[Finding]:
    read_zip(data, _LIMITS)
    return ()


def _tar(data: bytes) -> Iterable[Finding]:
    read_tar(data if data[:2] == b"\x1f\x8b" else gzip.compress(data, 1, mtime=0), _LIMITS)
    return ()


def _tables(data: bytes) -> Iterable[Finding]:
    """The first byte says which table the rest is; what the check accepts is read."""
    manifest, text = _manifest(), data[1:]
    if data[:1] == b"b":
        path = manifest.validation.benchmarks or ""
        found = check_benchmarks(text, manifest, path)
        if not has_errors(found):
            read_benchmarks(_bundle_with(path, text))
    else:
        path = manifest.validation.heldout
        found = check_heldout(text, manifest, path)
        if not has_errors(found):
            read_heldout(_bundle_with(path, text))
    return found


def _vectors(data: bytes) -> Iterable[Finding]:
    raw = parse_json(data, "vectors.json")
    found = check_vectors(raw, _manifest(), "vectors.json")
    if not has_errors(found):
        TestVectors.from_json(raw, _manifest())
    return found


def _graph(data: bytes) -> Iterable[Finding]:
    spec = _manifest().graphs[0]
    session = GraphSession(spec, open_session(data, spec))
    rows = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.5]])
    session.run_outputs(rows, spec.outputs)
    return ()


def _signals(data: bytes) -> Iterable[Finding]:
    suffix = ".csv" if data[:1] == b"c" else ".json"
    with _file(data[1:], suffix) as path:
        signals = read_signals(path, BinNames.of(_manifest()))
    if not np.isfinite(signals.yields).all():
        raise AssertionError("a yield is not finite")
    return signals.findings


def _patchset(data: bytes) -> Iterable[Finding]:
    manifest = _manifest()
    bins = [(item.channel, item.index) for item in manifest.bins]
    with _file(data, ".json") as path:
        signals = patchset_signals(path, manifest.teacher, bins, manifest.signal_model.modifiers)
    if not np.isfinite(signals.yields).all():
        raise AssertionError("a yield is not finite")
    return signals.findings


def _bundle(data: bytes) -> Iterable[Finding]:
    with _file(data, ".zip") as path:
        # In this process: another one would hide what breaks, and what the fuzzer learns by.
        return validate(path, limits=None).findings


@contextmanager
def _file(data: bytes, suffix: str) -> Iterator[Path]:
    """A file with some content, for readers that want a path; always the same, because findings name it."""
    path = Path(_folder().name) / f"input{suffix}"
    path.write_bytes(data)
    yield path


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="llb-fuzz-")


def _mutated_bundle(data: bytes, random: Random) -> bytes:
    try:
        files = mutated_bundles.unzipped(data)
    # The fuzzer has taken it apart before.
    except Exception:
        files = {}
    if not files:
        return mutated_archives.mutate_zip(data, random)
    return mutated_bundles.plain_zip(mutated_bundles.mutate_bundle(files, random))


def _behind_first(mutate: Callable[[bytes, Random], bytes]) -> Callable[[bytes, Random], bytes]:
    """Keeps the first byte, which says what the rest is."""
    return lambda data, random: data[:1] + mutate(data[1:], random)


def _documents(*suffixes: str) -> list[bytes]:
    return [data for path, data in sorted(good_bundle().items()) if path.endswith(suffixes)]


def _archives(kind: Literal["zip", "tar"], suffix: str) -> list[bytes]:
    """The good bundle, and the bad ones of the corpus that are small."""
    made = [item.build() for item in corpus() if item.level == 0]
    data = [item.data for item in made if isinstance(item, Archive) and item.suffix == suffix]
    return [pack(good_bundle(), kind), *(item for item in data if len(item) < 2**16)]


def _tars() -> list[bytes]:
    """Unpacked, because that is where the headers are."""
    plain: list[bytes] = []
    for data in _archives("tar", ".tar.gz"):
        try:
            plain.append(gzip.decompress(data))
        except (OSError, EOFError):
            plain.append(data)
    return [data for data in plain if len(data) < 2**17]


def _patchsets() -> list[bytes]:
    teacher = _manifest().teacher
    modifier = {"name": teacher.poi, "type": "normfactor", "data": None}
    operations = [
        {
            "op": "add",
            "path": f"/channels/{number}/samples/0",
            "value": {"name": "signal", "data": [1.5] * channel.bins, "modifiers": [modifier]},
        }
        for number, channel in enumerate(teacher.channels)
    ]
    more = [
        {"op": "copy", "from": "/channels/0/samples/0", "path": "/channels/0/samples/-"},
        {"op": "move", "from": "/channels/0/samples/0", "path": "/channels/0/samples/1"},
        {"op": "test", "path": "/channels/0/name", "value": teacher.channels[0].name},
        {"op": "remove", "path": f"/channels/{len(teacher.channels) - 1}"},
    ]
    patches = [
        {"metadata": {"name": name, "values": [1, 2]}, "patch": patch}
        for name, patch in (("one", operations), ("other", [*operations, *more]))
    ]
    metadata = {"digests": {"sha256": teacher.pyhf_digest}, "labels": ["a", "b"]}
    return [json.dumps(item).encode() for item in ({"metadata": metadata, "patches": patches}, operations)]


def _signal_files() -> list[bytes]:
    yields = dict.fromkeys(_manifest().bin_ids, 1.5)
    rows = "".join(f"point,{name},{value}\n" for name, value in yields.items())
    return [
        b"j" + json.dumps(yields).encode(),
        b"j" + json.dumps({"one": yields, "other": yields}).encode(),
        b"c" + f"name,bin,yield\n{rows}".encode(),
    ]


TARGETS: Mapping[str, Target] = {
    "strict-json": Target(_strict_json, lambda: _documents(".json"), mutated_documents.mutate_document),
    "manifest": Target(_manifests, lambda: _documents("manifest.json"), mutated_documents.mutate_document),
    "vectors": Target(_vectors, lambda: _documents("vectors.json"), mutated_documents.mutate_document),
    "zip": Target(_zip, lambda: _archives("zip", ".zip"), mutated_archives.mutate_zip),
    "tar": Target(_tar, _tars, mutated_archives.mutate_tar),
    "tables": Target(
        _tables,
        lambda: [kind + text for kind, text in zip((b"b", b"h"), _documents(".csv"), strict=True)],
        _behind_first(mutated_documents.mutate_table),
    ),
    "graph": Target(_graph, lambda: _documents(".onnx"), mutated_graphs.mutate_graph),
    "patchset": Target(_patchset, _patchsets, mutated_documents.mutate_document),
    "signals": Target(
        _signals,
        _signal_files,
        lambda data, random: _behind_first(
            mutated_documents.mutate_table if data[:1] == b"c" else mutated_documents.mutate_document
        )(data, random),
    ),
    "bundle": Target(_bundle, lambda: [mutated_bundles.plain_zip(good_bundle())], _mutated_bundle),
}
"""By name."""
