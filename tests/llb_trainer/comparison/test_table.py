"""The table, its notes and the JSON say the same."""

from __future__ import annotations

import json
import math

import pytest
from comparisons import comparison_of, point_of
from rich.console import Console

from llb_trainer.comparison import (
    comparison_json,
    comparison_notes,
    comparison_table,
    duration,
    timing_sentence,
)

POINTS = [
    point_of("good", 0.0501, 0.05),
    point_of("wrong basin", 0.11, 0.1, excess=0.58),
    point_of("failed", 0.2, math.nan, limit=math.nan, failure="no fit"),
    point_of("[red]ours\x1b", 0.3, 0.3, limit=math.inf, shortfall=0.01),
]
CLS = [0.1, 0.2, 0.3, 0.4]


def text(width: int = 120) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(comparison_table(comparison_of(CLS, POINTS)))
    return captured.get()


def row(name: str) -> list[str]:
    return next(line for line in text().splitlines() if name in line).split()


def test_a_row_holds_both_answers_their_difference_and_times() -> None:
    expected = "0.0501 0.05 +0.20 1.2 1.2 +0.00 2.0 ms 7.0 s"
    assert " ".join(row("good")[1:]) == expected
    assert row("failed")[1:] == ["*", "0.2", "-", "-", "1.2", "-", "-", "2.0", "ms", "3.0", "s"]


def test_names_are_text_and_no_markup() -> None:
    assert "[red]ours?" in text()


def test_numbers_survive_a_narrow_terminal() -> None:
    assert "0.0501" in text(80)
    assert "7.0 s" in text(80)


def test_restarts_failures_and_our_own_faults_are_told() -> None:
    first, second, third = comparison_notes(comparison_of(CLS, POINTS))
    assert first == (
        "* wrong basin: pyhf restarted from our optimum: its own minimum was higher by 0.58 in NLL"
    )
    assert second == "* failed: pyhf has no number: no fit"
    assert "pyhf found a minimum lower than ours by 0.01" in third


def test_json_holds_no_nan_and_the_same_numbers() -> None:
    document = comparison_json(comparison_of(CLS, POINTS))
    again = json.loads(json.dumps(document, allow_nan=False))
    good, basin, failed, ours = again["points"]
    assert good["cls_difference"] == pytest.approx(0.002)
    assert (basin["pyhf_restarted"], basin["nll_excess"]) == (True, 0.58)
    assert failed["cls_pyhf"] is None
    assert ours["upper_limit_pyhf"] is None
    assert again["worst_cls_difference"] == pytest.approx(0.1)
    assert again["scan"] == {"signals": 4, "seconds": 0.02}


def test_the_worst_difference_counts_only_where_it_means_something() -> None:
    points = [point_of("tail", 2e-7, 1e-7), point_of("decided", 0.0505, 0.05)]
    assert comparison_of(CLS, points).worst_cls_difference == pytest.approx(0.01)
    assert math.isnan(comparison_of(CLS, points[:1]).worst_cls_difference)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3.4e-4, "340 µs"),
        (3.21e-3, "3.2 ms"),
        (0.9999, "1.0 s"),
        (7.04, "7.0 s"),
        (61.0, "61 s"),
        (150.0, "2.5 min"),
        (math.nan, "-"),
    ],
)
def test_durations_are_written_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_sentence_compares_all_signals_with_all_signals() -> None:
    assert timing_sentence(comparison_of(CLS, POINTS)) == (
        "Bundle: 4 signals in 20 ms. pyhf: 7.0 s per signal, 1,400 times as long."
    )
    assert timing_sentence(comparison_of(CLS, [])) == "Bundle: 4 signals in 20 ms."
