"""`llb eval`, `sample` and `profile` of densities, and the commands of the other family."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from commands import run

from llb.runtime import draws_bytes, load_density
from llb_conformance import counting_model, write_quadratic
from llb_conformance.gaussian import conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import FindingError

POINT = {"mu": 1.0, "rate": 7.0, "alpha": 0.25, "mass": 125.0}
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    return write_gaussian(mixed_model(), tmp_path / "flow.llb")


@pytest.fixture
def points(tmp_path: Path) -> Path:
    path = tmp_path / "points.json"
    path.write_text(json.dumps({"good": POINT, "far": {**POINT, "mass": 200.0}, "out": {**POINT, "mu": 6.0}}))
    return path


def test_eval_gives_the_log_density(flow: Path, points: Path, capsys: Capture) -> None:
    code, out, err = run(capsys, "eval", flow, "--parameters", points, "--format", "json")
    good, far, outside = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert good["log_prob"] == pytest.approx(float(mixed_model().log_prob(list(POINT.values()))), rel=1e-12)
    assert (good["in_domain"], far["in_domain"], outside["in_domain"]) == (True, False, False)
    assert outside["log_prob"] is None
    assert "LLB-L004" in err
    assert "2 of 3 points" in err
    code, out, _ = run(capsys, "eval", flow, "--parameters", points)
    assert "good\n  log_prob" in out
    assert "out  (outside the domain)" in out
    code, out, _ = run(capsys, "eval", flow, "--parameters", points, "--format", "csv")
    assert out.splitlines()[0] == "name,in_domain,log_prob"


def test_eval_of_a_likelihood_adds_the_offset(tmp_path: Path, points: Path, capsys: Capture) -> None:
    path = write_gaussian(regression_model(), tmp_path / "regression.llb")
    _, out, _ = run(capsys, "eval", path, "--parameters", points, "--format", "json")
    row = json.loads(out)[0]
    assert row["log_likelihood"] == pytest.approx(
        float(regression_model().log_prob(list(POINT.values()))), rel=1e-12
    )
    assert row["log_likelihood"] - row["log_prob"] == pytest.approx(-812.5)


def test_draws_are_written_and_the_same_for_a_seed(flow: Path, tmp_path: Path, capsys: Capture) -> None:
    table, arrays = tmp_path / "draws.csv", tmp_path / "draws.npz"
    assert run(capsys, "sample", flow, "--n", "7", "--seed", "3", "--out", table)[0] == 0
    code, out, _ = run(capsys, "sample", flow, "--n", "7", "--seed", "3", "--out", arrays, "--format", "json")
    assert (code, json.loads(out)["samples"]) == (0, 7)
    with table.open() as stream:
        header, *rows = csv.reader(stream)
    assert header == ["mu", "rate", "alpha", "mass", "log_prob"]
    numbers = np.array(rows, dtype=np.float64)
    with np.load(arrays) as found:
        assert found["samples"].tolist() == numbers[:, :4].tolist()
        assert found["log_prob"].tolist() == numbers[:, 4].tolist()
        assert found["names"].tolist() == header[:4]
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal((7, 4))
    np.testing.assert_allclose(numbers[:, :4], mixed_model().sample(noise), rtol=1e-12)
    code, _, err = run(capsys, "sample", flow, "--n", "7", "--out", table)
    assert (code, err[:10]) == (2, "[LLB-X002]")
    assert run(capsys, "sample", flow, "--n", "7", "--out", table, "--overwrite")[0] == 0
    code, _, err = run(capsys, "sample", flow, "--n", "7", "--out", tmp_path / "draws.txt")
    assert (code, err[:10]) == (2, "[LLB-X901]")


def test_draws_open_in_arviz(flow: Path, tmp_path: Path, capsys: Capture) -> None:
    import xarray

    files = [tmp_path / name for name in ("one.nc", "two.nc")]
    for path in files:
        assert run(capsys, "sample", flow, "--n", "9", "--seed", "3", "--out", path)[0] == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    density = load_density(flow)
    drawn = density.sample(9, 3)
    with xarray.open_datatree(files[0], engine="h5netcdf") as tree:
        for column, name in enumerate(density.parameters):
            assert tree["posterior"][name].to_numpy()[0].tolist() == drawn[:, column].tolist()
        assert tree["sample_stats"]["lp"].to_numpy()[0].tolist() == density.log_prob(drawn).tolist()


def test_a_name_that_netcdf_cannot_hold() -> None:
    with pytest.raises(FindingError, match="a slash begins a group"):
        draws_bytes(".nc", ["a/b"], np.zeros((2, 1)), np.zeros(2))


def test_a_profile_with_its_intervals(flow: Path, tmp_path: Path, capsys: Capture) -> None:
    arguments = ["--parameter", "alpha", "--points", "7", "--samples", "5000", "--seed", "2"]
    picture = tmp_path / "alpha.png"
    code, out, _ = run(capsys, "profile", flow, *arguments, "--format", "json", "--figure", picture)
    document = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert len(document["profile"]) == 7
    assert (document["kind"], document["prior_divided"]) == ("posterior", False)
    assert "--divide-prior" in document["note"]
    width = float(np.sqrt(np.sum(mixed_model().root[2] ** 2)))
    low, high = document["marginal_intervals"]["central"]["68.3 %"]
    assert (low, high) == pytest.approx((0.1 - width, 0.1 + width), abs=0.1)
    assert min(row["drop"] for row in document["profile"]) == 0.0
    assert picture.read_bytes().startswith(b"\x89PNG")
    code, out, _ = run(capsys, "profile", flow, *arguments, "--divide-prior", "--lower", "-1", "--upper", "1")
    assert code == 0
    for words in ("profile  68.3 %:", "shortest  68.3 %:", "central    95 %:", "The prior was divided out"):
        assert words in out


def test_a_profile_is_asked_for_within_the_domain(flow: Path, capsys: Capture) -> None:
    for options, code in (
        (["--parameter", "nu"], "LLB-Y101"),
        (["--parameter", "mu", "--lower", "-3"], "LLB-X901"),
        (["--parameter", "mu", "--lower", "2", "--upper", "1"], "LLB-X901"),
        (["--parameter", "mu", "--condition", "x=1"], "LLB-Y105"),
        (["--parameter", "mu", "--condition", "x"], "LLB-X901"),
    ):
        status, _, err = run(capsys, "profile", flow, *options)
        assert (status, err[1:9]) == (2, code)
        assert len(err.splitlines()) == 1


def test_conditions_are_options(tmp_path: Path, capsys: Capture) -> None:
    path, out = write_gaussian(conditional_model(), tmp_path / "c.llb"), tmp_path / "draws.csv"
    status, _, err = run(capsys, "sample", path, "--n", "3", "--out", out)
    assert (status, err[:10]) == (2, "[LLB-Y105]")
    assert "--condition x0=... --condition x1=..." in err
    given = ["--condition", "x0=0.5", "--condition", "x1=-0.25"]
    assert run(capsys, "sample", path, "--n", "3", "--out", out, *given)[0] == 0
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal((3, 4))
    with out.open() as stream:
        found = np.array(list(csv.reader(stream))[1:], dtype=np.float64)
    np.testing.assert_allclose(found[:, :4], conditional_model().sample(noise, [0.5, -0.25]), rtol=1e-12)


def test_the_other_family_ends_in_one_finding(flow: Path, tmp_path: Path, capsys: Capture) -> None:
    profile = write_quadratic(counting_model(), tmp_path / "profile.llb")
    regression = write_gaussian(regression_model(), tmp_path / "regression.llb")
    file = tmp_path / "any.json"
    file.write_text("{}")
    for command, code in (
        (["limit", flow, "--signal", file], "LLB-X004"),
        (["eval", flow, "--signal", file], "LLB-X004"),
        (["eval", profile, "--parameters", file], "LLB-X004"),
        (["sample", profile, "--n", "3", "--out", tmp_path / "a.csv"], "LLB-X004"),
        (["profile", profile, "--parameter", "mu"], "LLB-X004"),
        (["sample", regression, "--n", "3", "--out", tmp_path / "a.csv"], "LLB-Y106"),
        (["diff", flow, profile, "--numerics"], "LLB-X004"),
        (["eval", flow], "LLB-X901"),
        (["eval", flow, "--signal", file, "--parameters", file], "LLB-X901"),
    ):
        status, _, err = run(capsys, *command)
        assert (status, err[1:9]) == (2, code), command
        assert len(err.splitlines()) == 1
    assert not (tmp_path / "a.csv").exists()


def test_commands_that_only_look_take_any_family(flow: Path, tmp_path: Path, capsys: Capture) -> None:
    status, out, _ = run(capsys, "show", flow)
    assert status == 0
    for words in ("full_likelihood", "Parameters", "lognormal", "mean_wasserstein", "mass"):
        assert words in out
    status, out, _ = run(capsys, "show", write_gaussian(conditional_model(), tmp_path / "c.llb"))
    assert "Conditions" in out
    assert run(capsys, "validate", flow)[0] == 0
    assert run(capsys, "pack", flow, "--out", tmp_path / "flow.llb.zip")[0] == 0
    assert run(capsys, "diff", flow, tmp_path / "flow.llb.zip")[0] == 0
    status, out, _ = run(capsys, "upgrade", flow, "--out", tmp_path / "new.llb")
    assert "current" in out
