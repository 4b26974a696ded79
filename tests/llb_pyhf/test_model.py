"""A bundle in pyhf.infer: fits, test statistics, CLs and limits, against the closed forms of a parabola."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pyhf
import pytest
from pyhf.infer import hypotest, mle
from pyhf.infer.calculators import AsymptoticCalculator
from pyhf.infer.intervals.upper_limits import upper_limit
from pyhf.infer.test_statistics import qmu_tilde

from llb.runtime import load
from llb_conformance import counting_model, parabola_model, write_quadratic
from llb_pyhf import BundleModel
from llb_schema import FindingError

PARABOLA = parabola_model(mu_hat=0.6, sigma=0.5, sigma_asimov=0.55)
SIGNAL = {"SR": 1.0}


@contextmanager
def pyhf_in(backend: str) -> Iterator[None]:
    """pyhf's backend for a while: models of other tests follow, in double precision too, and back."""
    before = pyhf.get_backend()
    double = jax.config.jax_enable_x64
    try:
        with jax.enable_x64(True):
            try:
                pyhf.set_backend(backend, precision="64b")
                yield
            finally:
                pyhf.set_backend(*before)
    finally:
        # Importing pyhf's jax backend switches all of JAX, for good.
        jax.config.update("jax_enable_x64", double)


@pytest.fixture(params=["numpy", "jax"])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with pyhf_in(request.param):
        yield request.param


