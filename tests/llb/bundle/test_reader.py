from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.bundle import read_bundle
from llb_schema import FindingError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz", ".tgz"])
def test_every_container_gives_the_same_bundle(tmp_path: Path, suffix: str) -> None:
    opened = read_bundle(bundles.write(tmp_path / f"x.llb{suffix}"))
    manifest = opened.manifest
    assert manifest.bin_ids == bundles.BIN_IDS
    assert manifest.id == "three-bins"
    assert [curve.name for curve in manifest.own_curves] == list(bundles.CURVES)
    assert manifest.curve("apriori_asimov").alias_of == "apriori"
    assert manifest.domain.upper == bundles.UPPER
    assert manifest.inputs[0].observed == 5.0
    graph = manifest.graph("delta_nll")
    assert graph is not None
    assert graph.input.shape == ("batch", 3)
    assert opened.read(graph.path) == bundles.files()[bundles.GRAPH].data
    assert opened.raw["title"] == manifest.title
    assert opened.location == tmp_path / f"x.llb{suffix}"


@pytest.mark.requirement("INPUT-4")
def test_bins_are_in_column_order_whatever_the_order_in_the_document(tmp_path: Path) -> None:
    def turn(document: dict[str, Any]) -> None:
        document["inputs"].reverse()

    assert read_bundle(bundles.write(tmp_path / "x.llb", turn)).manifest.bin_ids == bundles.BIN_IDS


@pytest.mark.requirement("INTEGRITY-2")
def test_a_changed_file_is_noticed_when_it_is_read(bundle: Path) -> None:
    path = bundle / bundles.GRAPH
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))
    opened = read_bundle(bundle)
    with pytest.raises(FindingError, match="LLB-I001"):
        opened.read(bundles.GRAPH)
    with pytest.raises(KeyError):
        opened.read("nothing")


@pytest.mark.requirement("INTEGRITY-1")
def test_unlisted_missing_and_shortened_files_refuse_the_bundle(bundle: Path) -> None:
    (bundle / "extra.txt").write_text("x")
    (bundle / "LICENSE").unlink()
    (bundle / bundles.HELDOUT).write_text("x")
    with pytest.raises(FindingError) as error:
        read_bundle(bundle)
    found = [(item.code, item.pointer) for item in error.value.findings]
    assert found == [("LLB-I002", bundles.HELDOUT), ("LLB-I003", "LICENSE"), ("LLB-I004", "extra.txt")]


def test_reading_imports_neither_onnx_nor_numpy() -> None:
    heavy = "{'onnx', 'numpy', 'jsonschema', 'scipy'}"
    program = f"import sys, llb.bundle; sys.exit(bool({heavy} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
