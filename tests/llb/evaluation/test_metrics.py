from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from llb.bundle import Metric, read_bundle
from llb.evaluation import Comparison, accuracy, compare_heldout, read_heldout, running_quantiles
from llb.runtime import load
from llb_conformance import counting_model, write_quadratic
from llb_schema import FindingError


def compared(truth: list[float], error: list[float]) -> Comparison:
    exact = np.array(truth)
    return Comparison("observed", exact, exact + np.array(error))


def by_region(comparison: Comparison) -> dict[str, Metric]:
    return {metric.region: metric for metric in accuracy([comparison])}


@pytest.mark.requirement("CLAIM-1")
def test_regions_are_those_of_the_specification() -> None:
    found = by_region(compared([-0.5, -0.05, 0.0, 0.099, 0.1, 6.0, 6.1, 20.0], [1, 2, 3, 4, 5, 6, 7, 8]))
    assert {region: metric.count for region, metric in found.items()} == {
        "decision": 6,
        "tail": 2,
        "near_zero": 3,
        "all": 8,
    }
    assert found["near_zero"].median == pytest.approx(3.0)
    assert found["tail"].median == pytest.approx(7.5)
    assert found["decision"].max == pytest.approx(6.0)


@pytest.mark.requirement("CLAIM-1")
def test_quantiles_are_of_the_absolute_error() -> None:
    error = np.arange(1001) / 1000 * np.where(np.arange(1001) % 2, -1, 1)
    metric = by_region(compared([1.0] * 1001, error.tolist()))["all"]
    assert (metric.median, metric.p95, metric.p99, metric.max) == pytest.approx((0.5, 0.95, 0.99, 1.0))


def test_regions_without_a_point_are_left_out() -> None:
    assert set(by_region(compared([10.0], [0.1]))) == {"tail", "all"}


def test_running_quantiles_follow_the_error_along_the_truth() -> None:
    truth = np.random.default_rng(3).permutation(np.linspace(0.0, 10.0, 4001))
    item = Comparison("observed", truth, truth + 0.01 * truth)
    centre, (median, high) = running_quantiles(item, (0.5, 0.95), bins=8)
    assert len(centre) == 8
    assert np.all(np.diff(centre) > 0)
    np.testing.assert_allclose(median, 0.01 * centre, rtol=1e-6)
    assert np.all(high > median)


@pytest.mark.parametrize("size", [1, 9, 25])
def test_few_points_make_few_bins(size: int) -> None:
    points: NDArray[np.float64] = np.arange(float(size))
    centre, quantiles = running_quantiles(Comparison("observed", points, points), (0.5,))
    assert len(centre) == max(1, size // 10)
    assert quantiles.shape == (1, len(centre))


def test_the_claims_of_another_hand_are_recomputed(tmp_path: Path) -> None:
    """Bundles that the conformance package writes from the specification carry their own metrics."""
    model = load(write_quadratic(counting_model(), tmp_path / "toy.llb"))
    found = {(item.curve, item.region): item for item in accuracy(compare_heldout(model))}
    claimed = {(item.curve, item.region): item for item in model.bundle.manifest.validation.metrics}
    assert claimed
    assert found.keys() == claimed.keys()
    for key, item in claimed.items():
        assert found[key].count == item.count
        assert found[key].max == pytest.approx(item.max, abs=1e-12)


def test_the_heldout_table_comes_back_by_column(tmp_path: Path) -> None:
    model = counting_model()
    heldout = read_heldout(read_bundle(write_quadratic(model, tmp_path / "toy.llb")))
    exact = np.stack([curve.delta(heldout.signals) for curve in model.own_curves], axis=1)
    np.testing.assert_array_equal(heldout.delta, exact)
    assert heldout.names[0] == "point-0"


def test_a_changed_table_is_not_read(tmp_path: Path) -> None:
    bundle = write_quadratic(counting_model(), tmp_path / "toy.llb")
    table = bundle / "validation" / "heldout.csv"
    table.write_bytes(table.read_bytes().replace(b"point-1,", b"point-x,"))
    with pytest.raises(FindingError, match="LLB-I001"):
        read_heldout(read_bundle(bundle))
