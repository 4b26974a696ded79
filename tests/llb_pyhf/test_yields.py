from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
import pytest

from llb.bundle import Bundle, read_bundle
from llb.runtime import read_patchset
from llb_conformance import counting_model, write_quadratic
from llb_pyhf import signal_yields
from llb_schema import FindingError

POI = {"name": "mu", "type": "normfactor", "data": None}


def bundle_of(workspace: dict[str, Any], target: Path) -> Bundle:
    """An analytic bundle that names the channels and samples of a workspace as its teacher."""
    channels = [(item["name"], len(item["samples"][0]["data"]), "SR") for item in workspace["channels"]]
    write_quadratic(counting_model(channels=channels), target)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["teacher"] |= {
        "pyhf_digest": pyhf.utils.digest(workspace),
        "measurement": workspace["measurements"][0]["name"],
        "poi": workspace["measurements"][0]["config"]["poi"],
        "channels": [
            {
                "name": item["name"],
                "bins": len(item["samples"][0]["data"]),
                "samples": [s["name"] for s in item["samples"]],
            }
            for item in workspace["channels"]
        ],
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    return read_bundle(target)


def toy_workspace() -> dict[str, Any]:
    def channel(name: str, *data: float) -> dict[str, Any]:
        return {"name": name, "samples": [{"name": "bkg", "data": list(data), "modifiers": []}]}

    return {
        "channels": [channel("SR_b", 5.0, 6.0), channel("SR10", 7.0), channel("SR2", 8.0)],
        "observations": [
            {"name": "SR_b", "data": [5.0, 6.0]},
            {"name": "SR10", "data": [7.0]},
            {"name": "SR2", "data": [8.0]},
        ],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }


@pytest.mark.parametrize(
    ("workspace", "patchset", "points"),
    [
        (
            "ATLAS-SUSY-2018-04/Region-combined_BkgOnly.json",
            "ATLAS-SUSY-2018-04/Region-combined_patchset.json",
            3,
        ),
        ("ATLAS-SUSY-2018-31/RegionA_BkgOnly.json", "ATLAS-SUSY-2018-31/RegionA_patchset.json", 5),
    ],
)
def test_the_reader_without_pyhf_agrees_with_pyhf_on_real_patchsets(
    shared_data: Path, tmp_path: Path, workspace: str, patchset: str, points: int
) -> None:
    document = json.loads((shared_data / workspace).read_text())
    bundle = bundle_of(document, tmp_path / "real.llb")
    signals = read_patchset(shared_data / patchset, bundle)
    patches = json.loads((shared_data / patchset).read_text())["patches"]
    assert len(signals.names) == len(patches)
    for row in np.linspace(0, len(patches) - 1, points, dtype=int):
        assert signals.names[row] == patches[row]["metadata"]["name"]
        peer = signal_yields(document, patches[row]["patch"])
        ours = dict(zip(bundle.manifest.bin_ids, signals.yields[row], strict=True))
        for name, value in peer.items():
            assert ours.pop(name) == pytest.approx(value, rel=1e-9, abs=1e-9)
        # What is left are bins of channels that the patch takes out of the workspace.
        assert set(ours.values()) <= {0.0}
        assert {name.split("[")[0] for name in ours} <= {"VRtt_meff"}


def test_both_ways_agree_on_shifted_removals_and_several_samples(tmp_path: Path) -> None:
    workspace = toy_workspace()
    bundle = bundle_of(workspace, tmp_path / "toy.llb")

    def add(path: str, *data: float, name: str = "signal") -> dict[str, Any]:
        return {"op": "add", "path": path, "value": {"name": name, "data": list(data), "modifiers": [POI]}}

    remove = {"op": "remove", "path": "/channels/0"}
    patches = [
        [
            add("/channels/0/samples/0", 1.0, 2.0),
            add("/channels/1/samples/1", 3.0),
            add("/channels/2/samples/-", 4.0),
        ],
        [add("/channels/2/samples/0", 4.0), remove],
        [remove, add("/channels/1/samples/0", 4.0)],
        [add("/channels/0/samples/0", 1.0, 2.0), add("/channels/0/samples/0", 0.5, 0.25, name="other")],
    ]
    document = {
        "metadata": {"digests": {"sha256": pyhf.utils.digest(workspace)}},
        "patches": [{"metadata": {"name": str(row)}, "patch": patch} for row, patch in enumerate(patches)],
    }
    (tmp_path / "patchset.json").write_text(json.dumps(document))
    signals = read_patchset(tmp_path / "patchset.json", bundle)
    for row, patch in enumerate(patches):
        ours = dict(zip(bundle.manifest.bin_ids, signals.yields[row], strict=True))
        assert signal_yields(workspace, patch) == pytest.approx(
            {name: value for name, value in ours.items() if name in signal_yields(workspace, patch)}
        )
        assert sum(signal_yields(workspace, patch).values()) == pytest.approx(sum(ours.values()))
    # Sorted by name, as pyhf does, these would be other bins.
    assert signal_yields(workspace, patches[0]) == {
        "SR10[0]": 3.0,
        "SR2[0]": 4.0,
        "SR_b[0]": 1.0,
        "SR_b[1]": 2.0,
    }


def test_a_normalisation_of_the_signal_counts_and_background_does_not() -> None:
    modifiers = [POI, {"name": "k", "type": "normfactor", "data": None}]
    workspace = toy_workspace()
    workspace["measurements"][0]["config"]["parameters"] = [
        {"name": "k", "inits": [2.0], "bounds": [[0.0, 10.0]]}
    ]
    patch = [
        {
            "op": "add",
            "path": "/channels/1/samples/0",
            "value": {"name": "s", "data": [1.5], "modifiers": modifiers},
        },
        {
            "op": "add",
            "path": "/channels/2/samples/0",
            "value": {"name": "t", "data": [9.0], "modifiers": []},
        },
    ]
    yields = signal_yields(workspace, patch, measurement="m")
    assert yields["SR10[0]"] == pytest.approx(3.0)
    assert yields["SR2[0]"] == 0.0


def test_what_pyhf_cannot_patch_or_model_is_a_finding() -> None:
    with pytest.raises(FindingError, match="LLB-Y013"):
        signal_yields(toy_workspace(), [{"op": "remove", "path": "/channels/9"}])
    with pytest.raises(FindingError, match="LLB-W052"):
        signal_yields(toy_workspace(), [{"op": "remove", "path": "/channels/0/samples/0/data/0"}])


def test_the_workspace_is_left_alone() -> None:
    workspace = toy_workspace()
    sample = {"name": "s", "data": [1.5], "modifiers": [POI]}
    signal_yields(workspace, [{"op": "add", "path": "/channels/1/samples/0", "value": sample}])
    assert workspace == toy_workspace()
