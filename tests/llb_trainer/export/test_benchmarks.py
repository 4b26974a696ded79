from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from llb_trainer.exact import ExactLimits
from llb_trainer.export.emit import benchmarks_of

CLS, LIMITS = (0.1, 0.2, 0.3, 0.4, 0.5), (1.0, 2.0, 3.0, 4.0, 5.0)
EXACT = ExactLimits("a", np.array([1.0, 2.0]), 0.95, 0.7, 0.04, CLS, CLS, 0.9, LIMITS, LIMITS)


def test_a_row_has_the_observed_numbers_and_the_medians() -> None:
    (row,) = benchmarks_of([EXACT])
    assert (row.name, row.signal.tolist()) == ("a", [1.0, 2.0])
    assert (row.mu_hat, row.cls_observed, row.upper_limit_observed) == (0.7, 0.04, 0.9)
    assert (row.cls_expected, row.upper_limit_expected) == (0.3, 3.0)


def test_a_signal_that_lacks_a_number_has_no_row() -> None:
    infinite = replace(EXACT, name="b", upper_limit_observed=math.inf)
    unknown = replace(EXACT, name="c", cls_expected=(0.1, 0.2, math.nan, 0.4, 0.5))
    apriori = replace(EXACT, name="d", upper_limit_apriori=(math.nan,) * 5)
    assert [row.name for row in benchmarks_of([infinite, EXACT, unknown, apriori])] == ["a", "d"]
