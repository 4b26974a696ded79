"""Bundles that somebody has made to break a reader: findings come out, nothing else, and the same again."""

from __future__ import annotations

import contextlib
import gzip
import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import mutated_archives
import mutated_bundles
import mutated_documents
import pytest
from fuzz_targets import TARGETS, examine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llb.bundle import pack
from llb.validation import DEFAULT_LEVEL, validate
from llb_conformance.corpus import good_bundle
from llb_schema import has_errors

MANIFEST, VECTORS = "manifest.json", "validation/vectors.json"
GOOD = good_bundle()

# Nothing here takes seconds; what is not back after minutes never comes.
PATIENCE = 120

HOSTILE = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
RANDOMS = st.randoms(use_true_random=False)

NUMBERS = (
    st.integers() | st.floats() | st.sampled_from([2**53, 2**63, -(2**53), 10**400, 1e308, 5e-324, -0.0])
)
TEXTS = st.text(st.characters(codec=None), max_size=8) | st.sampled_from(
    ["", "\x1b[2J", "\ud800", "../x", "1" * 5000]
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Ends a hang."""

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"not back after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def findings(path: Path) -> list[dict[str, str]]:
    """What a validation finds, which is the same twice and can be written down."""
    with patience():
        report, again = validate(path, limits=None), validate(path, limits=None)
    assert (report.level, report.findings) == (again.level, again.findings)
    json.dumps(report.to_json(), ensure_ascii=False).encode()
    # Level 5 is reached by what has no errors only; a check that broke has the code X900.
    assert report.level == DEFAULT_LEVEL or has_errors(report.findings)
    assert [item for item in report.findings if item.code == "LLB-X900"] == []
    return report.to_json()["findings"]


def findings_in(folder: Path, name: str, data: bytes) -> list[dict[str, str]]:
    """The same of an archive with these bytes."""
    (folder / name).write_bytes(data)
    return findings(folder / name)


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values in a document."""
    yield path
    pairs = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in pairs:
        yield from places(value, (*path, key))


def put(document: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> None:
    """Changes the container of a value, which gets to know its key."""
    *parents, last = path
    for key in parents:
        document = document[key]
    change(document, last)


def rename(container: Any, key: Any, name: str) -> None:
    if isinstance(container, dict):
        container[name] = container.pop(key)


def double(container: Any, key: Any) -> None:
    if isinstance(container, list):
        container.insert(key, container[key])
    else:
        container[f"{key}2"] = container[key]


def nest(container: Any, key: Any, depth: int) -> None:
    for _ in range(depth):
        container[key] = [container[key]]


CHANGES = st.one_of(
    st.just(lambda container, key: container.__delitem__(key)),
    st.just(double),
    TEXTS.map(lambda name: lambda container, key: rename(container, key, name)),
    VALUES.map(lambda value: lambda container, key: container.__setitem__(key, value)),
    st.sampled_from([1, 40, 80]).map(lambda depth: lambda container, key: nest(container, key, depth)),
)


def write(folder: Path, files: dict[str, bytes], kind: str) -> Path:
    path = folder / f"bundle.{kind}"
    path.write_bytes(mutated_bundles.plain_zip(files) if kind == "zip" else pack(files, "tar"))
    return path


@pytest.mark.parametrize("name", [MANIFEST, VECTORS])
@HOSTILE
@given(data=st.data())
def test_documents_with_one_value_changed(tmp_path: Path, name: str, data: st.DataObject) -> None:
    document = json.loads(GOOD[name])
    path = data.draw(st.sampled_from(list(places(document))[1:]))
    put(document, path, data.draw(CHANGES))
    files = {**GOOD, name: json.dumps(document).encode()}
    findings(write(tmp_path, files if name == MANIFEST else mutated_bundles.reseal(files), "zip"))


@HOSTILE
@given(value=VALUES)
def test_any_json_in_place_of_the_manifest(tmp_path: Path, value: Any) -> None:
    assert findings(write(tmp_path, {**GOOD, MANIFEST: json.dumps(value).encode()}, "zip"))


@HOSTILE
@given(random=RANDOMS)
def test_files_changed_and_sealed(tmp_path: Path, random: Random) -> None:
    findings(write(tmp_path, mutated_bundles.mutate_bundle(GOOD, random), "zip"))


@HOSTILE
@given(random=RANDOMS)
def test_zips_changed(tmp_path: Path, random: Random) -> None:
    findings_in(tmp_path, "bundle.zip", mutated_archives.mutate_zip(pack(GOOD, "zip"), random))


@HOSTILE
@given(random=RANDOMS)
def test_tars_changed(tmp_path: Path, random: Random) -> None:
    tar = mutated_archives.mutate_tar(gzip.decompress(pack(GOOD, "tar")), random)
    findings_in(tmp_path, "bundle.tar.gz", gzip.compress(tar, 1))


@pytest.mark.parametrize("kind", ["zip", "tar"])
@HOSTILE
@given(data=st.data())
def test_archives_cut_short(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    whole = pack(GOOD, kind)
    assert findings_in(tmp_path, f"bundle.{kind}", whole[: data.draw(st.integers(0, len(whole) - 1))])


@HOSTILE
@given(random=RANDOMS)
def test_gzip_streams_changed(tmp_path: Path, random: Random) -> None:
    findings_in(tmp_path, "bundle.tar.gz", mutated_documents.mutate_bytes(pack(GOOD, "tar"), random))


@pytest.mark.parametrize("name", ["validation/heldout.csv", "validation/benchmarks.csv"])
@HOSTILE
@given(random=RANDOMS)
def test_tables_changed(tmp_path: Path, name: str, random: Random) -> None:
    files = mutated_bundles.reseal({**GOOD, name: mutated_documents.mutate_table(GOOD[name], random)})
    findings(write(tmp_path, files, "zip"))


@pytest.mark.parametrize("name", list(TARGETS))
@HOSTILE
@given(random=RANDOMS)
def test_every_reader_by_itself(name: str, random: Random) -> None:
    target = TARGETS[name]
    data = target.mutate(random.choice(sorted(target.seeds())), random)
    with patience():
        assert examine(target, data) == examine(target, data)


def test_the_good_bundle_passes_through_the_same_hands(tmp_path: Path) -> None:
    """Else everything above could be refused for another reason than its fault."""
    assert findings(write(tmp_path, mutated_bundles.reseal(GOOD), "zip")) == []
    assert findings(write(tmp_path, mutated_bundles.reseal(GOOD), "tar")) == []
    refused = [
        name
        for name, target in TARGETS.items()
        if all(has_errors(examine(target, data)) for data in target.seeds())
    ]
    assert refused == []
