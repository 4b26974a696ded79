from __future__ import annotations

import gc
import os
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ["SPEY_CHECKUPDATE"] = "OFF"

import spey
from regraph import poisson_graph, replace_graph
from spey import ExpectationType, UnCorrStatisticsCombiner

from llb.runtime import ProfileLikelihood, limits, load
from llb_conformance import QuadraticModel, counting_model, parabola_model, write_quadratic
from llb_schema import FindingError
from llb_spey import ASIMOV_TOKEN, ProfileLikelihoodBackend
from llb_spey.kept import MAX_RAYS

NAME = "llb.profile_likelihood"
OBSERVED, APRIORI, APOSTERIORI = (
    ExpectationType.observed,
    ExpectationType.apriori,
    ExpectationType.aposteriori,
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    return load(write_quadratic(counting_model(), tmp_path_factory.mktemp("spey") / "toy.llb"))


def statistical_model(bundle: Any, signal: Any, **options: Any) -> Any:
    return spey.get_backend(NAME)(bundle=bundle, signal_yields=signal, **options)


def test_spey_finds_the_plugin() -> None:
    assert NAME in spey.AvailableBackends()
    assert spey.get_backend_metadata(NAME)["version"] == ProfileLikelihoodBackend.version


@pytest.mark.parametrize("scale", [1.0, 1e-3, 10.0])
@pytest.mark.parametrize(
    "exact", [parabola_model(), counting_model().with_precision("float32")], ids=lambda m: m.id
)
def test_limits_equal_the_closed_form_and_llb_limit(
    exact: QuadraticModel, scale: float, tmp_path: Path
) -> None:
    bundle = load(write_quadratic(exact, tmp_path / "toy.llb"))
    signal = dict.fromkeys(exact.bin_ids, 3.0 * scale)
    model = statistical_model(bundle, signal)
    ours, truth = limits(bundle, bundle.signal(signal)[np.newaxis])[0], exact.exact(exact.vector(signal))
    for found in (
        (model.poi_upper_limit(expected=OBSERVED), ours.upper_limit_observed, truth.upper_limit_observed),
        (model.poi_upper_limit(expected=APRIORI), ours.upper_limit_apriori[2], truth.upper_limit_apriori[2]),
        (
            model.poi_upper_limit(expected=APOSTERIORI),
            ours.upper_limit_expected[2],
            truth.upper_limit_expected[2],
        ),
    ):
        np.testing.assert_allclose(found[0], found[1:], rtol=1e-4)
    band = model.poi_upper_limit(expected=APOSTERIORI, expected_pvalue="2sigma")
    np.testing.assert_allclose(band, ours.upper_limit_expected, rtol=1e-4)
    assert 1 - model.exclusion_confidence_level()[0] == pytest.approx(ours.cls_observed, rel=1e-4, abs=1e-9)
    np.testing.assert_allclose(
        1 - np.array(model.exclusion_confidence_level(expected="apriori")),
        ours.cls_apriori,
        rtol=1e-4,
        atol=1e-9,
    )


def test_a_likelihood_that_is_no_parabola(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    graph = poisson_graph([14.0, 10.5, 10.5, 10.5], 10.5)
    model = load(replace_graph(bundle, graph, domain={"lower": [-9.0], "upper": [60.0]}))
    ours = limits(model, np.array([[2.0]]))[0]
    theirs = statistical_model(model, {"SR": 2.0})
    assert theirs.poi_upper_limit() == pytest.approx(ours.upper_limit_observed, rel=1e-4)
    assert theirs.poi_upper_limit(expected=APOSTERIORI) == pytest.approx(
        ours.upper_limit_expected[2], rel=1e-4
    )
    assert theirs.maximize_likelihood()[0] == pytest.approx(1.75, rel=1e-4)


def test_two_models_combine(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    parts = [statistical_model(bundle, {"SR": 1.0}, analysis=name) for name in ("one", "two")]
    # Twice the curvature of every parabola: the same best fit, widths smaller by the square root of 2.
    widths = dict(zip(("sigma", "sigma_asimov", "sigma_apriori_asimov"), (0.5, 0.55, 0.47), strict=True))
    exact = parabola_model(**{name: value / np.sqrt(2) for name, value in widths.items()}).exact([1.0])
    combined = UnCorrStatisticsCombiner(*parts)
    assert combined.poi_upper_limit() == pytest.approx(exact.upper_limit_observed, rel=1e-4)
    assert combined.poi_upper_limit(expected=APRIORI) == pytest.approx(exact.upper_limit_apriori[2], rel=1e-4)
    assert combined.poi_upper_limit(expected=APOSTERIORI) == pytest.approx(
        exact.upper_limit_expected[2], rel=1e-4
    )


def test_the_likelihood_has_all_constants_and_a_consistent_gradient(model: ProfileLikelihood) -> None:
    signal = dict.fromkeys(model.bin_ids, 2.0)
    theirs = statistical_model(model, signal)
    for expected, curve in ((OBSERVED, "observed"), (APOSTERIORI, "observed"), (APRIORI, "apriori")):
        direct = model.nll(0.8 * model.signal(signal)[np.newaxis])[curve][0]
        assert theirs.likelihood(poi_test=0.8, expected=expected) == pytest.approx(direct, rel=1e-12)
    backend = theirs.backend
    objective = backend.get_objective_function(do_grad=True)
    value, gradient = objective(np.array([0.8]))
    assert value == pytest.approx(-backend.get_logpdf_func()(np.array([0.8])), rel=1e-14)
    step = 1e-4
    numerical = (objective(np.array([0.8 + step]))[0] - objective(np.array([0.8 - step]))[0]) / (2 * step)
    assert gradient[0] == pytest.approx(numerical, rel=1e-6)
    bend = (objective(np.array([0.8 + step]))[1] - objective(np.array([0.8 - step]))[1]) / (2 * step)
    assert backend.get_hessian_logpdf_func()(np.array([0.8]))[0, 0] == pytest.approx(-bend[0], rel=1e-6)
    assert backend.get_objective_function(do_grad=False)([0.8]) == value


def test_what_the_bundle_does_not_have_is_refused_by_name(model: ProfileLikelihood) -> None:
    theirs = statistical_model(model, dict.fromkeys(model.bin_ids, 2.0))
    backend = theirs.backend
    assert backend.expected_data([0.0]) == [ASIMOV_TOKEN]
    with pytest.raises(NotImplementedError, match="background-only"):
        backend.expected_data([1.0])
    with pytest.raises(NotImplementedError, match="data of one's own"):
        backend.get_logpdf_func(data=[1.0, 2.0, 3.0, 4.0])
    with pytest.raises(NotImplementedError, match="data of one's own"):
        backend.get_objective_function(data=np.array([12.0]))
    with pytest.raises(NotImplementedError, match="toys"):
        backend.get_sampler([1.0])
    with pytest.raises(NotImplementedError, match="significances"):
        theirs.significance()


def test_expectations_may_be_strings(model: ProfileLikelihood) -> None:
    backend = statistical_model(model, dict.fromkeys(model.bin_ids, 2.0)).backend
    for word, kind in (
        ("observed", OBSERVED),
        ("apriori", APRIORI),
        ("aposteriori", APOSTERIORI),
        ("all", OBSERVED),
    ):
        assert backend.get_logpdf_func(word)([0.5]) == backend.get_logpdf_func(kind)([0.5])
    assert backend.get_logpdf_func(APRIORI)([0.5]) != backend.get_logpdf_func(OBSERVED)([0.5])


def test_extreme_signal_strengths_are_finite_and_ordered(model: ProfileLikelihood) -> None:
    backend = statistical_model(model, dict.fromkeys(model.bin_ids, 2.0)).backend
    objective = backend.get_objective_function(data=[ASIMOV_TOKEN], do_grad=False)
    values = [objective([mu]) for mu in np.geomspace(1e-10, 1e5, 80)]
    assert np.all(np.isfinite(values))
    assert np.all(np.diff(values) >= 0)
    assert backend.in_domain(1.0)
    assert not backend.in_domain(1e5)


def test_the_configuration_is_new_each_time_and_bounded_by_the_domain(tmp_path: Path) -> None:
    backend = statistical_model(write_quadratic(parabola_model(), tmp_path / "toy.llb"), {"SR": 2.0}).backend
    one, other = backend.config(), backend.config(allow_negative_signal=False, poi_upper_bound=0.1)
    assert one.suggested_init is not backend.config().suggested_init
    assert one.suggested_bounds == [(pytest.approx(-1.5), pytest.approx(3.0))]
    assert other.suggested_bounds == [(0.0, pytest.approx(3.0))]
    assert one.npar == 1


def test_a_zero_signal_is_not_alive(model: ProfileLikelihood) -> None:
    theirs = statistical_model(model, dict.fromkeys(model.bin_ids, 0.0))
    assert not theirs.is_alive
    assert theirs.poi_upper_limit() == np.inf


def test_bad_signals_and_bundles_are_findings(model: ProfileLikelihood, tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="LLB-Y002"):
        ProfileLikelihoodBackend(model, {"SRlow": 1.0})
    with pytest.raises(FindingError, match="LLB-L001"):
        ProfileLikelihoodBackend(model, [1.0, -1.0, 1.0, 0.0])
    with pytest.raises(FindingError, match="LLB-A"):
        ProfileLikelihoodBackend(tmp_path / "none.llb", {})


def test_a_scan_leaves_small_objects_only(model: ProfileLikelihood) -> None:
    signals = np.random.default_rng(1)

    def scan(points: int) -> list[ProfileLikelihoodBackend]:
        return [ProfileLikelihoodBackend(model, signals.uniform(0.1, 5.0, 4)) for _ in range(points)]

    tracemalloc.start()
    try:
        # From here on as many curves come as go, and Spey would keep all backends.
        kept = scan(MAX_RAYS)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        kept += scan(2 * MAX_RAYS)
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / (2 * MAX_RAYS)
    finally:
        tracemalloc.stop()
    assert len(kept) == 3 * MAX_RAYS
    assert each < 1500


def test_curves_that_were_dropped_come_back_the_same(model: ProfileLikelihood) -> None:
    first = ProfileLikelihoodBackend(model, [1.0, 2.0, 3.0, 0.5])
    before = [first.get_logpdf_func(data=data)([mu]) for data in (None, [ASIMOV_TOKEN]) for mu in (0.3, 7.0)]
    for number in range(MAX_RAYS):
        ProfileLikelihoodBackend(model, [1.0, 2.0, 3.0, 1.0 + number])
    after = [first.get_logpdf_func(data=data)([mu]) for data in (None, [ASIMOV_TOKEN]) for mu in (0.3, 7.0)]
    assert before == after


def test_a_bundle_that_is_opened_again_is_the_same_model(tmp_path: Path) -> None:
    path = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    one, two = (ProfileLikelihoodBackend(path, {"SR": 1.0}) for _ in range(2))
    assert one._model is two._model
    # Another bundle in its place: its own numbers, not those of before.
    shutil.rmtree(path)
    other = write_quadratic(parabola_model(sigma=1.0), path)
    three = ProfileLikelihoodBackend(other, {"SR": 1.0})
    assert three.get_logpdf_func()([2.0]) > one.get_logpdf_func()([2.0])
