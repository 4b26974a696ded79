from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from regraph import poisson_graph, replace_graph

from llb.runtime import Limits, ProfileLikelihood, limits, load, rays
from llb_conformance import QuadraticModel, counting_model, parabola_model, write_quadratic
from llb_schema import FindingError

EXACT = counting_model()
NUMBERS = (
    "cls_observed",
    "cls_expected",
    "cls_apriori",
    "upper_limit_observed",
    "upper_limit_expected",
    "upper_limit_apriori",
    "mu_hat",
)
yields = st.tuples(*[st.floats(0.0, 8.0)] * 4).filter(lambda signal: sum(signal) > 0.1)


def numbers(found: object) -> NDArray[np.float64]:
    values = asdict(found)  # type: ignore[call-overload]
    return np.concatenate([np.atleast_1d(values[name]) for name in NUMBERS])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    return load(write_quadratic(EXACT, tmp_path_factory.mktemp("limits") / "toy.llb"))


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(
    "exact", [parabola_model(), counting_model(), counting_model(seed=5)], ids=["one", "four", "other"]
)
def test_equal_to_the_closed_form(exact: QuadraticModel, precision: str, tmp_path: Path) -> None:
    exact = exact.with_precision(precision)
    model = load(write_quadratic(exact, tmp_path / "toy.llb"))
    signals = np.random.default_rng(0).uniform(0.1, 5.0, (8, len(exact.bins)))
    tolerance = 1e-7 if precision == "float64" else 3e-5
    for signal, found in zip(signals, limits(model, signals, mu=0.7, level=0.9), strict=True):
        np.testing.assert_allclose(
            numbers(found), numbers(exact.exact(signal, mu=0.7, level=0.9)), rtol=tolerance, atol=1e-9
        )


@pytest.mark.parametrize("observed", [4, 10, 17])
def test_equal_to_pyhf_on_a_counting_experiment(observed: int, tmp_path: Path) -> None:
    background, signal = 10.5, 6.0
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    graph = poisson_graph([observed, background, background, background], background)
    model = load(replace_graph(bundle, graph, domain={"lower": [-9.0], "upper": [60.0]}))
    found = limits(model, np.array([[signal]]))[0]
    spec = {
        "channels": [
            {
                "name": "SR",
                "samples": [
                    {"name": "background", "data": [background], "modifiers": []},
                    {
                        "name": "signal",
                        "data": [signal],
                        "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
                    },
                ],
            }
        ]
    }
    peer = pyhf.Model(spec, poi_name="mu")
    cls, band = pyhf.infer.hypotest(1.0, [observed], peer, test_stat="qtilde", return_expected_set=True)
    upper, uppers = pyhf.infer.intervals.upper_limits.upper_limit([observed], peer, rtol=1e-8)
    assert found.cls_observed == pytest.approx(float(cls), rel=1e-4)
    assert found.upper_limit_observed == pytest.approx(float(upper), rel=1e-4)
    np.testing.assert_allclose(found.cls_expected, np.array(band, dtype=float), rtol=1e-4)
    np.testing.assert_allclose(found.upper_limit_expected, np.array(uppers, dtype=float), rtol=1e-4)
    # Data equal to the nominal background: the a-priori band is the a-posteriori one.
    np.testing.assert_allclose(found.upper_limit_apriori, found.upper_limit_expected, rtol=1e-9)


def test_zero_signal_is_never_excluded(model: ProfileLikelihood) -> None:
    found = limits(model, np.zeros((1, 4)))[0]
    assert found.cls_observed == 1.0
    assert found.cls_expected == (1.0,) * 5
    assert found.upper_limit_observed == np.inf
    assert found.upper_limit_apriori == (np.inf,) * 5
    assert found.mu_hat == 0.0
    assert found.in_domain
    assert "zero_signal" in found.flags


def test_numbers_from_beyond_the_domain_are_flagged_one_by_one(tmp_path: Path) -> None:
    exact = parabola_model(upper=1.3)
    found = limits(load(write_quadratic(exact, tmp_path / "toy.llb")), np.array([[1.0]]), names=["s"])[0]
    beyond = {flag for flag in found.flags if flag.startswith("beyond_domain")}
    assert beyond == {
        "beyond_domain:upper_limit_observed",
        "beyond_domain:upper_limit_expected[+1]",
        "beyond_domain:upper_limit_expected[+2]",
        "beyond_domain:upper_limit_apriori[+2]",
    }
    assert not found.in_domain
    # A parabola is continued as itself.
    np.testing.assert_allclose(numbers(found), numbers(exact.exact([1.0])), rtol=1e-7)


