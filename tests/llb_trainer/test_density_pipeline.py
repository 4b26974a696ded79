"""From samples to a valid bundle of a density, with a small flow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llb.bundle import Analysis, Author
from llb.evaluation import rank_calibration
from llb.validation import validate
from llb_schema import FindingError
from llb_trainer.chains import Condition, Conditions, Parameter, ParameterSamples
from llb_trainer.density_pipeline import DensityResult, Sampled, learn_density
from llb_trainer.export.emit import Identity
from llb_trainer.flows import FlowRecipe
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities import PriorFactor

IDENTITY = Identity("small", "A small density", (Author("The LLB developers"),), Analysis("TOY"))
RECIPE = FlowRecipe(width=16, depth=1, steps=300, records=3)
PARAMETERS = (
    Parameter("mu", "poi", bounds=(0.0, 10.0), label=r"$\mu$"),
    Parameter("mass", unit="GeV", bounds=(100.0, None)),
    Parameter("alpha"),
)
CONSTANT = 3.25


def drawn(n: int, seed: int) -> ParameterSamples:
    """mu uniform, mass exponential above its wall, alpha normal; the density up to a constant."""
    generator = np.random.default_rng(seed)
    mu, mass, alpha = (
        generator.uniform(0.0, 10.0, n),
        generator.exponential(5.0, n),
        generator.standard_normal(n),
    )
    log_density = -np.log(10.0) - np.log(5.0) - mass / 5.0 - 0.5 * alpha**2 - 0.5 * np.log(2.0 * np.pi)
    values = np.stack([mu, 100.0 + mass, alpha], axis=1)
    return ParameterSamples(PARAMETERS, values, log_density + CONSTANT)


SAMPLED = Sampled(
    training=drawn(8000, 1),
    heldout=drawn(1000, 2),
    source=Source("synthetic", (), (), {"name": "three independent parameters"}, ("numpy",)),
    text="Three independent parameters, drawn by numpy.",
    prior=tuple(PriorFactor(item.name, "other", text="of height 1") for item in PARAMETERS),
    log_normalisation=CONSTANT,
    record={"seed": 1},
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DensityResult:
    steps: list[int] = []
    out = tmp_path_factory.mktemp("density") / "small.llb"
    result = learn_density(SAMPLED, IDENTITY, out, recipe=RECIPE, progress=steps.append)
    assert sum(steps) == RECIPE.steps
    return result


def test_the_bundle_is_valid_and_is_the_flow(made: DensityResult) -> None:
    report = validate(made.bundle)
    assert (report.level, list(report.findings)) == (5, [])
    points = SAMPLED.heldout.values
    np.testing.assert_allclose(made.density.log_prob(points), made.trained.flow.log_prob(points), rtol=1e-10)
    noise = np.random.default_rng(3).standard_normal((50, 3))
    np.testing.assert_allclose(made.density.sample_from(noise), made.trained.flow.sample(noise), rtol=1e-10)
    assert {path.name for path in made.bundle.parent.iterdir()} == {"small.llb"}


def test_it_has_learned_the_density(made: DensityResult) -> None:
    assert SAMPLED.heldout.log_density is not None
    truth = SAMPLED.heldout.log_density - CONSTANT
    error = made.density.log_prob(SAMPLED.heldout.values) - truth
    assert abs(np.mean(error)) < 0.1
    assert np.std(error) < 0.3
    assert np.isneginf(made.density.log_prob([[-0.1, 120.0, 0.0], [1.0, 99.0, 0.0]])).all()


def test_the_manifest_says_what_it_is(made: DensityResult) -> None:
    manifest = json.loads((made.bundle / "manifest.json").read_text())
    assert manifest["format_version"] == "1.1.0"
    assert manifest["teacher"]["kind"] == "other"
    assert manifest["teacher"]["text"] == SAMPLED.text
    assert [item["role"] for item in manifest["parameters"]] == ["poi", "nuisance", "nuisance"]
    assert manifest["parameters"][1]["bounds"] == {"lower": 100.0}
    assert manifest["domain"]["lower"][0] >= 0.0
    assert [item["role"] for item in manifest["graphs"]] == ["log_prob", "sample", "score"]
    (metric,) = manifest["validation"]["metrics"]
    assert metric["count"] == 1000
    assert {item["quantity"] for item in manifest["validation"]["sample_metrics"]} >= {"mean_ks", "hpd_68"}
    record = json.loads((made.bundle / "provenance/labels.json").read_text())
    assert record["seed"] == 1


def test_a_truth_without_its_constant_is_called_so(tmp_path: Path) -> None:
    sampled = replace(SAMPLED, log_normalisation=None)
    result = learn_density(sampled, IDENTITY, tmp_path / "free.llb", recipe=replace(RECIPE, steps=60))
    head = (result.bundle / "validation/heldout.csv").read_text().splitlines()[0]
    assert head == "name,mu,mass,alpha,log_prob_unnormalized"
    assert validate(result.bundle).findings == ()


def test_samples_alone_are_enough(tmp_path: Path) -> None:
    heldout = ParameterSamples(PARAMETERS, SAMPLED.heldout.values)
    sampled = replace(SAMPLED, heldout=heldout)
    result = learn_density(sampled, IDENTITY, tmp_path / "alone.llb", recipe=replace(RECIPE, steps=60))
    manifest = json.loads((result.bundle / "manifest.json").read_text())
    assert manifest["validation"]["metrics"] == []
    assert validate(result.bundle).findings == ()


def test_nothing_is_trained_for_a_place_that_is_taken(made: DensityResult) -> None:
    before = (made.bundle / "manifest.json").read_bytes()
    with pytest.raises(FindingError, match="LLB-X002"):
        learn_density(SAMPLED, IDENTITY, made.bundle, recipe=RECIPE)
    assert (made.bundle / "manifest.json").read_bytes() == before


def shifted(n: int, seed: int) -> tuple[ParameterSamples, np.ndarray]:
    """theta normal, x = theta + noise: p(theta | x) is normal around x / 2 with half the variance."""
    generator = np.random.default_rng(seed)
    theta = generator.standard_normal((n, 1))
    seen = theta + generator.standard_normal((n, 1))
    return ParameterSamples((Parameter("theta", "poi"),), theta), seen


def test_a_posterior_under_any_data(tmp_path: Path) -> None:
    (training, seen), (heldout, unseen) = shifted(20_000, 1), shifted(2000, 2)
    sampled = replace(
        SAMPLED,
        training=training,
        heldout=heldout,
        prior=(PriorFactor("theta", "normal", 0.0, 1.0),),
        log_normalisation=None,
        conditions=Conditions((Condition("x", "events"),), seen, unseen),
    )
    recipe = replace(RECIPE, width=32, steps=600)
    result = learn_density(sampled, IDENTITY, tmp_path / "any.llb", recipe=recipe)
    report = validate(result.bundle)
    assert (report.level, list(report.findings)) == (5, [])
    manifest = result.density.manifest
    assert manifest.required_features == ("conditional_inputs",)
    assert (manifest.condition_names, manifest.conditions[0].upper) == (("x",), seen.max())
    for given in (-1.5, 0.0, 2.0):
        drawn = result.density.sample(4000, 1, {"x": given})
        assert drawn.mean() == pytest.approx(given / 2.0, abs=0.1)
        assert drawn.std() == pytest.approx(np.sqrt(0.5), rel=0.06)
    calibration = rank_calibration(result.density, heldout.values, unseen, draws=63)
    assert calibration.p_values[0] > 1e-3


def test_pictures_are_in_the_bundle(made: DensityResult) -> None:
    for name in ("marginals", "corner"):
        assert (made.bundle / f"validation/{name}.png").read_bytes().startswith(b"\x89PNG")
