"""`compare` where bundle and workspace are the same likelihood: one bin, no nuisance parameter."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pyhf
import pytest
from regraph import poisson_graph, replace_graph

from llb.runtime import ProfileLikelihood, load
from llb_conformance import parabola_model, write_quadratic
from llb_pyhf import compare
from llb_schema import FindingError

BACKGROUND, COUNT = 10.5, 14.0
POI = {"name": "mu", "type": "normfactor", "data": None}
WORKSPACE: dict[str, Any] = {
    "channels": [
        {"name": "SR", "samples": [{"name": "b", "data": [BACKGROUND], "modifiers": [POI | {"name": "k"}]}]}
    ],
    "observations": [{"name": "SR", "data": [COUNT]}],
    "measurements": [
        {"name": "m", "config": {"poi": "mu", "parameters": [{"name": "k", "inits": [1.0], "fixed": True}]}}
    ],
    "version": "1.0.0",
}
UNCERTAIN = {"name": "signal", "type": "normsys", "data": {"hi": 1.4, "lo": 0.6}}


def patch(events: float, *modifiers: dict[str, Any]) -> list[dict[str, Any]]:
    sample = {"name": "s", "data": [events], "modifiers": [POI, *modifiers]}
    return [{"op": "add", "path": "/channels/0/samples/1", "value": sample}]


def patchset(**patches: list[dict[str, Any]]) -> dict[str, Any]:
    return {"patches": [{"metadata": {"name": name}, "patch": part} for name, part in patches.items()]}


PATCHES = patchset(weak=patch(2.0), strong=patch(9.0), uncertain=patch(9.0, UNCERTAIN))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    target = write_quadratic(parabola_model(), tmp_path_factory.mktemp("beside") / "one.llb")
    replace_graph(
        target,
        poisson_graph([COUNT, BACKGROUND, BACKGROUND, BACKGROUND], BACKGROUND),
        domain={"lower": [-9.0], "upper": [80.0]},
    )
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["signal_model"] = {"modifiers": [], "relative_uncertainty": 0.0}
    manifest["teacher"] |= {
        "pyhf_digest": pyhf.utils.digest(WORKSPACE),
        "measurement": "m",
        "poi": "mu",
        "channels": [{"name": "SR", "bins": 1, "samples": ["b"]}],
    }
    (target / "manifest.json").write_text(json.dumps(manifest))
    return load(target)


def test_the_same_likelihood_gives_the_same_numbers(bundle: ProfileLikelihood) -> None:
    asked: list[str] = []
    found = compare(bundle, WORKSPACE, PATCHES, names=["strong", "weak"], progress=asked.append)
    assert asked == ["strong", "weak"] == [item.name for item in found.bundle]
    for ours, theirs in zip(found.bundle, found.pyhf, strict=True):
        assert theirs.name == ours.name
        assert theirs.failure == ""
        assert theirs.mu_hat == pytest.approx(ours.mu_hat, rel=1e-3)
        assert theirs.cls_observed == pytest.approx(ours.cls_observed, rel=1e-3)
        np.testing.assert_allclose(theirs.cls_expected, ours.cls_expected, rtol=1e-3)
        assert theirs.upper_limit_observed == pytest.approx(ours.upper_limit_observed, rel=1e-3)
        np.testing.assert_allclose(theirs.upper_limit_expected, ours.upper_limit_expected, rtol=1e-3)
        assert theirs.seconds > 0.0


def test_uncertainties_of_the_signal_count_where_they_are_asked_for(bundle: ProfileLikelihood) -> None:
    learned, published = (
        compare(
            bundle, WORKSPACE, PATCHES, names=["strong", "uncertain"], signal_model=kind, upper_limits=False
        )
        for kind in ("learned", "published")
    )
    assert learned.pyhf[0].cls_observed == pytest.approx(learned.pyhf[1].cls_observed, rel=1e-6)
    assert published.pyhf[1].cls_observed > 1.2 * published.pyhf[0].cls_observed
    assert published.bundle[0].cls_observed == published.bundle[1].cls_observed
    assert np.isnan(published.pyhf[0].upper_limit_observed)


def test_it_is_a_table_a_picture_and_json(bundle: ProfileLikelihood) -> None:
    found = compare(bundle, WORKSPACE, PATCHES, names=["strong"], upper_limits=False)
    head, labels, row, total = found.table().splitlines()
    assert "upper limit" in head
    assert labels.split()[0] == "signal"
    assert row.split()[:2] == ["strong", f"{found.bundle[0].cls_observed:.4g}"]
    assert "nan" in row
    assert "pyhf" in total
    assert found.picture().startswith(b"\x89PNG")
    (entry,) = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert entry["pyhf"]["upper_limit_observed"] is None
    assert entry["bundle"]["cls_observed"] == found.bundle[0].cls_observed
    assert entry["bundle"]["cls_expected"] == list(found.bundle[0].cls_expected)


def test_what_pyhf_cannot_fit_is_said_in_its_row(bundle: ProfileLikelihood) -> None:
    class Refusing(pyhf.optimize.scipy_optimizer):
        def _minimize(self, *_: Any, **__: Any) -> Any:
            raise pyhf.exceptions.FailedMinimization(type("Result", (), {"message": "no minimum today"})())

    before = pyhf.get_backend()
    pyhf.set_backend("numpy", Refusing())
    try:
        found = compare(bundle, WORKSPACE, PATCHES, names=["weak"])
    finally:
        pyhf.set_backend(*before)
    assert "no minimum today" in found.pyhf[0].failure
    assert "no minimum today" in found.table()
    assert np.isnan(found.pyhf[0].cls_observed)


def test_nothing_of_the_callers_is_changed(bundle: ProfileLikelihood) -> None:
    workspace, patches = copy.deepcopy(WORKSPACE), copy.deepcopy(PATCHES)
    compare(bundle, workspace, patches, names=["weak"], signal_model="published", upper_limits=False)
    assert workspace == WORKSPACE
    assert patches == PATCHES


@pytest.mark.parametrize(
    ("workspace", "patches", "names", "code"),
    [
        (WORKSPACE | {"observations": [{"name": "SR", "data": [13.0]}]}, PATCHES, None, "LLB-Y011"),
        (WORKSPACE, PATCHES, ["none"], "LLB-Y010"),
        (WORKSPACE, PATCHES, [], "LLB-Y010"),
        (WORKSPACE, {"signals": []}, None, "LLB-Y010"),
        (WORKSPACE, {"patches": [1]}, None, "LLB-Y010"),
        (WORKSPACE, patchset(bad=[{"op": "remove", "path": "/channels/7"}]), None, "LLB-Y013"),
    ],
)
def test_what_cannot_be_compared_is_a_finding(
    bundle: ProfileLikelihood, workspace: Any, patches: Any, names: Any, code: str
) -> None:
    with pytest.raises(FindingError, match=code):
        compare(bundle, workspace, patches, names=names)
