"""The cases of the conformance suite: what a loader is asked, and what it has to answer.

Start from `suite()`. Bundles are made in memory, the same bytes every time; expected numbers are exact.
"""

from functools import cache

from llb_conformance.suite.accept_cases import accept_cases
from llb_conformance.suite.case import CLAIMABLE, CLASSES, Bundle, Case, ConformanceClass, Step
from llb_conformance.suite.density_cases import density_cases
from llb_conformance.suite.density_faults import density_faults
from llb_conformance.suite.domain_cases import domain_cases
from llb_conformance.suite.evaluate_cases import evaluate_cases
from llb_conformance.suite.expectation import Expectation, Reply
from llb_conformance.suite.fault_cases import fault_cases
from llb_conformance.suite.gradient_cases import gradient_cases
from llb_conformance.suite.limit_cases import limit_cases
from llb_conformance.suite.operator_cases import operator_cases
from llb_conformance.suite.outcome import PASSED, Judgement, Outcome
from llb_conformance.suite.signal_cases import signal_cases
from llb_conformance.suite.state_cases import state_cases

__all__ = [
    "CLAIMABLE",
    "CLASSES",
    "PASSED",
    "SUITE_VERSION",
    "Bundle",
    "Case",
    "ConformanceClass",
    "Expectation",
    "Judgement",
    "Outcome",
    "Reply",
    "Step",
    "suite",
]

SUITE_VERSION = "1.1.0"
"""Of the cases: a report of another version is about other questions."""


@cache
def suite() -> tuple[Case, ...]:
    """All cases."""
    return (
        *evaluate_cases(),
        *signal_cases(),
        *domain_cases(),
        *state_cases(),
        *accept_cases(),
        *operator_cases(),
        *gradient_cases(),
        *limit_cases(),
        *density_cases(),
        *density_faults(),
        *fault_cases(),
    )
