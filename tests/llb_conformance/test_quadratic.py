from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llb.validation import validate
from llb_conformance import CURVES, QuadraticModel, counting_model, parabola_model, write_quadratic

MODELS = [parabola_model(), counting_model(), counting_model().with_precision("float32")]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_reference_implementation_accepts_the_bundle(model: QuadraticModel, tmp_path: Path) -> None:
    report = validate(write_quadratic(model, tmp_path / "toy.llb"), 5)
    assert report.findings == ()
    assert report.level == 5


def test_published_toy_numbers() -> None:
    # The numbers that Spey 0.2.7 gives for these parabolas through its own short-cut interface.
    exact = parabola_model().exact([1.0], mu=1.2)
    assert 1 - exact.cls_observed == pytest.approx(0.862506, abs=5e-7)
    np.testing.assert_allclose(
        1 - np.array(exact.cls_expected), [0.999364, 0.995388, 0.970877, 0.858989, 0.562177], atol=5e-7
    )
    np.testing.assert_allclose(
        1 - np.array(exact.cls_apriori), [0.999884, 0.998801, 0.989326, 0.928461, 0.703181], atol=5e-7
    )
    assert exact.upper_limit_observed == pytest.approx(1.468294, abs=5e-7)
    assert exact.upper_limit_apriori[2] == pytest.approx(0.921183, abs=5e-7)
    np.testing.assert_allclose(
        exact.upper_limit_expected, [0.57847, 0.77660, 1.07798, 1.49995, 2.01079], atol=1e-5
    )


def test_limits_are_where_cls_is_one_minus_the_level() -> None:
    model = counting_model()
    signal = [4.0, 2.0, 3.0, 0.5]
    upper = model.exact(signal, level=0.9)
    assert model.exact(signal, mu=upper.upper_limit_observed).cls_observed == pytest.approx(0.1, rel=1e-12)
    for place in range(5):
        at = model.exact(signal, mu=upper.upper_limit_expected[place])
        assert at.cls_expected[place] == pytest.approx(0.1, rel=1e-12)


def test_curves_are_zero_at_zero_and_asimov_curves_lowest_there() -> None:
    model = counting_model()
    points = np.random.default_rng(3).uniform(0.0, 20.0, (50, len(model.bins)))
    for name in CURVES:
        assert model.curve(name).delta(np.zeros(len(model.bins))) == 0.0
    assert np.all(model.curve("observed_asimov").delta(points) > 0.0)
    assert np.any(model.curve("observed").delta(points) < 0.0), "the data should prefer some signal"


def test_a_stated_error_is_accepted_with_its_claims(tmp_path: Path) -> None:
    for precision in ("float64", "float32"):
        model = counting_model().with_spread(observed=1e-3, apriori=2e-3).with_precision(precision)
        path = write_quadratic(model, tmp_path / f"{precision}.llb")
        assert validate(path).findings == ()
