"""The embedded search: written by its script, accepted by pyhf, and as rich as it claims to be."""

from __future__ import annotations

from pathlib import Path

import pyhf
import pytest

from llb_trainer.peer import PeerJob, PeerSearch, compare_point, patch_yields
from llb_trainer.quickstart import generate, load_patchset, load_workspace, patchset_path, workspace_path


def test_running_the_script_again_gives_the_embedded_bytes(tmp_path: Path) -> None:
    generate.main(tmp_path)
    for embedded in (workspace_path(), patchset_path()):
        assert (tmp_path / embedded.name).read_bytes() == embedded.read_bytes()


def test_pyhf_accepts_the_workspace_and_the_patchset_belongs_to_it() -> None:
    workspace = pyhf.Workspace(load_workspace())
    patchset = pyhf.PatchSet(load_patchset())
    patchset.verify(workspace)
    assert len(patchset) == 24
    model = workspace.model(patches=[patchset["PP_300_1"]])
    assert model.config.poi_name == "mu_SIG"


def test_the_background_workspace_has_no_signal_but_all_common_modifier_types() -> None:
    workspace = load_workspace()
    modifiers = [
        (modifier["type"], modifier["name"])
        for channel in workspace["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
    ]
    assert {kind for kind, _ in modifiers} == {
        "normfactor",
        "normsys",
        "histosys",
        "lumi",
        "shapesys",
        "staterror",
    }
    assert "mu_SIG" not in {name for _, name in modifiers}


def test_the_model_has_about_twenty_nuisance_parameters() -> None:
    workspace = pyhf.Workspace(load_workspace())
    model = workspace.model(patches=[pyhf.PatchSet(load_patchset())["PP_300_1"]])
    own_of_the_patch = {"mu_SIG", "signal_acceptance"}
    nuisances = [name for name in model.config.par_names if name not in own_of_the_patch]
    assert 18 <= len(nuisances) <= 24


def test_rates_stay_positive_over_five_standard_deviations() -> None:
    """No corner of the embedded model may trouble a fit: this one is for showing the way."""
    workspace = pyhf.Workspace(load_workspace())
    model = workspace.model(
        patches=[pyhf.PatchSet(load_patchset())["PP_300_1"]],
        modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}},
    )
    constrained = [index for index, name in enumerate(model.config.par_names) if name in _PULLS]
    assert len(constrained) == len(_PULLS)
    for index in constrained:
        for pull in (-5.0, 5.0):
            parameters = model.config.suggested_init()
            parameters[model.config.poi_index] = 0.0
            parameters[index] = pull
            assert min(model.expected_actualdata(parameters)) > 0.0


@pytest.mark.parametrize(("name", "excluded"), [("PP_400_1", True), ("PP_400_240", False)])
def test_the_points_straddle_exclusion(name: str, excluded: bool) -> None:
    search = PeerSearch(load_workspace())
    patch = next(item["patch"] for item in load_patchset()["patches"] if item["metadata"]["name"] == name)
    result = compare_point(search, PeerJob(name, patch_yields(search, patch), limit=False))
    assert (result.cls_observed < 0.05) is excluded


_PULLS = {
    "jet_scale",
    "jet_resolution",
    "met_soft_term",
    "lepton_efficiency",
    "b_tagging",
    "top_generator",
    "Z_generator",
    "diboson_cross_section",
    "fakes_closure",
}
