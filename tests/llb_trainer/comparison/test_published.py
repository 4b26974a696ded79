"""Coordinates of a patchset are read where they are numbers, and left alone where not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llb_trainer.comparison import read_patches
from llb_trainer.quickstart import load_patchset, patchset_path


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_embedded_plane() -> None:
    found = read_patches(patchset_path())
    assert found.labels == ("m_parent", "m_lsp")
    assert found.plane(["PP_300_80", "PP_800_1"]).tolist() == [[300.0, 80.0], [800.0, 1.0]]
    assert len(found.patches) == 24


@pytest.mark.parametrize("values", [None, [300], ["a", "b"], [True, 1], [float("nan"), 1.0], {}])
def test_one_signal_without_numbers_and_there_is_no_plane(tmp_path: Path, values: Any) -> None:
    document = load_patchset()
    document["patches"][3]["metadata"]["values"] = values
    found = read_patches(write(tmp_path / "p.json", document))
    assert found.labels == ()
    assert found.plane(["PP_300_80"]).shape == (1, 0)
    assert len(found.patches) == 24


@pytest.mark.parametrize("labels", [None, [], "m"])
def test_no_labels_no_plane(tmp_path: Path, labels: Any) -> None:
    document = load_patchset()
    document["metadata"]["labels"] = labels
    assert read_patches(write(tmp_path / "p.json", document)).labels == ()


def test_a_bare_patch_is_one_signal_named_after_its_file(tmp_path: Path) -> None:
    patch = load_patchset()["patches"][0]["patch"]
    found = read_patches(write(tmp_path / "signal.json", patch))
    assert dict(found.patches) == {"signal": patch}
    assert found.labels == ()


def test_a_signal_without_coordinates_leaves_no_plane() -> None:
    assert read_patches(patchset_path()).plane(["PP_300_80", "generated_1"]).shape == (2, 0)