@pytest.fixture(scope="module", params=["float64", "float32"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = PARABOLA.with_precision(request.param)
    return write_quadratic(model, tmp_path_factory.mktemp("pyhf") / "parabola.llb")


def numbers(value: Any) -> Any:
    return np.asarray(pyhf.get_backend()[0].tolist(value), dtype=float)


@pytest.mark.usefixtures("backend")
def test_cls_and_its_band_are_exact(bundle: Path) -> None:
    model = BundleModel(bundle, SIGNAL)
    observed, band = hypotest(1.2, model.data(), model, return_expected_set=True)
    exact = PARABOLA.exact([1.0], mu=1.2)
    assert float(observed) == pytest.approx(exact.cls_observed, rel=1e-4)
    assert [float(item) for item in band] == pytest.approx(exact.cls_expected, rel=1e-4)


def test_limits_are_exact(backend: str, bundle: Path) -> None:
    model = BundleModel(bundle, SIGNAL)
    exact = PARABOLA.exact([1.0])
    if backend == "numpy":
        observed, expected = upper_limit(model.data(), model)
        assert float(observed) == pytest.approx(exact.upper_limit_observed, rel=1e-4)
        assert [float(item) for item in expected] == pytest.approx(exact.upper_limit_expected, rel=1e-4)
        return
    # Of any model, pyhf's root search does not run under jax 0.10; its scan interpolates linearly.
    near = np.linspace(exact.upper_limit_observed - 0.01, exact.upper_limit_observed + 0.01, 5)
    observed, _ = upper_limit(model.data(), model, scan=near)
    assert float(observed) == pytest.approx(exact.upper_limit_observed, rel=1e-4)


@pytest.mark.usefixtures("backend")
def test_fits_find_the_minimum_and_its_value(bundle: Path) -> None:
    model = BundleModel(bundle, SIGNAL)
    curve = PARABOLA.curve("observed")
    best, twice = mle.fit(model.data(), model, return_fitted_val=True)
    assert numbers(best) == pytest.approx([0.6], abs=1e-5)
    lowest = curve.baseline + float(curve.delta([0.6]))
    assert float(twice) == pytest.approx(2.0 * lowest, rel=1e-7)
    at, twice = mle.fixed_poi_fit(1.5, model.data(), model, return_fitted_val=True)
    assert numbers(at) == pytest.approx([1.5])
    assert float(twice) == pytest.approx(2.0 * (curve.baseline + float(curve.delta([1.5]))), rel=1e-7)
    start, bounds = model.config.suggested_init(), model.config.suggested_bounds()
    statistic = qmu_tilde(1.5, model.data(), model, start, bounds, model.config.suggested_fixed())
    assert float(statistic) == pytest.approx(2.0 * float(curve.delta([1.5]) - curve.delta([0.6])), rel=1e-4)


@pytest.mark.usefixtures("backend")
def test_the_calculator_has_asimov_data_of_its_own(bundle: Path) -> None:
    model = BundleModel(bundle, SIGNAL)
    calculator = AsymptoticCalculator(model.data(), model, test_stat="qtilde")
    calculator.teststatistic(1.0)
    assert float(calculator.sqrtqmuA_v) == pytest.approx(1.0 / 0.55, rel=1e-4)
    assert numbers(model.expected_data([0.0])).tolist() == model.data("observed_asimov")
    parts = [*numbers(model.expected_actualdata([0.0])), *numbers(model.expected_auxdata([0.0]))]
    assert parts == model.data("observed_asimov")
    assert numbers(model.expected_data([0.0], include_auxdata=False)).shape == (model.config.nmaindata,)


@pytest.mark.usefixtures("backend")
def test_a_priori_expectations_are_another_model(tmp_path: Path) -> None:
    model = counting_model()
    path = write_quadratic(model, tmp_path / "counting.llb")
    signal = {"SRlow": 6.0, "SRhigh[0]": 5.0, "SRhigh[1]": 4.0}
    found = BundleModel(path, signal, expected="apriori")
    median = hypotest(1.0, found.data(), found, return_expected=True)[1]
    assert float(median) == pytest.approx(model.exact([6.0, 5.0, 4.0, 0.0]).cls_apriori[2], rel=1e-4)


@pytest.mark.parametrize("strength", [1e-3, 0.1, 10.0])
def test_limits_scale_inversely_with_the_signal(bundle: Path, strength: float) -> None:
    model = BundleModel(bundle, {"SR": strength})
    exact = PARABOLA.exact([strength])
    observed, expected = upper_limit(model.data(), model)
    assert float(observed) == pytest.approx(exact.upper_limit_observed, rel=1e-3)
    assert float(expected[2]) == pytest.approx(exact.upper_limit_expected[2], rel=1e-3)


def test_the_limits_are_those_of_the_loader(tmp_path: Path) -> None:
    model = counting_model()
    loaded = load(write_quadratic(model, tmp_path / "counting.llb"))
    signal = [4.0, 3.0, 5.0, 1.0]
    ours = BundleModel(loaded, signal)
    exact = model.exact(signal)
    observed, _ = upper_limit(ours.data(), ours)
    assert float(observed) == pytest.approx(exact.upper_limit_observed, rel=1e-3)
    assert ours.config.channels == ["SRlow", "SRhigh", "CR"]
    assert ours.config.channel_nbins == {"SRlow": 1, "SRhigh": 2, "CR": 1}


def test_what_a_bundle_does_not_have_is_said(bundle: Path) -> None:
    model = BundleModel(bundle, SIGNAL)
    other = [value + 1.0 for value in model.data()]
    with pytest.raises(ValueError, match="takes no others"):
        model.logpdf([1.0], other)
    with pytest.raises(ValueError, match="no data but its own"):
        model.logpdf([1.0], other[:-1])
    with pytest.raises(NotImplementedError, match="mu = 0 only"):
        model.expected_data([1.0])
    with pytest.raises(NotImplementedError, match="toys"):
        model.make_pdf([1.0])
    with pytest.raises(KeyError):
        model.data("apriori")
    with pytest.raises(KeyError):
        model.config.par_slice("theta")
    with pytest.raises(FindingError, match="LLB-Y001"):
        BundleModel(bundle, {"other": 1.0})


def test_a_bundle_without_the_curves_is_refused(tmp_path: Path) -> None:
    few = parabola_model()
    path = write_quadratic(
        type(few)(few.id, few.bins, few.curves[:2], few.lower, few.upper), tmp_path / "few.llb"
    )
    with pytest.raises(ValueError, match="no curve 'apriori'"):
        BundleModel(path, SIGNAL, expected="apriori")


def test_data_of_ones_own_are_nan_while_jax_traces(tmp_path: Path) -> None:
    model = BundleModel(write_quadratic(PARABOLA, tmp_path / "p.llb"), SIGNAL)
    with pyhf_in("jax"):
        assert np.isnan(numbers(model.logpdf([1.0], [value + 1.0 for value in model.data()]))).all()
        right = numbers(model.logpdf([1.0], model.data()))
    assert right == pytest.approx(numbers(model.logpdf([1.0], model.data())))


def test_importing_changes_no_backend() -> None:
    assert pyhf.get_backend()[0].name == "numpy"
