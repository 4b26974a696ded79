"""`llb train-density`: from samples and from a workspace to a bundle, and bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import run

from llb.runtime import load_density
from llb.validation import validate
from llb_trainer.chains import Parameter, ParameterSamples, write_samples
from llb_trainer.quickstart import patchset_path, workspace_path

Capture = pytest.CaptureFixture[str]
RECIPE = "width = 16\ndepth = 1\nsteps = 200\nrecords = 2\n"
SIGNAL = ("--patchset", patchset_path(), "--patch", "PP_300_1")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


def samples(path: Path) -> Path:
    generator = np.random.default_rng(1)
    values = generator.standard_normal((4000, 2)) @ np.array([[1.0, 0.5], [0.0, 1.0]])
    write_samples(path, ParameterSamples((Parameter("mu", "poi"), Parameter("alpha")), values))
    return path


def test_samples_become_a_bundle(tmp_path: Path, recipe: Path, capsys: Capture) -> None:
    out = tmp_path / "flow.llb"
    chain = samples(tmp_path / "chain.npz")
    arguments = ("--heldout", "800", "--recipe", recipe, "--seed", "2", "--format", "json")
    code, said, err = run(capsys, "train-density", chain, "--out", out, *arguments)
    assert code == 0, err
    document = json.loads(said, parse_constant=pytest.fail)
    assert (document["status"], document["level"], document["parameters"]) == ("ok", 5, 2)
    assert validate(out).findings == ()
    assert load_density(out).sample(10, 1).shape == (10, 2)
    assert {item["quantity"] for item in document["sample_metrics"]} >= {"mean_ks", "hpd_95"}
    code, _, err = run(capsys, "train-density", chain, "--out", out, *arguments)
    assert (code, err[:10]) == (2, "[LLB-X002]")


def test_a_workspace_becomes_a_posterior_under_any_counts(
    tmp_path: Path, recipe: Path, capsys: Capture
) -> None:
    out = tmp_path / "any.llb"
    arguments = ("--learn", "conditional", "--limit", "mu_SIG=0:3", "--samples", "3000", "--heldout", "400")
    code, said, err = run(
        capsys, "train-density", workspace_path(), *SIGNAL, "--out", out, *arguments, "--recipe", recipe
    )
    assert code == 0, err
    assert "Distances of samples" in said
    density = load_density(out)
    mu = density.manifest.parameters[density.parameters.index("mu_SIG")]
    assert (mu.lower, mu.upper, mu.role) == (0.0, 3.0, "poi")
    assert density.conditions


def test_a_workspace_becomes_its_likelihood(tmp_path: Path, capsys: Capture) -> None:
    out, recipe = tmp_path / "likelihood.llb", tmp_path / "recipe.toml"
    recipe.write_text("members = 1\nwidth = 8\nsteps = 60\nrecords = 2\nrounds = 0\n")
    counts = ("--samples", "300", "--heldout", "100", "--keep-unconverged")
    arguments = ("--learn", "likelihood", *counts, "--recipe", recipe, "--format", "json")
    code, said, err = run(capsys, "train-density", workspace_path(), *SIGNAL, "--out", out, *arguments)
    assert code == 0, err
    assert json.loads(said)["metrics"][0]["count"] == 100
    assert load_density(out).manifest.density.kind == "likelihood"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--learn", "likelihood"), "needs a workspace"),
        (("--patch", "PP_300_1"), "belong to a workspace"),
        (("--limit", "mu=0:1"), "belong to a workspace"),
    ],
)
def test_what_samples_cannot_have(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: Capture
) -> None:
    chain = samples(tmp_path / "chain.npz")
    code, _, err = run(capsys, "train-density", chain, "--out", tmp_path / "x.llb", *arguments)
    assert (code, err[:10]) == (2, "[LLB-X901]")
    assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--describe", workspace_path()), "belongs to samples"),
        (("--patch", "PP_300_1"), "go together"),
        ((*SIGNAL, "--limit", "mu_SIG"), "not NAME=LOW:HIGH"),
        ((*SIGNAL, "--limit", "mu_SIG=5:1"), "limits"),
        ((*SIGNAL, "--limit", "nobody=0:1"), "limits"),
    ],
)
def test_what_a_workspace_cannot_have(
    arguments: tuple[object, ...], words: str, tmp_path: Path, capsys: Capture
) -> None:
    code, _, err = run(capsys, "train-density", workspace_path(), "--out", tmp_path / "x.llb", *arguments)
    assert (code, err[:10]) == (2, "[LLB-X901]")
    assert words in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "line", ["widht = 16", "width = 'wide'", "width = true", "batches = [1.5]", "width ="]
)
def test_a_recipe_that_is_none(line: str, tmp_path: Path, capsys: Capture) -> None:
    recipe = tmp_path / "bad.toml"
    recipe.write_text(line)
    chain = samples(tmp_path / "chain.npz")
    code, _, err = run(capsys, "train-density", chain, "--out", tmp_path / "x.llb", "--recipe", recipe)
    assert (code, "LLB-T042" in err) == (2, True)
    assert ("did you mean width?" in err) == (line == "widht = 16")


def test_a_setting_out_of_range(tmp_path: Path, capsys: Capture) -> None:
    recipe = tmp_path / "bad.toml"
    recipe.write_text("l1 = -1")
    chain = samples(tmp_path / "chain.npz")
    code, _, err = run(capsys, "train-density", chain, "--out", tmp_path / "x.llb", "--recipe", recipe)
    assert (code, err[:10]) == (2, "[LLB-T040]")


def test_a_recipe_is_read_before_a_workspace_is_sampled(tmp_path: Path, capsys: Capture) -> None:
    recipe = tmp_path / "bad.toml"
    recipe.write_text("widht = 16")
    arguments = (workspace_path(), *SIGNAL, "--out", tmp_path / "x.llb", "--recipe", recipe)
    code, _, err = run(capsys, "train-density", *arguments)
    assert (code, "LLB-T042" in err, "Sampling" in err) == (2, True, False)


def test_the_seed_is_the_recipes_unless_one_is_given(tmp_path: Path, capsys: Capture) -> None:
    recipe, chain = tmp_path / "recipe.toml", samples(tmp_path / "chain.npz")
    recipe.write_text(f"{RECIPE}seed = 5\n")
    for name, more, expected in (("a", (), 5), ("b", ("--seed", "7"), 7)):
        out = tmp_path / f"{name}.llb"
        assert run(capsys, "train-density", chain, "--out", out, "--recipe", recipe, *more)[0] == 0
        record = json.loads((out / "provenance/training.json").read_text())
        assert record["recipe"]["seed"] == expected
