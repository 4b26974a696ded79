"""Reading workspaces: what is refused by name, what only gets a warning, measurements, own signals."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llb_schema import FindingError
from llb_trainer.quickstart import workspace_path
from llb_trainer.teachers.histfactory import Workspace, read_workspace

Document = dict[str, Any]
Change = Callable[[Document], object]


def small() -> Document:
    """Two channels, two samples, one of each modifier."""

    def sample(name: str, data: list[float], *modifiers: tuple[str, str, Any]) -> Document:
        listed = [{"name": n, "type": t, "data": d} for n, t, d in modifiers]
        return {"name": name, "data": data, "modifiers": listed}

    lumi = ("lumi", "lumi", None)
    return {
        "version": "1.0.0",
        "channels": [
            {
                "name": "SR",
                "samples": [
                    sample(
                        "top",
                        [20.0, 5.0],
                        lumi,
                        ("k_top", "normfactor", None),
                        ("jes", "normsys", {"hi": 1.2, "lo": 0.9}),
                        ("jes", "histosys", {"hi_data": [22.0, 5.5], "lo_data": [19.0, 4.0]}),
                        ("stat_SR", "staterror", [2.0, 1.0]),
                    ),
                    sample("fakes", [4.0, 1.0], ("fakes_SR", "shapesys", [1.0, 0.5])),
                ],
            },
            {
                "name": "CR",
                "samples": [
                    sample("top", [80.0, 60.0], lumi, ("k_top", "normfactor", None)),
                    sample("fakes", [6.0, 3.0], ("free", "shapefactor", None)),
                ],
            },
        ],
        "observations": [{"name": "SR", "data": [25.0, 4.0]}, {"name": "CR", "data": [90.0, 66.0]}],
        "measurements": [
            measurement("nominal"),
            measurement("shifted", {"name": "jes", "inits": [0.5], "auxdata": [0.25]}),
        ],
    }


def measurement(name: str, *settings: Document, poi: str = "mu_SIG") -> Document:
    lumi = {"name": "lumi", "inits": [1.0], "bounds": [[0.9, 1.1]], "auxdata": [1.0], "sigmas": [0.02]}
    return {"name": name, "config": {"poi": poi, "parameters": [lumi, *settings]}}


def sample(document: Document, channel: int = 0, index: int = 0) -> Document:
    return document["channels"][channel]["samples"][index]


def modifier(document: Document, kind: str) -> Document:
    listed = (m for c in document["channels"] for s in c["samples"] for m in s["modifiers"])
    return next(m for m in listed if m["type"] == kind)


def setting(document: Document, name: str, **values: Any) -> None:
    """Settings of a parameter in the first measurement."""
    listed = document["measurements"][0]["config"]["parameters"]
    found = next((item for item in listed if item["name"] == name), None)
    if found is None:
        listed.append(found := {"name": name})
    found.update(values)


def emptied(document: Document) -> None:
    """The second channel expects nothing at all."""
    for item in document["channels"][1]["samples"]:
        item["data"] = [0.0, 0.0]


def with_signal(document: Document, *, whole_channel: bool = False) -> Document:
    """One sample of the first channel carries the POI, or all of them."""
    carried = {"name": "mu_SIG", "type": "normfactor", "data": None}
    if whole_channel:
        for item in document["channels"][0]["samples"]:
            item["modifiers"].append(carried)
    else:
        shape = {"name": "sig_jes", "type": "normsys", "data": {"hi": 1.1, "lo": 0.9}}
        document["channels"][0]["samples"].append(
            {"name": "signal", "data": [3.0, 2.0], "modifiers": [carried, shape]}
        )
    return document


def read(folder: Path, document: object, *arguments: Any, **options: Any) -> Workspace:
    path = folder / "workspace.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return read_workspace(path, *arguments, **options)


def codes(caught: pytest.ExceptionInfo[FindingError]) -> list[str]:
    return [item.code for item in caught.value.findings]


def set_bin(value: float) -> Change:
    return lambda d: sample(d)["data"].__setitem__(0, value)


BAD: dict[str, tuple[Change, str]] = {
    "NaN in a template": (set_bin(float("nan")), "LLB-W005"),
    "infinite template": (set_bin(float("-inf")), "LLB-W005"),
    "integer beyond float64": (set_bin(10**400), "LLB-W005"),
    "NaN in a staterror": (
        lambda d: modifier(d, "staterror")["data"].__setitem__(1, float("nan")),
        "LLB-W005",
    ),
    "NaN auxdata": (lambda d: setting(d, "jes", auxdata=[float("nan")]), "LLB-W005"),
    "NaN bound": (lambda d: setting(d, "jes", bounds=[[float("nan"), 1.0]]), "LLB-W005"),
    "no samples": (lambda d: d["channels"][0].update(samples=[]), "LLB-W002"),
    "no bins": (lambda d: sample(d).update(data=[]), "LLB-W002"),
    "no channels": (lambda d: d.update(channels=[]), "LLB-W002"),
    "no measurement": (lambda d: d.update(measurements=[]), "LLB-W002"),
    "no version": (lambda d: d.pop("version"), "LLB-W002"),
    "another version": (lambda d: d.update(version="2.0.0"), "LLB-W002"),
    "text for a number": (lambda d: sample(d)["data"].__setitem__(0, "many"), "LLB-W002"),
    "unknown modifier": (lambda d: modifier(d, "normsys").update(type="weightsys"), "LLB-W002"),
    "normsys without lo": (lambda d: modifier(d, "normsys")["data"].pop("lo"), "LLB-W002"),
    "template of another length": (lambda d: sample(d)["data"].append(1.0), "LLB-W002"),
    "histosys of another length": (lambda d: modifier(d, "histosys")["data"]["hi_data"].pop(), "LLB-W002"),
    "staterror of another length": (lambda d: modifier(d, "staterror")["data"].append(1.0), "LLB-W002"),
    "shapesys shared": (
        lambda d: sample(d, 1, 1)["modifiers"].append(
            {"name": "fakes_SR", "type": "shapesys", "data": [1.0, 1.0]}
        ),
        "LLB-W002",
    ),
    "staterror shared by samples of different channels": (
        lambda d: sample(d, 1, 1)["modifiers"].append(
            {"name": "stat_SR", "type": "staterror", "data": [1.0, 1.0]}
        ),
        "LLB-W002",
    ),
    "one name for two kinds of parameter": (
        lambda d: modifier(d, "normfactor").update(name="jes"),
        "LLB-W002",
    ),
    "settings twice": (
        lambda d: d["measurements"][0]["config"]["parameters"].append({"name": "lumi"}),
        "LLB-W002",
    ),
    "too many inits": (lambda d: setting(d, "jes", inits=[0.0, 0.0]), "LLB-W002"),
    "sigmas where there are none": (lambda d: setting(d, "k_top", sigmas=[0.1]), "LLB-W002"),
    "no observation": (lambda d: d["observations"].pop(), "LLB-W006"),
    "observation of another length": (lambda d: d["observations"][0]["data"].append(1.0), "LLB-W006"),
    "two channels of one name": (lambda d: d["channels"][1].update(name="SR"), "LLB-W008"),
    "two samples of one name": (lambda d: sample(d, 0, 1).update(name="top"), "LLB-W008"),
    "two observations of one channel": (lambda d: d["observations"][1].update(name="SR"), "LLB-W008"),
    "two measurements of one name": (lambda d: d["measurements"][1].update(name="nominal"), "LLB-W008"),
    "events where nothing is expected": (
        lambda d: (emptied(d), d["observations"][1].update(data=[0.0, 3.0])),
        "LLB-W009",
    ),
    "negative expectation": (set_bin(-30.0), "LLB-W009"),
    "no density at the start": (
        lambda d: setting(d, "fakes_SR", inits=[0.0, 1.0], bounds=[[0.0, 5.0], [0.0, 5.0]]),
        "LLB-W009",
    ),
    "normsys to zero": (lambda d: modifier(d, "normsys")["data"].update(lo=0.0), "LLB-W011"),
    "normsys below zero": (lambda d: modifier(d, "normsys")["data"].update(hi=-0.5), "LLB-W011"),
    "negative staterror": (lambda d: modifier(d, "staterror")["data"].__setitem__(0, -2.0), "LLB-W013"),
    "negative shapesys": (lambda d: modifier(d, "shapesys")["data"].__setitem__(0, -2.0), "LLB-W013"),
    "sigma of zero": (lambda d: setting(d, "lumi", sigmas=[0.0]), "LLB-W013"),
    "negative sigma": (lambda d: setting(d, "stat_SR", sigmas=[0.1, -0.1]), "LLB-W013"),
    "Poisson factor of zero": (lambda d: setting(d, "fakes_SR", factors=[0.0, 4.0]), "LLB-W013"),
    "negative Poisson auxdata": (lambda d: setting(d, "fakes_SR", auxdata=[-1.0, 4.0]), "LLB-W013"),
    "negative count": (lambda d: d["observations"][0]["data"].__setitem__(1, -4.0), "LLB-W014"),
    "bounds the wrong way round": (lambda d: setting(d, "k_top", bounds=[[5.0, 0.0]]), "LLB-W015"),
    "bounds of one number": (lambda d: setting(d, "k_top", bounds=[[5.0]]), "LLB-W015"),
    "two sigmas for lumi": (lambda d: setting(d, "lumi", sigmas=[0.02, 0.02]), "LLB-W015"),
    "two inits for lumi": (lambda d: setting(d, "lumi", inits=[1.0, 1.0]), "LLB-W015"),
    "shapefactor shared with a longer channel": (
        lambda d: (
            sample(d)["modifiers"].append({"name": "free", "type": "shapefactor", "data": None}),
            [item["data"].append(2.0) for item in d["channels"][0]["samples"]],
            [m["data"].append(1.0) for m in (modifier(d, "staterror"), modifier(d, "shapesys"))],
            [modifier(d, "histosys")["data"][key].append(2.0) for key in ("hi_data", "lo_data")],
            d["observations"][0]["data"].append(3.0),
        ),
        "LLB-W016",
    ),
    "lengths that cancel": (
        lambda d: (
            sample(d, 1)["modifiers"].append(
                {"name": "pdf", "type": "histosys", "data": {"hi_data": [90.0], "lo_data": [70.0]}}
            ),
            sample(d)["modifiers"].append(
                {"name": "pdf", "type": "histosys", "data": {"hi_data": [1.0] * 3, "lo_data": [1.0] * 3}}
            ),
        ),
        "LLB-W016",
    ),
    "lumi without settings": (lambda d: d["measurements"][0]["config"].update(parameters=[]), "LLB-W018"),
}


def changed(change: Change) -> Document:
    document = small()
    change(document)
    return document


def test_the_good_one_passes_without_a_word(tmp_path: Path) -> None:
    assert read(tmp_path, small()).warnings == ()


@pytest.mark.parametrize("name", BAD)
def test_bad_workspace_is_refused_by_name(name: str, tmp_path: Path) -> None:
    change, code = BAD[name]
    with pytest.raises(FindingError) as caught:
        read(tmp_path, changed(change))
    assert set(codes(caught)) == {code}
    for item in caught.value.findings:
        assert item.hint
        assert "workspace.json" in item.pointer


@pytest.mark.parametrize("text", ["", "PK\x03\x04", "{", '{"a": 1' + "0" * 5000 + "}", "[" * 100_000])
def test_what_is_no_json(text: str, tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        read(tmp_path, text)
    assert codes(caught) == ["LLB-W001"]


@pytest.mark.parametrize("document", [[], "workspace", 7, None, {}, {"channels": "none"}, {"version": {}}])
def test_json_that_is_no_workspace(document: object, tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        read(tmp_path, json.dumps(document))
    assert codes(caught) == ["LLB-W002"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(FindingError) as caught:
            read_workspace(path)
        assert codes(caught) == ["LLB-W001"]


def test_every_fault_is_named(tmp_path: Path) -> None:
    document = changed(lambda d: modifier(d, "staterror")["data"].__setitem__(0, -1.0))
    modifier(document, "normsys")["data"]["lo"] = 0.0
    with pytest.raises(FindingError) as caught:
        read(tmp_path, document)
    assert codes(caught) == ["LLB-W011", "LLB-W013"]
    assert caught.value.findings[1].pointer == "workspace.json/SR/top/stat_SR"


ODD: dict[str, tuple[Change, str]] = {
    "initial value outside the bounds": (
        lambda d: setting(d, "k_top", inits=[7.0], bounds=[[0.0, 5.0]]),
        "LLB-W030",
    ),
    "staterror without a yield": (
        lambda d: (sample(d)["data"].__setitem__(1, 0.0), modifier(d, "histosys").update(name="jes2")),
        "LLB-W031",
    ),
    "shapesys on a negative yield": (lambda d: sample(d, 0, 1)["data"].__setitem__(0, -1.0), "LLB-W031"),
    "modifier twice": (
        lambda d: sample(d)["modifiers"].append(
            {"name": "jes", "type": "normsys", "data": {"hi": 1.1, "lo": 0.8}}
        ),
        "LLB-W032",
    ),
    "empty channel": (lambda d: (emptied(d), d["observations"][1].update(data=[0.0, 0.0])), "LLB-W033"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_pyhf_defines_is_read_with_a_warning(name: str, tmp_path: Path) -> None:
    change, code = ODD[name]
    workspace = read(tmp_path, changed(change))
    assert [item.code for item in workspace.warnings] == [code]
    assert np.isfinite(density(workspace))


def density(workspace: Workspace) -> float:
    """pyhf's own log density at the initial parameters."""
    config = workspace.model.config
    data = [n for name in config.channels for n in workspace.observed[name]] + config.auxdata
    return float(workspace.model.logpdf(config.suggested_init(), data)[0])


