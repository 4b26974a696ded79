"""The reference loader asked about densities, beside the formula that the bundles are written from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb.loader import CLASSES, Loader, Refusal, open_bundle
from llb.runtime import Density
from llb_conformance import counting_model, write_quadratic
from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import validate_document

MODELS = {"mixed": mixed_model, "conditional": conditional_model, "regression": regression_model}
POINT = [0.5, 7.0, 0.1, 125.0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("densities")
    for name, make in MODELS.items():
        write_gaussian(make(), root / name)
    write_quadratic(counting_model(), root / "likelihood")
    return root


@pytest.fixture
def loader() -> Loader:
    return Loader()


def ask(loader: Loader, cmd: str, **more: Any) -> dict[str, Any]:
    """The reply to a request, which follows the schema of the protocol."""
    request = {"cmd": cmd, "seq": 7, **more}
    assert validate_document(request, "protocol") == ()
    reply = loader.answer(request)
    assert validate_document(reply, "protocol") == ()
    assert reply["seq"] == 7
    return reply


@pytest.mark.requirement("PROTOCOL-7", "CONFORM-6")
@pytest.mark.parametrize("name", MODELS)
def test_a_density_is_opened_and_described_by_its_parameters(loader: Loader, folder: Path, name: str) -> None:
    model: GaussianModel = MODELS[name]()
    assert "density" in CLASSES
    assert isinstance(open_bundle(str(folder / name)), Density)
    opened = ask(loader, "open", bundle=str(folder / name))
    assert (opened["reply"], opened["format_version"]) == ("opened", "1.1.0")
    assert opened["inputs"] == list(model.names)
    described = ask(loader, "describe")
    lower, upper = model.domain
    assert (described["lower"], described["upper"]) == (lower.tolist(), upper.tolist())
    assert "curves" not in described


@pytest.mark.requirement("PROTOCOL-7", "DENSITY-6")
def test_log_prob_has_the_offset_the_flags_and_minus_infinity(loader: Loader, folder: Path) -> None:
    model = regression_model()
    ask(loader, "open", bundle=str(folder / "regression"))
    points = [POINT, [-1.5, *POINT[1:]], [*POINT[:3], 140.0]]
    reply = ask(loader, "log_prob", points=points)
    assert reply["log_prob"][1] == "-Infinity"
    assert reply["out_of_domain"] == [False, True, True]
    exact = model.log_prob([points[0], points[2]])
    np.testing.assert_allclose([reply["log_prob"][0], reply["log_prob"][2]], exact, rtol=1e-10)
    assert exact[0] == pytest.approx(model.offset, abs=30.0)


@pytest.mark.requirement("DENSITY-7", "DENSITY-4")
def test_conditions_are_one_for_each_or_one_for_all(loader: Loader, folder: Path) -> None:
    model = conditional_model()
    ask(loader, "open", bundle=str(folder / "conditional"))
    noise = np.array([[0.5, -1.0, 0.25, 1.5], [0.0, 0.0, 0.0, 0.0]])
    for conditions in ([[0.5, -0.5], [1.0, 0.0]], [[0.5, -0.5]]):
        drawn = ask(loader, "sample", noise=noise.tolist(), conditions=conditions)["samples"]
        np.testing.assert_allclose(drawn, model.sample(noise, conditions), rtol=1e-12)
        found = ask(loader, "log_prob", points=drawn, conditions=conditions)["log_prob"]
        np.testing.assert_allclose(found, model.log_prob(drawn, conditions), rtol=1e-10)
    outside = ask(loader, "log_prob", points=drawn, conditions=[[0.0, 1.5]])
    assert outside["out_of_domain"] == [True, True]
    assert all(math.isfinite(value) for value in outside["log_prob"])


FAULTS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("mixed", {"points": [[*POINT[:3], "NaN"]]}, "LLB-Y103"),
    ("mixed", {"points": [POINT, POINT[:3]]}, "LLB-Y104"),
    ("mixed", {"points": [[*POINT, 1.0]]}, "LLB-Y104"),
    ("mixed", {"points": [POINT], "conditions": [[0.0, 0.0]]}, "LLB-Y105"),
    ("conditional", {"points": [POINT]}, "LLB-Y105"),
    ("conditional", {"points": [POINT], "conditions": [[0.0, 0.0]] * 2}, "LLB-Y105"),
    ("conditional", {"points": [POINT], "conditions": [[0.0]]}, "LLB-Y104"),
    ("conditional", {"points": [POINT], "conditions": [[0.0, "Infinity"]]}, "LLB-Y103"),
)


@pytest.mark.requirement("PROTOCOL-7")
@pytest.mark.parametrize(("name", "more", "code"), FAULTS)
@pytest.mark.parametrize("cmd", ["log_prob", "sample"])
def test_faults_are_refused_as_input_and_the_bundle_stays_open(
    loader: Loader, folder: Path, cmd: str, name: str, more: dict[str, Any], code: str
) -> None:
    ask(loader, "open", bundle=str(folder / name))
    given = {("noise" if key == "points" and cmd == "sample" else key): value for key, value in more.items()}
    reply = ask(loader, cmd, **given)
    assert (reply["reply"], reply["stage"], reply["code"]) == ("rejected", "input", code)
    assert ask(loader, "describe")["reply"] == "described"


@pytest.mark.requirement("PROTOCOL-7", "PROTOCOL-4")
def test_questions_of_the_other_family_are_unsupported_and_none_without_a_bundle(
    loader: Loader, folder: Path
) -> None:
    asked: dict[str, dict[str, Any]] = {
        "log_prob": {"points": [POINT]},
        "sample": {"noise": [[0.0] * 4]},
        "evaluate": {"points": [POINT], "curves": ["observed"]},
        "gradient": {"points": [POINT], "curves": ["observed"]},
        "limits": {"points": [POINT], "level": 0.95},
    }
    right = {"mixed": ("log_prob", "sample"), "regression": ("log_prob",)}
    assert {ask(loader, cmd, **more)["reply"] for cmd, more in asked.items()} == {"errored"}
    for name in ("mixed", "regression", "likelihood"):
        ask(loader, "open", bundle=str(folder / name))
        said = {cmd: ask(loader, cmd, **more)["reply"] for cmd, more in asked.items()}
        known = right.get(name, ("evaluate", "gradient", "limits"))
        assert {cmd for cmd, reply in said.items() if reply != "unsupported"} == set(known), said
    assert ask(loader, "close")["reply"] == "closed"
    assert ask(loader, "close")["reply"] == "errored"


@pytest.mark.requirement("FAMILY-2")
def test_a_density_of_the_version_that_only_reserves_the_family_is_refused(tmp_path: Path) -> None:
    path = write_gaussian(mixed_model(), tmp_path / "x")
    manifest = path / "manifest.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace('"format_version": "1.1.0"', '"format_version": "1.0.0"'), encoding="utf-8"
    )
    found = open_bundle(str(path))
    assert isinstance(found, Refusal)
    assert (found.stage, found.code, found.pointer) == ("manifest", "LLB-S018", "/family")
