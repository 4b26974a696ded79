"""Stored bundles of every released format version: every later reader reads them, to the same numbers.

Made by tests/golden/make.py when a version was released, and never again: that this software can read what it
writes itself says nothing about what was published before.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

import llb
from llb.bundle import (
    content_id,
    file_digests,
    is_current,
    open_container,
    read_any_bundle,
    read_bundle,
    upgrade_bundle,
)
from llb.runtime import load_density
from llb.validation import DEFAULT_LEVEL, validate
from llb_schema import DENSITY_VERSION, FORMAT_VERSION, LINES

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
STORED = {
    "0.1.0": "87142d25a50119385644e528f44cc1a722de7d8298fdd25573497f233733a5a8",
    "1.0.0": "fd6ecd642e03eb09f566a3558c276987747a21ebaa7eba3f7a9ec803f864ce0e",
    "1.1.0": "e29d457a22f7a62c5927e8ae727e2a7822e3cab11c159c719259bb9ea3946c35",
}
# A density; the others are profile likelihoods.
DENSITY = DENSITY_VERSION
PROFILES = [version for version in STORED if version != DENSITY]
OLDER = [version for version in PROFILES if version != FORMAT_VERSION]

SIGNALS = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 0.5], [4.0, 3.0, 0.0]])
# Delta NLL as it was when the first of them was stored, by curve.
NUMBERS = {
    "observed": [0.0, -0.9568416137716991, -0.03007544542422358],
    "observed_asimov": [0.0, 0.2545860314962024, 0.7902407761294397],
    "apriori": [0.0, 0.3110039886144744, 0.9653633857980137],
    "apriori_asimov": [0.0, 0.3110039886144744, 0.9653633857980137],
}
EXTENSIONS = {"org.example.golden": {"kept": [1, 2.5, None, "as it is"]}}


def stored(version: str) -> Path:
    return GOLDEN / f"format-{version}.llb.zip"


def numbers_are_the_same(path: Path) -> None:
    delta = llb.load(path).delta_nll(SIGNALS)
    assert set(delta) == set(NUMBERS)
    for name, values in NUMBERS.items():
        np.testing.assert_allclose(delta[name], values, rtol=1e-12, atol=1e-14)


def test_every_released_version_is_stored() -> None:
    assert set(STORED) == set(LINES.values())
    assert {path.name for path in GOLDEN.glob("*.zip")} == {stored(version).name for version in STORED}


@pytest.mark.parametrize("version", STORED)
def test_the_stored_bytes_are_those_of_the_release(version: str) -> None:
    data = stored(version).read_bytes()
    assert hashlib.sha256(data).hexdigest() == STORED[version]
    assert len(data) < 40_000


@pytest.mark.requirement("VERSION-7")
@pytest.mark.parametrize("version", PROFILES)
def test_every_version_is_read_to_the_same_numbers(version: str) -> None:
    report = validate(stored(version))
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert {item.code for item in report.findings} == ({"LLB-S017"} if version in OLDER else set())
    bundle = read_bundle(stored(version))
    assert bundle.manifest.format_version == version
    assert bundle.manifest.extensions == EXTENSIONS
    numbers_are_the_same(stored(version))


# Log density and a sample as they were when the density was stored.
POINT, CONDITION, NOISE = [1.0, 7.0, 0.25, 125.0], [0.5, -0.25], [[0.5, -1.0, 0.25, 2.0]]
LOG_PROB = -3.331143266165546
SAMPLE = [1.480294526496019, 5.900281136319015, -0.06250000000000006, 125.725]


@pytest.mark.requirement("VERSION-7")
def test_the_density_is_read_to_the_same_numbers() -> None:
    report = validate(stored(DENSITY))
    assert (report.level, report.findings) == (DEFAULT_LEVEL, ())
    density = load_density(stored(DENSITY))
    assert density.manifest.format_version == DENSITY
    assert density.manifest.extensions == EXTENSIONS
    assert density.log_prob(POINT, CONDITION) == pytest.approx([LOG_PROB], rel=1e-12)
    np.testing.assert_allclose(density.sample_from(NOISE, CONDITION), [SAMPLE], rtol=1e-12)


@pytest.mark.requirement("VERSION-10")
@pytest.mark.parametrize("version", [FORMAT_VERSION, DENSITY])
def test_what_is_written_today_needs_no_upgrade(version: str) -> None:
    assert is_current(read_any_bundle(stored(version)))


@pytest.mark.requirement("VERSION-9")
@pytest.mark.parametrize("version", OLDER)
@pytest.mark.parametrize("name", ["new.llb", "new.llb.zip"])
def test_an_upgrade_is_a_valid_bundle_of_today_with_the_same_numbers(
    version: str, name: str, tmp_path: Path
) -> None:
    old = read_bundle(stored(version))
    new = read_bundle(upgrade_bundle(old, tmp_path / name))
    report = validate(tmp_path / name)
    assert (report.level, report.findings) == (DEFAULT_LEVEL, ())
    assert (new.manifest.format_version, new.manifest.version) == (FORMAT_VERSION, "1.0.1")
    assert new.manifest.supersedes == "golden@1.0.0"
    assert new.manifest.extensions == EXTENSIONS
    assert is_current(new)
    ids = [content_id(file_digests(open_container(path))) for path in (old.location, new.location)]
    assert ids[0] != ids[1]
    numbers_are_the_same(tmp_path / name)
    changed = {entry.path for entry in old.manifest.files if new.manifest.file(entry.path) != entry}
    assert changed == {"validation/vectors.json"}
