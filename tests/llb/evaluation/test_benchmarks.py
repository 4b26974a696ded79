"""The teacher's numbers of real signals in a bundle, read and compared with."""

from __future__ import annotations

from pathlib import Path

import pytest
from bundles import BIN_IDS, write

from llb.bundle import read_bundle
from llb.evaluation import compare_benchmarks, read_benchmarks
from llb.runtime import limits, load


def test_the_table_is_read_by_its_columns(tmp_path: Path) -> None:
    write(tmp_path / "b.llb")
    found = read_benchmarks(read_bundle(tmp_path / "b.llb"))
    assert found is not None
    assert found.names == ("A",)
    assert found.signals.tolist() == [[1.0, 2.0, 0.5]]
    assert len(BIN_IDS) == found.signals.shape[1]
    assert (found.cls_observed.tolist(), found.upper_limit_observed.tolist()) == ([0.33], [2.22])


def test_each_benchmark_is_set_beside_the_bundles_answer(tmp_path: Path) -> None:
    write(tmp_path / "b.llb")
    model = load(tmp_path / "b.llb")
    found = read_benchmarks(model.bundle)
    assert found is not None
    ((answer, cls, upper),) = compare_benchmarks(model, found)
    (own,) = limits(model, found.signals, names=["A"])
    assert answer.name == "A"
    assert answer.upper_limit_observed == pytest.approx(own.upper_limit_observed)
    assert (cls, upper) == (0.33, 2.22)
