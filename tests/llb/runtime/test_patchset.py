from __future__ import annotations

import cProfile
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb.bundle import Bundle, read_bundle
from llb.runtime import read_patchset
from llb_conformance import counting_model, pyhf_digest, write_quadratic
from llb_schema import FindingError

# The skeleton: channels SRlow (1 bin), SRhigh (2 bins), CR (1 bin), each with samples top and diboson.
EXACT = counting_model()
POI = {"name": "mu_SIG", "type": "normfactor", "data": None}
LUMI = {"name": "lumi", "type": "lumi", "data": None}


def sample(*data: object, modifiers: list[Any] | None = None, name: str = "signal") -> dict[str, Any]:
    return {"name": name, "data": list(data), "modifiers": [POI, LUMI] if modifiers is None else modifiers}


def add(path: str, value: object) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return read_bundle(write_quadratic(EXACT, tmp_path_factory.mktemp("patchset") / "toy.llb"))


def patchset(path: Path, *patches: list[dict[str, Any]], digest: str | None = pyhf_digest(EXACT)) -> Path:
    document = {
        "metadata": {"digests": {} if digest is None else {"sha256": digest}},
        "patches": [
            {"metadata": {"name": f"point{row}", "values": [row]}, "patch": patch}
            for row, patch in enumerate(patches)
        ],
        "version": "1.0.0",
    }
    path.write_text(json.dumps(document))
    return path


def codes(error: pytest.ExceptionInfo[FindingError]) -> list[str]:
    return [item.code for item in error.value.findings]


def test_signals_are_keyed_by_channel_and_bin(bundle: Bundle, tmp_path: Path) -> None:
    patch = [add("/channels/1/samples/0", sample(2.0, 3.0)), add("/channels/0/samples/-", sample(1.0))]
    signals = read_patchset(patchset(tmp_path / "p.json", patch, patch[:1]), bundle)
    assert signals.names == ("point0", "point1")
    np.testing.assert_array_equal(signals.yields, [[1.0, 2.0, 3.0, 0.0], [0.0, 2.0, 3.0, 0.0]])
    assert signals.findings == ()


def test_several_signal_samples_add_up(bundle: Bundle, tmp_path: Path) -> None:
    patch = [
        add("/channels/1/samples/0", sample(2.0, 3.0)),
        add("/channels/1/samples/3", sample(0.5, 0.25, name="b")),
    ]
    np.testing.assert_array_equal(
        read_patchset(patchset(tmp_path / "p.json", patch), bundle).yields, [[0.0, 2.5, 3.25, 0.0]]
    )


def test_a_removal_before_an_addition_shifts_what_the_addition_means(bundle: Bundle, tmp_path: Path) -> None:
    remove = {"op": "remove", "path": "/channels/0"}
    late = [add("/channels/2/samples/0", sample(9.0)), remove]
    early = [remove, add("/channels/1/samples/0", sample(9.0))]
    signals = read_patchset(patchset(tmp_path / "p.json", late, early), bundle)
    np.testing.assert_array_equal(signals.yields, [[0.0, 0.0, 0.0, 9.0]] * 2)
    assert [item.code for item in signals.findings] == ["LLB-Y017"]
    assert "2 of 2" in signals.findings[0].message
    assert "SRlow" in signals.findings[0].message


@pytest.mark.requirement("SIGNAL-1")
def test_unlearned_modifiers_are_one_warning_with_counts(bundle: Bundle, tmp_path: Path) -> None:
    modifiers = [
        POI,
        LUMI,
        {"type": "staterror", "name": "a", "data": [1]},
        {"type": "normsys", "name": "b", "data": {}},
    ]
    patch = [add("/channels/0/samples/0", sample(1.0, modifiers=modifiers))]
    signals = read_patchset(patchset(tmp_path / "p.json", patch, patch), bundle)
    assert [item.code for item in signals.findings] == ["LLB-Y018"]
    assert signals.findings[0].actual == "normsys (2), staterror (2)"


def test_the_digest_decides_whose_patchset_it_is(bundle: Bundle, tmp_path: Path) -> None:
    patch = [add("/channels/0/samples/0", sample(1.0))]
    with pytest.raises(FindingError) as error:
        read_patchset(patchset(tmp_path / "p.json", patch, digest="0" * 64), bundle)
    assert codes(error) == ["LLB-Y011"]
    signals = read_patchset(patchset(tmp_path / "p.json", patch, digest=None), bundle)
    assert [item.code for item in signals.findings] == ["LLB-Y012"]


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([add("/channels/0/samples/0", sample(1.0, modifiers=[]))], "LLB-Y014"),
        ([add("/channels/0/samples/0", sample(1.0, modifiers=[{**POI, "name": "other"}]))], "LLB-Y014"),
        ([{"op": "replace", "path": "/channels/0/samples/0", "value": sample(1.0)}], "LLB-Y014"),
        ([{"op": "replace", "path": "/channels/0/samples/0/data", "value": [1.0]}], "LLB-Y014"),
        ([{"op": "replace", "path": "/channels/0/samples/0/data/0", "value": 1.0}], "LLB-Y014"),
        ([add("/channels/0/samples/1/modifiers/-", POI)], "LLB-Y014"),
        ([{"op": "remove", "path": "/channels/0/samples/1"}], "LLB-Y014"),
        ([{"op": "copy", "from": "/channels/0/samples/1", "path": "/channels/0/samples/-"}], "LLB-Y014"),
        ([{"op": "replace", "path": "/observations/0/data", "value": [3.0]}], "LLB-Y014"),
        ([add("/measurements/0/config/parameters", [])], "LLB-Y014"),
        ([add("/channels/0/samples/0", sample(1.0, 2.0))], "LLB-Y015"),
        ([add("/channels/1/samples/0", sample(1.0))], "LLB-Y015"),
        ([add("/channels/-", {"name": "new", "samples": [sample(1.0)]})], "LLB-Y016"),
        ([{"op": "replace", "path": "/channels/0", "value": {"name": "SRlow", "samples": []}}], "LLB-Y016"),
        ([add("/channels/0/samples/0", sample("1.0"))], "LLB-Y004"),
        ([add("/channels/0/samples/0", sample(True))], "LLB-Y004"),
        ([add("/channels/7/samples/0", sample(1.0))], "LLB-Y013"),
        ([{"op": "remove", "path": "/channels/0"}, {"op": "remove", "path": "/channels/2"}], "LLB-Y013"),
        ([{"op": "explode", "path": "/channels/0"}], "LLB-Y013"),
        ([{"path": 3}], "LLB-Y013"),
        (["x"], "LLB-Y013"),
    ],
)
def test_patches_that_are_no_signal(bundle: Bundle, tmp_path: Path, patch: list[Any], code: str) -> None:
    with pytest.raises(FindingError) as error:
        read_patchset(patchset(tmp_path / "p.json", patch), bundle)
    assert code in codes(error)
    assert "point0" in error.value.findings[0].pointer


