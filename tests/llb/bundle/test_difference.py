from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.bundle import BundleDifference, BundleFile, compare_bundles, copy_bundle, read_bundle
from llb_schema import FindingError


def between(first: Path, second: Path) -> BundleDifference:
    return compare_bundles(read_bundle(first), read_bundle(second))


def changes(
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None] | None,
    replace: dict[str, BundleFile] | None = None,
) -> tuple[BundleDifference, BundleDifference]:
    """From the plain bundle to the changed one, and back."""
    plain = bundles.write(tmp_path / "plain.llb")
    other = bundles.write(tmp_path / "other.llb", change, replace)
    return between(plain, other), between(other, plain)


@pytest.mark.parametrize("name", ["y.llb", "y.zip", "y.tar.gz"])
def test_forms_do_not_differ(tmp_path: Path, name: str) -> None:
    plain = bundles.write(tmp_path / "x.llb")
    found = between(plain, copy_bundle(read_bundle(plain), tmp_path / name))
    assert found.same
    assert (found.values, found.files) == ((), ())


def test_values_by_pointer(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["analysis"].pop("luminosity")
        document["authors"].append({"name": "Another"})
        document["domain"]["upper"][1] = 14.0
        document["extensions"] = {"org.example": {"a/b~c": {"x": [True]}}}

    there, back = changes(tmp_path, change)
    assert not there.same
    assert [item.to_json() for item in there.values] == [
        {"pointer": "/authors/1", "kind": "added", "second": {"name": "Another"}},
        {"pointer": "/analysis/luminosity", "kind": "removed", "first": 139.0},
        {"pointer": "/domain/upper/1", "kind": "changed", "first": 15.0, "second": 14.0},
        {
            "pointer": "/extensions/org.example",
            "kind": "added",
            "second": {"a/b~c": {"x": [True]}},
        },
    ]
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(item.pointer, item.kind) for item in back.values} == {
        (item.pointer, opposite[item.kind]) for item in there.values
    }


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [(1, 1.0, False), (True, 1, True), (0, False, True), (None, 0, True), ([], {}, True), ("1", 1, True)],
)
def test_values_are_those_of_json(tmp_path: Path, first: object, second: object, differ: bool) -> None:
    paths: list[Path] = []
    for name, value in (("a", first), ("b", second)):

        def change(document: dict[str, Any], value: object = value) -> None:
            document["extensions"] = {"org.example": {"a/b~c": copy.deepcopy(value)}}

        paths.append(bundles.write(tmp_path / f"{name}.llb", change))
    found = between(*paths)
    expected = ["/extensions/org.example/a~1b~0c"] if differ else []
    assert [item.pointer for item in found.values] == expected


def test_files_by_digest_and_by_what_the_list_says(tmp_path: Path) -> None:
    labels = bundles.files()["provenance/labels.json"]
    replace = {
        "notes.txt": BundleFile(b"x", "provenance", "text/plain"),
        "provenance/labels.json": BundleFile(labels.data, labels.role, "text/plain"),
        bundles.BENCHMARKS: BundleFile(
            bundles.files()[bundles.BENCHMARKS].data + b"\n", "benchmarks", "text/csv"
        ),
    }
    there, back = changes(tmp_path, None, replace)
    assert there.values == ()
    assert [(item.path, item.kind) for item in there.files] == [
        ("notes.txt", "added"),
        ("provenance/labels.json", "changed"),
        (bundles.BENCHMARKS, "changed"),
    ]
    added, labels_change, table = there.files
    assert added.to_json() == {
        "path": "notes.txt",
        "kind": "added",
        "second": {
            "path": "notes.txt",
            "bytes": 1,
            "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            "media_type": "text/plain",
            "role": "provenance",
        },
    }
    assert labels_change.first is not None
    assert labels_change.second is not None
    assert labels_change.first.sha256 == labels_change.second.sha256
    assert table.first is not None
    assert table.second is not None
    assert table.first.bytes + 1 == table.second.bytes
    assert [item.kind for item in back.files] == ["removed", "changed", "changed"]


def test_a_manifest_that_is_written_differently(tmp_path: Path) -> None:
    first, second = (bundles.write(tmp_path / name) for name in ("a.llb", "b.llb"))
    document = json.loads((second / "manifest.json").read_text())
    document["files"].reverse()
    (second / "manifest.json").write_text(json.dumps(document, sort_keys=True))
    found = between(first, second)
    assert not found.same
    assert (found.values, found.files) == ((), ())


@pytest.mark.parametrize("changed", ["a.llb", "b.llb"])
def test_a_file_that_is_not_the_manifests_is_no_difference_but_a_fault(tmp_path: Path, changed: str) -> None:
    first, second = (bundles.write(tmp_path / name) for name in ("a.llb", "b.llb"))
    text = (tmp_path / changed / "LICENSE").read_bytes()
    (tmp_path / changed / "LICENSE").write_bytes(text[:-1] + b"!")
    with pytest.raises(FindingError, match="LLB-I001"):
        between(first, second)
