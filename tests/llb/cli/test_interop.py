from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bundles
import click
import incumbent
import numpy as np
import olll_files
import pytest
from commands import run

from llb.bundle import read_bundle
from llb.cli.main import cli
from llb.interop import ImportChoices, import_olll
from llb.validation import validate


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file whose network is exact."""
    return olll_files.write(tmp_path, olll_files.counting(), olll_files.counting_document())


@pytest.fixture
def like(model: Path, tmp_path: Path) -> Path:
    """A bundle of the same statistical model."""
    choices = ImportChoices(signal_uncertainty=0.0)
    return import_olll(model, tmp_path / "like.llb", facts=olll_files.facts(), choices=choices).path


def test_an_import_for_people(
    model: Path, like: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.llb"
    arguments = ("import", "olll", model, "--out", out, "--like", like, "--signal-uncertainty", "0.2")
    code, text, err = run(capsys, *arguments, "--id", "toy", "--title", "A toy", "--license", "MIT")
    assert (code, err) == (0, "")
    lines = text.splitlines()
    assert lines[0] == str(out)
    assert [line.split()[:2] for line in lines[1:]] == [
        ["closure", name] for name in ("observed", "observed_asimov", "apriori", "apriori_asimov")
    ]
    manifest = read_bundle(out).manifest
    assert (manifest.id, manifest.title, manifest.license) == ("toy", "A toy", "MIT")
    assert manifest.signal_model.relative_uncertainty == 0.2
    assert manifest.teacher == read_bundle(like).manifest.teacher
    assert validate(out).status == "ok"
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert err.startswith("[LLB-X002]")
    assert run(capsys, *arguments, "--force")[0] == 0


def test_an_import_for_programs(
    model: Path, like: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "x.llb.zip"
    values = olll_files.counting_document()
    values["run_config"] = "data: {trafos: yes}"
    olll_files.write(tmp_path, olll_files.counting(), values)
    given = tmp_path / "run_config.json"
    given.write_text(json.dumps(olll_files.counting_document()["run_config"]))
    arguments = ["import", "olll", model, "--out", out, "--like", like, "--signal-uncertainty", "0"]
    arguments += ["--signal-modifiers", "none", "--optional-control-regions", "--format", "json"]
    code, text, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    document = json.loads(text)
    assert document["path"] == str(out)
    assert [item["code"] for item in document["findings"]] == ["LLB-F012"]
    assert max(map(abs, document["closure"].values())) < 1e-5
    assert document["deviation"] < 1e-5
    manifest = read_bundle(out).manifest
    assert manifest.signal_model.modifiers == ()
    assert manifest.bins[3].signal_optional
    code, text, _ = run(capsys, *arguments, "--run-config", given, "--force")
    assert json.loads(text)["findings"] == []


@pytest.mark.parametrize(
    ("changes", "options", "codes"),
    [
        ({}, ("--signal-uncertainty", "0"), {"LLB-F021"}),
        ({}, (), {"LLB-F021", "LLB-F024"}),
        ({"model_license": "?", "x_min": "?"}, (), {"LLB-F021", "LLB-P003"}),
        ({"olll_schema_version": "2"}, (), {"LLB-F001"}),
    ],
)
def test_all_that_is_open_is_a_line_each(
    changes: dict[str, Any],
    options: tuple[str, ...],
    codes: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = olll_files.counting_document() | changes
    path = olll_files.write(tmp_path, olll_files.counting(), values)
    code, text, err = run(capsys, "import", "olll", path, "--out", tmp_path / "x.llb", *options)
    assert (code, text) == (2, "")
    found = {line.split("]")[0].strip("[") for line in err.splitlines()}
    assert codes <= found
    assert not (tmp_path / "x.llb").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workspace", "a", "--like", "b"), "give either --workspace or --like"),
        (("--measurement", "m"), "--measurement is for --workspace"),
        (("--offset", "guess"), "Invalid value for '--offset'"),
        (("--signal-uncertainty", "-1"), "Invalid value for '--signal-uncertainty'"),
    ],
)
def test_options_that_do_not_go_together(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "import", "olll", "m.onnx", "--out", tmp_path / "x.llb", *options)
    assert code == 2
    assert err.startswith(f"[LLB-X901] {said}")


def test_choices_reach_the_import(tmp_path: Path, like: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = olll_files.counting_document() | {
        "preprocessing": {"features_pipeline": ["log"], "nLLs_pipeline": []}
    }
    network = olll_files.counting(shift=0.2, dip=0.2)
    path = olll_files.write(tmp_path, network, values)
    out = tmp_path / "x.llb"
    arguments = ["import", "olll", path, "--out", out, "--like", like, "--signal-uncertainty", "0"]
    for option, code in (
        (["--transforms", "run_config"], "LLB-F008"),
        (["--accept-closure"], "LLB-F019"),
        (["--floor-asimov"], "LLB-F020"),
    ):
        status, _, err = run(capsys, *arguments)
        assert status == 2
        assert f"[{code}]" in err
        arguments += option
    code, _, err = run(capsys, *arguments)
    assert code == 0
    assert err.startswith("warning: [LLB-F018]")
    assert run(capsys, *arguments, "--offset", "bkg", "--force")[0] == 0
    assert read_bundle(out).manifest.extensions["org.llb.olll"]["offset"]["CRtop[0]"] == 42.0


def test_a_run_config_that_is_none(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "list.json"
    given.write_text("[]")
    arguments = ("import", "olll", model, "--out", tmp_path / "x.llb", "--run-config", given)
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "is no JSON object" in err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "import", "olll", tmp_path / "no.onnx", "--out", tmp_path / "x.llb")
    assert code == 2
    assert err.startswith("[LLB-X003]")


def test_a_workspace_says_what_the_file_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace = tmp_path / "BkgOnly.json"
    workspace.write_text(json.dumps(_workspace()))
    path = olll_files.write(tmp_path, olll_files.counting(), olll_files.counting_document())
    out = tmp_path / "x.llb"
    code, _, err = run(
        capsys,
        *("import", "olll", path, "--out", out, "--workspace", workspace, "--signal-uncertainty", "0"),
    )
    assert code == 0
    assert {line.split("]")[0] for line in err.splitlines()} == {"warning: [LLB-F025"}
    manifest = read_bundle(out).manifest
    assert manifest.teacher.files[0].name == "BkgOnly.json"
    assert manifest.teacher.measurement == "toy"
    assert [item.name for item in manifest.teacher.channels] == ["SRa", "SR-b", "CRtop", "CRold"]
    data = {item.name: item.data for item in manifest.curves}
    assert data["observed"].main == olll_files.OBSERVED
    np.testing.assert_allclose(data["apriori"].main, olll_files.BACKGROUND)
    # The fit has moved the background, and the Asimov data with it.
    assert data["observed_asimov"].main != data["apriori"].main
    assert data["observed_asimov"].auxiliary[0].values != data["apriori"].auxiliary[0].values
    assert validate(out).status == "ok"


def _workspace() -> dict[str, Any]:
    rates = {"SRa": [4.0], "SR-b": [2.5, 3.5], "CRtop": [42.0], "CRold": [99.5]}
    counts = {"SRa": [5], "SR-b": [3, 4], "CRtop": [40], "CRold": [100]}
    modifier = {"name": "scale", "type": "normsys", "data": {"lo": 0.9, "hi": 1.1}}
    return {
        "version": "1.0.0",
        "channels": [
            {"name": name, "samples": [{"name": "bkg", "data": data, "modifiers": [modifier]}]}
            for name, data in rates.items()
        ],
        "observations": [{"name": name, "data": data} for name, data in counts.items()],
        "measurements": [{"name": "toy", "config": {"poi": "mu_SIG", "parameters": []}}],
    }


def test_an_export_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, out = bundles.write(tmp_path / "x.llb"), tmp_path / "x.onnx"
    arguments = ("export", "olll", bundle, "--out", out)
    code, text, err = run(capsys, *arguments)
    assert (code, text) == (2, "")
    assert err.startswith("[LLB-F104]")
    assert "--reference" in err
    code, text, err = run(capsys, *arguments, "--reference", "10.17182/hepdata.1")
    assert (code, err) == (0, "")
    assert text.splitlines()[0] == str(out)
    assert text.splitlines()[1].startswith("largest difference of Delta NLL ")
    incumbent.adapter_validator(out.read_bytes())
    assert run(capsys, *arguments, "--reference", "10.17182/hepdata.1")[2].startswith("[LLB-X002]")


def test_an_export_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def bare(document: dict[str, Any]) -> None:
        del document["analysis"]["sqrt_s"], document["analysis"]["experiment"]
        document["references"] = []
        document["curves"][0]["baseline_nll"] = -1.0

    bundle, out = bundles.write(tmp_path / "x.llb", bare), tmp_path / "x.onnx"
    options = ["--sqrt-s", "13", "--experiment", "CMS", "--arxiv", "2101.00001", "--reference", "10.1/x"]
    options += ["--positive-baselines", "--channels", "map", "--force", "--format", "json"]
    for _ in range(2):
        code, text, err = run(capsys, "export", "olll", bundle, "--out", out, *options)
        assert (code, err) == (0, "")
    document = json.loads(text)
    assert [item["code"] for item in document["findings"]] == ["LLB-F103"]
    assert document["loss"] < 1e-4
    assert incumbent.validator_errors(out.read_bytes()) == []


@pytest.mark.parametrize("name", ["import", "export"])
def test_every_format_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    group = cli.get_command(click.Context(cli), name)
    assert isinstance(group, click.Group)
    assert set(group.commands) == {"olll"}
    code, text, _ = run(capsys, name, "olll", "--help")
    assert code == 0
    assert "Example:" in text
    assert f"llb {name} olll" in text
