from __future__ import annotations

import cProfile
import tracemalloc
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pyhf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper
from regraph import graph, poisson_graph, replace_graph
from scipy.stats import norm

from llb.runtime import Limits, ProfileLikelihood, limits, load, rays
from llb.runtime.splines import stack_splines
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


@pytest.mark.requirement("DOMAIN-3")
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


@pytest.mark.requirement("MU-1")
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


def test_signals_of_a_patchset_share_the_calls_of_the_graph(model: ProfileLikelihood) -> None:
    signals = np.random.default_rng(4).uniform(0.0, 6.0, (57, 4))

    def calls(n: int) -> int:
        with cProfile.Profile() as profile:
            assert len(limits(model, signals[:n])) == n
        return sum(
            item.callcount
            for item in profile.getstats()
            if not isinstance(item.code, str) and item.code.co_qualname == "GraphSession.run_outputs"
        )

    # Some signals need a longer ladder; alone, each of them would take eight calls.
    assert 0 < calls(57) < 57 / 2


def kinked(tmp_path: Path, curves: list[tuple[float, ...]], **domain: object) -> ProfileLikelihood:
    """A model with min(a (s - m)^2, b (s - n)^2 + c) - a m^2 in each column, given (a, m, b, n, c)."""
    a, m, b, n, c = np.array([curves[0], curves[1], curves[2], curves[2]]).T[:, np.newaxis, :]
    constants = {"a": a, "am": -2 * a * m, "b": b, "bn": -2 * b * n, "c": b * n**2 + c - a * m**2}
    nodes = [
        helper.make_node("Mul", ["signal", "signal"], ["square"]),
        helper.make_node("MatMul", ["square", "a"], ["a_square"]),
        helper.make_node("MatMul", ["signal", "am"], ["a_line"]),
        helper.make_node("Add", ["a_square", "a_line"], ["steep"]),
        helper.make_node("MatMul", ["square", "b"], ["b_square"]),
        helper.make_node("MatMul", ["signal", "bn"], ["b_line"]),
        helper.make_node("Add", ["b_square", "b_line"], ["flat"]),
        helper.make_node("Add", ["flat", "c"], ["second"]),
        helper.make_node("Min", ["steep", "second"], ["delta_nll"]),
    ]
    bundle = write_quadratic(parabola_model(), Path(mkdtemp(dir=tmp_path)) / "kinked.llb")
    return load(replace_graph(bundle, graph(nodes, constants, 1, 4), domain={"lower": [0.0], **domain}))


def brute_force_limits(curves: list[tuple[float, ...]], top: float) -> NDArray[np.float64]:
    """The eleven limits on one event, from CLs at many points and the textbook formulae."""
    mu = top * np.linspace(0.0, 1.0, 40_001) ** 2
    observed, posterior, prior = (
        np.minimum(a * (mu - m) ** 2 - a * m**2, b * (mu - n) ** 2 + c - a * m**2) for a, m, b, n, c in curves
    )
    best = np.argmin(observed)
    q = np.where(mu >= mu[best], 2 * (observed - observed[best]), 0.0)
    r, r_a, r_prior = np.sqrt(q), *(np.sqrt(2 * np.maximum(curve, 0.0)) for curve in (posterior, prior))
    with np.errstate(divide="ignore", invalid="ignore"):
        far_b, far_sb = (q - r_a**2) / (2 * r_a), (q + r_a**2) / (2 * r_a)
    far = q > r_a**2
    cls = [norm.sf(np.where(far, far_sb, r)) / norm.sf(np.where(far, far_b, r - r_a))]
    cls += [norm.sf(root - n) / norm.cdf(n) for root in (r_a, r_prior) for n in (-2, -1, 0, 1, 2)]
    return np.array([mu[np.flatnonzero(~(values <= 0.05))[-1]] for values in cls])


steep, flat = st.floats(0.3, 2.0), st.floats(0.05, 0.2)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(steep, st.floats(-1.0, 2.0), flat, st.floats(0.0, 0.5), st.floats(0.5, 3.0)),
    st.tuples(steep, st.just(0.0), flat, st.floats(0.0, 0.2), st.floats(0.5, 3.0)),
    st.floats(1e-6, 1e6),
)
def test_kinks_and_any_scale_equal_brute_force(
    tmp_path: Path, observed: tuple[float, ...], asimov: tuple[float, ...], strength: float
) -> None:
    curves = [observed, asimov, asimov]
    model = kinked(tmp_path, curves, upper=[40.0])
    # Neighbours with other rays must not matter.
    one, _, other = limits(model, np.array([[strength], [0.0], [1.0]]))
    for found, scale in ((one, strength), (other, 1.0)):
        bands = (found.upper_limit_observed, *found.upper_limit_expected, *found.upper_limit_apriori)
        np.testing.assert_allclose(np.array(bands) * scale, brute_force_limits(curves, 40.0), rtol=2e-3)
        assert not any("upper_limit" in flag for flag in found.flags)