def test_a_patch_that_copies_without_end_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    # Thirty doublings; the last would take terabytes.
    doubling = {"op": "copy", "from": "/measurements", "path": "/measurements/-"}
    with pytest.raises(FindingError) as error:
        read_patchset(patchset(tmp_path / "p.json", [doubling] * 40), bundle)
    assert codes(error)[-1] == "LLB-Y013"


def test_a_patch_that_nests_without_end_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    moves = [{"op": "move", "from": old, "path": new} for old, new in (("/x", "/y/0"), ("/y", "/x"))]
    deeper = [add("/y", []), *moves]
    patch = [add("/x", []), *(deeper * 2000), {"op": "copy", "from": "/x", "path": "/z"}]
    with pytest.raises(FindingError) as error:
        read_patchset(patchset(tmp_path / "p.json", patch), bundle)
    assert codes(error)[-1] == "LLB-Y013"


def test_a_copied_signal_counts_twice(bundle: Bundle, tmp_path: Path) -> None:
    copied = {"op": "copy", "from": "/channels/0/samples/2", "path": "/channels/0/samples/-"}
    patch = [add("/channels/0/samples/2", sample(1.5)), copied]
    signals = read_patchset(patchset(tmp_path / "p.json", patch), bundle)
    np.testing.assert_array_equal(signals.yields, [[3.0, 0.0, 0.0, 0.0]])


def test_samples_that_add_up_to_infinity_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    patch = [add("/channels/0/samples/-", sample(1.7e308)), add("/channels/0/samples/-", sample(1.7e308))]
    with pytest.raises(FindingError) as error:
        read_patchset(patchset(tmp_path / "p.json", patch), bundle)
    assert codes(error) == ["LLB-Y004"]


def test_faults_of_all_patches_are_reported_together(bundle: Bundle, tmp_path: Path) -> None:
    bad = [add("/channels/0/samples/0", sample(1.0, 2.0))]
    with pytest.raises(FindingError) as error:
        read_patchset(
            patchset(tmp_path / "p.json", bad, [add("/channels/0/samples/0", sample(1.0))], bad), bundle
        )
    assert codes(error) == ["LLB-Y015", "LLB-Y015"]


def test_negative_and_empty_signals_are_warned_about(bundle: Bundle, tmp_path: Path) -> None:
    patches = [[add("/channels/0/samples/0", sample(value))] for value in (-1.0, 0.0, 2.0)]
    signals = read_patchset(patchset(tmp_path / "p.json", *patches), bundle)
    assert [item.code for item in signals.findings] == ["LLB-Y008", "LLB-Y019"]


@pytest.mark.parametrize("document", [{}, {"patches": []}, {"patches": [{"patch": []}]}, 3, {"patches": [3]}])
def test_documents_that_are_no_patchset(bundle: Bundle, tmp_path: Path, document: object) -> None:
    (tmp_path / "p.json").write_text(json.dumps(document))
    with pytest.raises(FindingError) as error:
        read_patchset(tmp_path / "p.json", bundle)
    assert codes(error) == ["LLB-Y010"]


def test_a_bare_patch_is_named_after_its_file(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "stau.json").write_text(json.dumps([add("/channels/0/samples/0", sample(1.5))]))
    signals = read_patchset(tmp_path / "stau.json", bundle)
    assert signals.names == ("stau",)
    assert signals.yields[0, 0] == 1.5


def test_the_work_grows_no_faster_than_the_modifiers_of_a_signal(bundle: Bundle, tmp_path: Path) -> None:
    def calls(count: int) -> int:
        noise = [
            {"type": "histosys", "name": f"s{n}", "data": {"hi_data": [1.0], "lo_data": [2.0]}}
            for n in range(count)
        ]
        patch = [add("/channels/0/samples/0", sample(1.0, modifiers=[POI, *noise]))]
        path = patchset(tmp_path / "p.json", *[patch] * 4)
        with cProfile.Profile() as profile:
            assert len(read_patchset(path, bundle).names) == 4
        return sum(item.callcount for item in profile.getstats())

    assert calls(600) < 2.1 * calls(300)