FINE: dict[str, Change] = {
    "negative template": lambda d: sample(d, 1, 1)["data"].__setitem__(0, -3.0),
    "zero bin without events": lambda d: (
        [item["data"].__setitem__(1, 0.0) for item in d["channels"][1]["samples"]],
        d["observations"][1]["data"].__setitem__(1, 0.0),
    ),
    "uncertainties of zero": lambda d: (
        modifier(d, "staterror").update(data=[0.0, 1.0]),
        modifier(d, "shapesys").update(data=[0.0, 0.0]),
    ),
    "initial value on the bound": lambda d: setting(d, "k_top", inits=[0.5], bounds=[[0.5, 4.0]]),
    "no upper bound": lambda d: setting(d, "k_top", bounds=[[0.0, float("inf")]]),
    "fixed outside its bounds": lambda d: setting(d, "k_top", inits=[6.0], bounds=[[0.0, 5.0]], fixed=True),
    "settings of a parameter that is not there": lambda d: setting(d, "mu_SIG", bounds=[[-5.0, 5.0]]),
    "observation of a channel that is not there": lambda d: d["observations"].append(
        {"name": "VR", "data": [1.0]}
    ),
    "shapefactor shared by channels of one length": lambda d: sample(d)["modifiers"].append(
        {"name": "free", "type": "shapefactor", "data": None}
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_what_real_models_have_is_no_fault(name: str, tmp_path: Path) -> None:
    workspace = read(tmp_path, changed(FINE[name]))
    assert workspace.warnings == ()
    assert np.isfinite(density(workspace))


def test_measurements_differ_in_their_settings(tmp_path: Path) -> None:
    first, second = read(tmp_path, small()), read(tmp_path, small(), "shifted")
    assert (first.measurement, second.measurement) == ("nominal", "shifted")
    jes = second.model.config.par_slice("jes").start
    assert second.model.config.suggested_init()[jes] == 0.5
    assert second.model.config.param_set("jes").auxdata == [0.25]
    assert first.model.config.suggested_init()[jes] == 0.0


def test_an_unknown_measurement_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        read(tmp_path, small(), "other")
    assert codes(caught) == ["LLB-W003"]
    assert caught.value.findings[0].expected == "nominal, shifted"


def test_interpolation_codes_are_chosen_and_kept(tmp_path: Path) -> None:
    usual = read(tmp_path, small())
    assert usual.interpolation == {"normsys": "code4", "histosys": "code4p"}
    other = read(tmp_path, small(), interpolation={"normsys": "code1"})
    assert other.interpolation == {"normsys": "code1", "histosys": "code4p"}
    assert [item.code for item in other.warnings] == ["LLB-W034"]
    theta = np.asarray(usual.model.config.suggested_init())
    theta[usual.model.config.par_slice("jes")] = 0.5
    differ = usual.model.expected_actualdata(theta) - other.model.expected_actualdata(theta)
    assert np.abs(differ).max() > 1e-3


@pytest.mark.parametrize(
    "asked", [{"normsys": "code0"}, {"normsys": "code4p"}, {"histosys": "code4"}, {"staterror": "code4"}]
)
def test_unknown_interpolation(asked: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        read(tmp_path, small(), interpolation=asked)
    assert codes(caught) == ["LLB-W007"]


def test_own_signal_is_refused_floats_or_goes(tmp_path: Path) -> None:
    document = with_signal(small())
    with pytest.raises(FindingError) as caught:
        read(tmp_path, document)
    assert codes(caught) == ["LLB-W004"]

    kept = read(tmp_path, document, own_signal="float")
    assert "mu_SIG" in kept.model.config.parameters
    assert kept.model.config.poi_index is None
    assert kept.own_signal == "float"

    gone = read(tmp_path, document, own_signal="drop")
    plain = read(tmp_path, small())
    assert gone.model.config.par_order == plain.model.config.par_order
    assert gone.channels == plain.channels
    assert gone.spec == plain.spec
    assert density(gone) == density(plain)
    # the record is of the file that was read
    assert (gone.sha256, gone.pyhf_digest) == (kept.sha256, kept.pyhf_digest)
    assert gone.pyhf_digest != plain.pyhf_digest


def test_a_channel_of_nothing_but_signal_cannot_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as caught:
        read(tmp_path, with_signal(small(), whole_channel=True), own_signal="drop")
    assert codes(caught) == ["LLB-W017"]
    assert caught.value.findings[0].pointer == "workspace.json/SR"


@pytest.mark.parametrize("own_signal", ["refuse", "float", "drop"])
def test_without_a_signal_all_three_are_one(own_signal: Any) -> None:
    workspace = read_workspace(workspace_path(), own_signal=own_signal)
    assert workspace.spec == json.loads(workspace_path().read_bytes())


def test_the_document_is_not_changed(tmp_path: Path) -> None:
    document = with_signal(small())
    before = copy.deepcopy(document)
    read(tmp_path, document, own_signal="drop")
    assert document == before


def test_real_workspaces_raise_no_warning(shared_data: Path) -> None:
    path = shared_data / "ATLAS-SUSY-2019-08" / "BkgOnly.json"
    assert read_workspace(path).warnings == ()


JUNK = st.sampled_from(
    [
        None,
        True,
        "",
        "lumi",
        "mu_SIG",
        "SR",
        -1.0,
        0,
        1e308,
        10**400,
        float("nan"),
        float("inf"),
        [],
        [0.0],
        {},
        [[]],
    ]
)


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@st.composite
def faulty(draw: st.DrawFn) -> Document:
    """The small workspace with a signal, and anything anywhere replaced, removed or doubled."""
    document = with_signal(small())
    found = places(document)
    container, key = found[draw(st.integers(0, len(found) - 1))]
    change = draw(st.sampled_from(["replace", "remove", "double"]))
    if change == "replace":
        container[key] = draw(JUNK)
    elif change == "remove":
        del container[key]
    elif isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    return document


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=faulty(), own_signal=st.sampled_from(["refuse", "float", "drop"]))
def test_whatever_is_wrong_there_is_a_finding(document: Document, own_signal: Any, tmp_path: Path) -> None:
    """Either pyhf's likelihood is defined or there are findings; there is no other error."""
    try:
        workspace = read(tmp_path, document, own_signal=own_signal)
    except FindingError:
        return
    assert np.isfinite(density(workspace))