@pytest.mark.requirement("DOMAIN-3")
def test_a_best_fit_at_the_edge_of_the_domain_is_flagged(tmp_path: Path) -> None:
    exact = parabola_model(mu_hat=3.0, upper=1.0)
    found = limits(load(write_quadratic(exact, tmp_path / "toy.llb")), np.array([[1.0]]), mu=0.5)[0]
    assert found.mu_hat == 1.0
    assert "beyond_domain:mu_hat" in found.flags
    assert not found.in_domain
    # q is 0 below the best fit, wherever that is.
    assert found.cls_observed == pytest.approx(exact.exact([1.0], mu=0.5).cls_observed, rel=1e-7)


@pytest.mark.parametrize("cut", [1.9, 8.0, 1e4])
def test_a_truncation_moves_the_edge_and_not_the_numbers(tmp_path: Path, cut: float) -> None:
    exact = replace(counting_model(), delta_nll_max=cut)
    signal = np.array([2.0, 3.0, 1.0, 0.5])
    model = load(write_quadratic(exact, tmp_path / "toy.llb"))
    found, edge = limits(model, signal[np.newaxis])[0], rays(model, signal[np.newaxis]).mu_edge[0]
    np.testing.assert_allclose(numbers(found), numbers(exact.exact(signal)), rtol=1e-6)
    beyond = {flag for flag in found.flags if flag.startswith("beyond_domain:upper_limit_apriori")}
    assert len(beyond) == sum(limit > edge for limit in found.upper_limit_apriori)
    assert found.in_domain == (not found.flags)


def test_what_is_never_excluded_is_said_to_come_from_beyond_the_domain(tmp_path: Path) -> None:
    # Flat from zero on: only the continuation could exclude it, too far away to look.
    constants = {"w": np.zeros((1, 4))}
    model = graph([helper.make_node("MatMul", ["signal", "w"], ["delta_nll"])], constants, 1, 4)
    bundle = replace_graph(write_quadratic(parabola_model(), tmp_path / "toy.llb"), model)
    found = limits(load(bundle), np.array([[1.0]]))[0]
    assert found.upper_limit_observed == np.inf
    assert {"no_limit:upper_limit_observed", "beyond_domain:upper_limit_observed"} <= set(found.flags)
    assert not found.in_domain


def test_a_level_of_nothing_excludes_everything(model: ProfileLikelihood) -> None:
    found = limits(model, np.ones((1, 4)), level=1e-20)[0]
    assert found.upper_limit_apriori[2] < 1e-12


@pytest.mark.parametrize("mu", [1e-308, 1e100, 1e308])
def test_extreme_strengths_give_numbers_and_no_warnings(model: ProfileLikelihood, mu: float) -> None:
    strong, weak = limits(model, np.array([[1.0] * 4, [1e-12] * 4]), mu=mu)
    for found in (strong, weak):
        assert found.cls_observed == pytest.approx(float(mu < 1.0), abs=1e-12)


def test_noise_of_the_graph_costs_no_memory_that_grows_with_it() -> None:
    # One ray that refinement gave up on: 40000 points times 4000 nodes would be a gigabyte.
    nodes = [np.linspace(0.0, 1.0, 4097)] * 2
    splines = stack_splines(nodes, [node[:, np.newaxis] ** 2 for node in nodes], np.array([True, True]))
    index = np.zeros(40_000, dtype=np.intp)
    tracemalloc.start()
    try:
        splines(index, np.linspace(0.0, 2.0, index.size), 0)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_names_have_to_fit(model: ProfileLikelihood) -> None:
    with pytest.raises(ValueError, match="1 names for 2 signals"):
        limits(model, np.ones((2, 4)), names=["a"])


def test_signals_with_nan_are_refused(model: ProfileLikelihood) -> None:
    with pytest.raises(FindingError, match="LLB-Y004") as caught:
        limits(model, np.array([[1.0] * 4, [np.nan] * 4]))
    assert [item.pointer for item in caught.value.findings] == ["signals/1"]


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