def test_a_ray_that_leaves_the_domain_at_once_gives_no_numbers_but_a_finding(
    model: ProfileLikelihood,
) -> None:
    good, bad = limits(model, np.array([[1.0, 2.0, 3.0, 0.0], [1.0, -0.1, 3.0, 0.0]]), names=["good", "bad"])
    assert np.all(np.isfinite(numbers(good)))
    assert np.all(np.isnan(numbers(bad)))
    assert not bad.in_domain
    assert bad.flags == ("not_a_number",)
    assert [item.code for item in bad.findings] == ["LLB-L001"]
    assert "SRhigh[0]" in bad.findings[0].message
    assert bad.findings[0].pointer == "bad"
    assert good.findings == ()


def test_a_graph_that_returns_nan_spoils_only_its_own_signal(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    graph = poisson_graph([12.0, 10.5, 10.5, 10.5], 10.5)
    # The domain claims more than the logarithm can do.
    model = load(replace_graph(bundle, graph, domain={"lower": [-20.0], "upper": [60.0]}))
    found = limits(model, np.array([[3.0]]))[0]
    assert np.isnan(found.upper_limit_observed)
    assert [item.code for item in found.findings] == ["LLB-L002"]


@settings(deadline=None, max_examples=25)
@given(yields)
def test_cls_falls_with_mu(model: ProfileLikelihood, signal: tuple[float, ...]) -> None:
    ray = rays(model, np.array([signal]))
    values = [limits(ray, mu=mu)[0].cls_observed for mu in np.geomspace(1e-3, 30.0, 12)]
    assert np.all(np.diff(values) <= 1e-12)


@settings(deadline=None, max_examples=25)
@given(yields, st.floats(1e-3, 1e3))
def test_limits_scale_inversely_with_the_signal(
    model: ProfileLikelihood, signal: tuple[float, ...], factor: float
) -> None:
    vector = np.array(signal)
    one, other = limits(model, np.array([vector, factor * vector]))
    assert other.upper_limit_observed * factor == pytest.approx(one.upper_limit_observed, rel=1e-6)
    np.testing.assert_allclose(
        np.array(other.upper_limit_expected) * factor, one.upper_limit_expected, rtol=1e-6
    )
    assert other.mu_hat * factor == pytest.approx(one.mu_hat, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(yields, st.permutations(range(4)))
def test_the_order_of_named_bins_does_not_matter(
    model: ProfileLikelihood, signal: tuple[float, ...], order: list[int]
) -> None:
    straight = dict(zip(model.bin_ids, signal, strict=True))
    shuffled = {model.bin_ids[place]: signal[place] for place in order}
    np.testing.assert_array_equal(model.signal(shuffled), model.signal(straight))


def test_neighbours_do_not_influence_each_other(model: ProfileLikelihood) -> None:
    signals = np.random.default_rng(4).uniform(0.0, 6.0, (300, 4))
    together = limits(model, signals)
    for row in (0, 255, 256, 299):
        alone = limits(model, signals[row : row + 1])[0]
        np.testing.assert_allclose(numbers(together[row]), numbers(alone), rtol=1e-7)
    assert [item.name for item in together] == [str(row) for row in range(300)]


def test_a_patchset_of_57_signals_takes_well_below_a_second(model: ProfileLikelihood) -> None:
    signals = np.random.default_rng(4).uniform(0.0, 6.0, (57, 4))
    limits(model, signals[:2])
    begin = time.perf_counter()
    assert len(limits(model, signals)) == 57
    assert time.perf_counter() - begin < 0.7


@pytest.mark.parametrize(("mu", "level"), [(0.0, 0.95), (-1.0, 0.95), (np.nan, 0.95), (1.0, 0.0), (1.0, 1.0)])
def test_senseless_requests_are_refused(model: ProfileLikelihood, mu: float, level: float) -> None:
    with pytest.raises(ValueError, match="mu must be positive"):
        limits(model, np.ones((1, 4)), mu=mu, level=level)


def test_signals_of_the_wrong_width_are_refused(model: ProfileLikelihood) -> None:
    with pytest.raises(FindingError, match="LLB-Y005"):
        limits(model, np.ones((2, 3)))


def test_the_result_is_frozen(model: ProfileLikelihood) -> None:
    found: Limits = limits(model, np.ones((1, 4)))[0]
    with pytest.raises(AttributeError):
        found.mu_hat = 3.0  # type: ignore[misc]
