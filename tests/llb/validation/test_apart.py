from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from llb.bundle import BundleFile
from llb.runtime import load
from llb.validation.apart import Distance, distance
from llb_conformance import parabola_model, write_quadratic
from llb_schema import FindingError

POINTS = np.array([list(case["signal"].values()) for case in bundles.vectors()["cases"]])
NAMES = [case["name"] for case in bundles.vectors()["cases"]]


def graph(constant: str, factor: float) -> dict[str, BundleFile]:
    """The graph with one of its constants multiplied."""
    model = onnx.load_from_string(bundles.graph_model().SerializeToString())
    (tensor,) = (item for item in model.graph.initializer if item.name == constant)
    tensor.CopyFrom(numpy_helper.from_array(factor * numpy_helper.to_array(tensor), constant))
    return {bundles.GRAPH: BundleFile(model.SerializeToString(), "graph", "application/octet-stream")}


def between(first: Path, second: Path) -> Distance:
    return distance(load(first), load(second))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "plain.llb")


def test_a_bundle_is_not_apart_from_itself(plain: Path) -> None:
    found = between(plain, plain)
    assert (found.cases, found.outside) == (6, 0)
    assert [(item.curve, item.largest) for item in found.curves] == [
        (name, 0.0) for name in ("observed", "observed_asimov", "apriori", "apriori_asimov")
    ]


def test_the_largest_difference_by_curve(plain: Path, tmp_path: Path) -> None:
    found = between(plain, bundles.write(tmp_path / "x.llb", replace=graph("data", 1.01)))
    for item in found.curves[:3]:
        data, rate = (np.array(part) for part in bundles.CURVES[item.curve])
        by_hand = np.abs(0.01 * (data * np.log1p(POINTS / rate)).sum(axis=1))
        assert item.largest == pytest.approx(by_hand.max(), rel=1e-9)
        assert item.case == NAMES[int(by_hand.argmax())]
        assert abs(item.second - item.first) == item.largest
    assert found.curves[3].largest == found.curves[2].largest


def test_a_number_that_is_none_is_infinitely_far(plain: Path, tmp_path: Path) -> None:
    found = between(plain, bundles.write(tmp_path / "x.llb", replace=graph("inverse_rate", -10.0)))
    assert [item.largest for item in found.curves] == [math.inf] * 4
    assert all(math.isfinite(item.first) and math.isnan(item.second) for item in found.curves)


def test_yields_are_taken_by_bin_id(plain: Path, tmp_path: Path) -> None:
    def swap(document: dict[str, Any]) -> None:
        for item in document["inputs"]:
            item["column"] = (1, 0, 2)[item["column"]]
        for curve in document["curves"]:
            main = curve["data"]["main"]
            main[0], main[1] = main[1], main[0]

    # The graph is the same, so the first two bins have changed places.
    found = between(plain, bundles.write(tmp_path / "x.llb", swap))
    by_hand = np.abs(bundles.truth(POINTS[:, [1, 0, 2]]) - bundles.truth(POINTS)).max(axis=0)
    assert [item.largest for item in found.curves[:3]] == pytest.approx(by_hand, rel=1e-9)


def test_curves_that_both_have_and_points_outside(plain: Path, tmp_path: Path) -> None:
    def shrink(document: dict[str, Any]) -> None:
        document["curves"].pop()
        document["domain"] = {"lower": [-1.0, -0.5, -5.0], "upper": [0.1, 0.1, 0.1]}

    found = between(plain, bundles.write(tmp_path / "x.llb", shrink))
    assert [item.curve for item in found.curves] == list(bundles.CURVES)
    assert found.outside == int((POINTS > 0.1).any(axis=1).sum()) > 0


def test_other_bins_and_broken_vectors_are_findings(plain: Path, tmp_path: Path) -> None:
    other = write_quadratic(parabola_model(), tmp_path / "other.llb")
    with pytest.raises(FindingError, match="LLB-Y001"):
        between(plain, other)
    vectors = bundles.json_file({**bundles.vectors(), "cases": []}, "vectors")
    broken = bundles.write(tmp_path / "broken.llb", replace={bundles.VECTORS: vectors})
    with pytest.raises(FindingError, match="LLB-S007"):
        between(broken, plain)
    # The vectors are those of the first bundle.
    assert between(plain, broken).cases == 6
