"""How the benchmark decides who is right."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb_trainer.teachers.contract import CurveData, CurveLabels, Labels

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
BASELINE = 100.0


@pytest.fixture
def agreement(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("agreement")


@pytest.fixture
def ours(agreement: Any) -> Any:
    """Three signals on one curve: Delta NLL 0, 1 and 2, the last one not proven."""
    blank = np.zeros((3, 1))
    fields = {
        "delta": np.arange(3.0),
        "converged": np.array([True, True, False]),
        "starts": np.ones(3, dtype=np.int64),
        **dict.fromkeys(("edm", "projected_gradient"), np.zeros(3)),
    }
    names = (name for name in CurveLabels.__dataclass_fields__ if name != "name")
    labels = CurveLabels("observed", **{name: fields.get(name, blank) for name in names})
    curve = CurveData("observed", BASELINE, np.zeros(1), np.zeros(1), ())
    return agreement.OurMinima(Labels(blank, (labels,)), (curve,))


def answers(peers: Any, *fits: tuple[int, str, float]) -> list[Any]:
    made = [peers.PeerFit(row, "observed", name, BASELINE + above, 1.0) for row, name, above in fits]
    return [peers.PeerAnswer(fit.row, (fit,), {}) for fit in made]


def test_the_best_fit_of_pyhf_counts_and_failures_do_not(agreement: Any, ours: Any) -> None:
    found = agreement.against_peers(
        ours,
        answers(
            import_module("peers"),
            (0, "slsqp", 0.7),
            (0, "minuit", 0.5),
            (1, "slsqp", math.nan),
            (1, "minuit", 1.0 - 2e-7),
            (2, "slsqp", 0.0),  # we have no proven minimum there, so nothing to compare
        ),
    )
    assert (found.compared, found.local_minimum_fraction) == (2, 0.5)
    assert found.local_minimum_max == pytest.approx(0.5)
    assert found.max_nll_excess == pytest.approx(2e-7, rel=1e-3)
    assert found.worst[:2] == (1, "observed")


def test_one_optimiser_alone_can_be_asked_for(agreement: Any, ours: Any) -> None:
    fits = answers(import_module("peers"), (0, "slsqp", 0.7), (0, "minuit", 0.0))
    found = agreement.against_peers(ours, fits, lambda fit: fit.optimizer == "slsqp")
    assert found.local_minimum_max == pytest.approx(0.7)
    assert agreement.against_peers(ours, fits, lambda fit: fit.optimizer == "none") is None


def test_a_second_look_is_our_nll_minus_the_lowest(agreement: Any, ours: Any) -> None:
    rows = np.array([0, 1, 2])
    lowest = {"observed": BASELINE + np.array([0.25, 0.5, 0.0])}
    quantile, largest = agreement.second_look_excess(ours, rows, lowest, quantile=1.0)
    assert (quantile, largest) == pytest.approx((0.5, 0.5))
    nowhere = {"observed": np.full(3, np.inf)}
    assert agreement.second_look_excess(ours, rows, nowhere) is None
