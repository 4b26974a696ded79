"""From a teacher to a valid bundle of its likelihood, with a small network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from bananas import Banana

from llb.bundle import Analysis, Author
from llb.runtime import profile_density
from llb.validation import validate
from llb_schema import FindingError
from llb_trainer.chains import ParameterSamples
from llb_trainer.export.emit import Identity
from llb_trainer.export.regression import regression_graph, regression_score_graph
from llb_trainer.regression import RegressionRecipe
from llb_trainer.regression_pipeline import RegressionResult, learn_regression

IDENTITY = Identity("banana", "A likelihood", (Author("The LLB developers"),), Analysis("TOY"))
RECIPE = RegressionRecipe(width=32, steps=2500, records=5, batch=128, rounds=1, added=500)
BANANA = Banana(0.4)


def samples(n: int, seed: int) -> ParameterSamples:
    return ParameterSamples(BANANA.parameters, BANANA.drawn(n, seed))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> RegressionResult:
    steps: list[int] = []
    out = tmp_path_factory.mktemp("regression") / "banana.llb"
    result = learn_regression(
        BANANA,
        samples(6000, 1),
        samples(400, 2),
        IDENTITY,
        out,
        recipe=RECIPE,
        sampled={"seed": 1},
        progress=steps.append,
    )
    assert sum(steps) == RECIPE.steps
    return result


def test_the_bundle_is_valid_and_is_the_regression(made: RegressionResult) -> None:
    report = validate(made.bundle)
    assert (report.level, list(report.findings)) == (5, [])
    regression, density = made.trained.regression, made.density
    points = BANANA.drawn(500, 3) * np.repeat([1.0, 5.0], 250)[:, None]
    points = points[density.in_bounds(points)]
    assert len(points) > 300
    expected = regression.log_prob(points)
    np.testing.assert_allclose(density.log_density(points), expected, rtol=1e-12)
    score = density.score(points) * BANANA.scales
    np.testing.assert_allclose(score, regression.score(points) * BANANA.scales, rtol=1e-11, atol=1e-11)
    assert {path.name for path in made.bundle.parent.iterdir()} == {"banana.llb"}


def test_graphs_agree_with_the_plain_numbers_far_beyond(made: RegressionResult) -> None:
    regression = made.trained.regression
    points = BANANA.drawn(50, 4) * np.geomspace(0.1, 1e4, 50)[:, None]
    for graph, expected in (
        (regression_graph(regression), regression.relative(points)[:, None]),
        (regression_score_graph(regression), regression.score(points)),
    ):
        session = onnxruntime.InferenceSession(graph)
        (found,) = session.run(None, {"theta": points})
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())
    assert regression_graph(regression) == regression_graph(regression)


def test_the_manifest_says_what_it_is(made: RegressionResult) -> None:
    manifest = json.loads((made.bundle / "manifest.json").read_text())
    assert manifest["family"] == "parameter_likelihood"
    assert manifest["density"]["kind"] == "likelihood"
    assert manifest["density"]["offset"] == pytest.approx(BANANA.constant, abs=1e-9)
    assert [item["role"] for item in manifest["graphs"]] == ["log_prob", "score"]
    assert manifest["domain"]["lower"][0] >= -4.0
    (metric,) = manifest["validation"]["metrics"]
    assert metric["count"] == 400
    assert metric["median"] < 0.03
    assert json.loads((made.bundle / "provenance/labels.json").read_text())["target"] == "likelihood"


def test_its_profile_is_the_exact_one(made: RegressionResult) -> None:
    values = np.linspace(-2.5, 2.5, 11)
    found = profile_density(made.density, "mu", values)
    # All others follow mu and cost nothing.
    np.testing.assert_allclose(found.log_density, BANANA.constant - 0.5 * values**2, atol=0.05)


def test_samples_of_other_parameters_are_refused(tmp_path: Path) -> None:
    other = ParameterSamples(BANANA.parameters[::-1], BANANA.drawn(100, 1))
    with pytest.raises(FindingError, match="LLB-T050"):
        learn_regression(BANANA, other, samples(10, 2), IDENTITY, tmp_path / "x.llb", recipe=RECIPE)
    assert not list(tmp_path.iterdir())
