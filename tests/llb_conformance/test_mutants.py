"""A wrong loader has to fail, and every case has to fail somebody: the suite is tested as it tests."""

from __future__ import annotations

import pytest

from llb_conformance.mutants import IDLE, MUTANTS, KillMatrix, kill_matrix
from llb_conformance.suite import suite

# What the notes of every such suite tell of: faults that some loader somewhere has had.
EXPECTED = {
    "returns constants": "constant",
    "all NaN": "nan",
    "all infinite": "infinity",
    "single-precision output": "float32-output",
    "half precision": "float16-output",
    "sign flip": "sign",
    "offset added": "adds-the-baseline",
    "NLL for -2 ln L": "factor-two",
    "decimal logarithm": "log10",
    "parameter order swapped": "bins-reversed",
    "order of the input trusted": "bins-by-place",
    "total for signal yields": "adds-the-background",
    "mu applied twice": "mu-twice",
    "Asimov and observed swapped": "swaps-observed-and-asimov",
    "variance for the standard deviation": "sigma-squared",
    "error applied twice": "sigma-twice",
    "ignores digests": "ignores-digests",
    "ignores unlisted files": "ignores-files-that-are-not-listed",
    "accepts a newer major version": "takes-newer-versions",
    "accepts an unknown feature": "ignores-required-features",
    "accepts NaN literals": "takes-nan",
    "follows ..": "follows-paths-upwards",
    "clips silently": "clips-silently",
    "loses rows of a batch": "first-row-for-all",
    "stateful": "drifts",
    "output picked by position": "curves-by-place",
    "ignores the opset": "runs-every-opset",
    "refuses a valid extension": "refuses-extensions",
    "crash for a refusal": "fails-on-bad-bundles",
    "stale answers": "answer-before",
    "yes to everything": "accepts-everything",
    "valid: true": "says-valid",
    "2 ln p for ln p": "density-factor-two",
    "offset left out": "density-without-offset",
    "decimal logarithm of a density": "density-log10",
    "columns by their place in the list": "density-columns-as-listed",
    "two columns exchanged": "density-swaps-two-columns",
    "a low number for -infinity": "density-ignores-bounds",
    "no flag of the domain": "density-never-flags",
    "noise in another order": "density-noise-reversed",
    "noise of its own": "density-noise-of-its-own",
    "conditions not looked at": "density-ignores-conditions",
    "one condition for all": "density-first-condition-for-all",
    "points clipped": "density-clips",
    "posterior for a likelihood": "density-posterior-for-likelihood",
}
# Nearer wrong answers than this many tolerances are noticed by luck.
_CLEAR = 10.0


@pytest.fixture(scope="module")
def matrix() -> KillMatrix:
    return kill_matrix(suite())


def test_every_wrong_loader_fails(matrix: KillMatrix) -> None:
    assert matrix.survivors == ()
    assert matrix.killed == len(MUTANTS) >= 40


def test_every_case_fails_somebody(matrix: KillMatrix) -> None:
    assert matrix.idle_cases == ()
    assert set(IDLE) <= {case.id for case in suite()}


def test_wrong_numbers_are_far_beyond_the_tolerances(matrix: KillMatrix) -> None:
    near = {name: excess for name, excess in matrix.smallest_excess.items() if excess < _CLEAR}
    assert near == {}
    assert len(matrix.smallest_excess) > 50


def test_the_faults_that_are_expected_of_such_a_list_are_there() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))
    assert {what: name for what, name in EXPECTED.items() if name not in names} == {}
    assert all(mutant.what for mutant in MUTANTS)


def test_a_fault_is_noticed_by_its_own_class(matrix: KillMatrix) -> None:
    """Faults of what every loader does are noticed by the classes that every loader is asked."""
    classes = {case.id: case.conformance_class for case in suite()}
    for mutant in MUTANTS:
        killers = {classes[name] for name in matrix.kills[mutant.name]}
        wanted = {"core"} if mutant.conformance_class == "core" else {mutant.conformance_class}
        assert wanted & killers, mutant.name


def test_a_suite_without_its_best_case_has_a_survivor() -> None:
    few = [case for case in suite() if case.conformance_class == "core" and case.id != "domain-box-edges"]
    chosen = [mutant for mutant in MUTANTS if mutant.name in {"edges-with-a-margin", "factor-two"}]
    found = kill_matrix(few, mutants=chosen)
    assert found.survivors == ("edges-with-a-margin",)
    assert found.idle_cases
    assert not found.complete
