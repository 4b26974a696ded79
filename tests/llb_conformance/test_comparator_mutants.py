"""The comparator with one thing changed: the questions about it notice every change."""

from __future__ import annotations

import sys

import pytest
from comparator_mutants import EQUIVALENT, MODULES, fresh, mutants, noticed, survivors
from judgements import REAL, cases, difference


def test_modules_made_anew_answer_as_those_of_this_process_and_leave_them_alone() -> None:
    before = {name: module for name, module in sys.modules.items() if name.startswith("llb_conformance")}
    anew = fresh({})
    assert [found for found in map(difference, cases(anew)) if found] == []
    assert anew.Values is not REAL.Values
    assert anew.Tolerance is not REAL.Tolerance
    assert {name: sys.modules[name] for name in before} == before


@pytest.mark.requirement("PROTOCOL-6")
@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_is_noticed(module: str) -> None:
    assert [str(mutant) for mutant in survivors(module) if mutant.key not in EQUIVALENT] == []


def test_mutants_that_are_said_to_be_equivalent_are_not_noticed() -> None:
    alive = {mutant.key for module in MODULES for mutant in survivors(module)}
    assert set(EQUIVALENT) - alive == set(), "stale"
    assert len(EQUIVALENT) < 10


def test_there_are_mutants_of_every_kind() -> None:
    changes = {(mutant.module, mutant.change) for module in MODULES for mutant in mutants(module)}
    assert len(changes) > 250
    assert {
        ("tolerance", "distance <= allowed -> distance < allowed"),
        ("tolerance", "abs(got - expected) -> got - expected"),
        ("tolerance", "self.relative * abs(expected) -> self.relative / abs(expected)"),
        ("tolerance", "0.001 -> 0.002"),
        ("tolerance", "all -> any"),
        ("numbers", "excess[worst] <= 1.0 -> excess[worst] > 1.0"),
        ("numbers", "math.isnan -> math.isinf"),
        ("numbers", "max -> min"),
        ("numbers", "not (rising and convex) -> rising and convex"),
        ("numbers", "rising and convex -> rising or convex"),
        ("numbers", "return worst -> return PASSED"),
        ("numbers", "(yield fault) -> (yield PASSED)"),
        ("expectation", "found != (self.stage, self.code) -> found == (self.stage, self.code)"),
        ("expectation", "return PASSED -> return None"),
        ("limit_numbers", "self.cls if name.startswith('cls') else self.limit -> self.cls"),
    } - changes == set()


def test_annotations_docstrings_and_tolerances_of_the_suite_are_left_alone() -> None:
    lines = {mutant.line for module in MODULES for mutant in mutants(module)}
    assert [
        line for line in lines if "1e-10" in line or line.startswith(('"""', "class ", "sigma: Table"))
    ] == []


def test_what_shows_a_mutant_is_said() -> None:
    mutant = next(
        item for item in mutants("numbers") if item.change == "excess[worst] <= 1.0 -> excess[worst] > 1.0"
    )
    assert noticed(mutant).startswith("absolute part: 0.0 off by")
