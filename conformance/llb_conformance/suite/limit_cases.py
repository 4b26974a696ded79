"""CLs and upper limits against the closed forms that parabolas have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from llb_conformance.quadratic import QuadraticModel, counting_model, parabola_model
from llb_conformance.suite.case import Case, Step
from llb_conformance.suite.limit_numbers import LimitNumbers, LimitValues
from llb_conformance.suite.requests import as_signals, inside, one_bundle, strength
from llb_conformance.suite.tolerance import CLS, CLS_SINGLE, LIMIT, LIMIT_SINGLE

__all__ = ["limit_cases"]

# Wide enough that every limit of the cases is inside.
_WIDE = 40.0


def limit_cases() -> Iterator[Case]:
    """Cases of class `limits`."""
    usual = _named(parabola_model(upper=_WIDE), "wide")
    excess = _named(parabola_model(mu_hat=1.6, upper=_WIDE), "excess")
    deficit = _named(parabola_model(mu_hat=-0.7, upper=_WIDE), "deficit")
    exact = _named(parabola_model(mu_hat=0.0, sigma=0.55, upper=_WIDE), "as-expected")
    yield _case("parabola", "of one bin", usual, [[1.0]])
    yield _case("scaled", "of weaker and stronger signals of one bin", usual, [[0.5], [2.0], [6.0]])
    yield _case("excess", "where the best fit is above mu = 1", excess, [[1.0], [0.4]])
    yield _case("deficit", "where the best fit is held at mu = 0", deficit, [[1.0], [2.0]])
    yield _case("as-expected", "where the data are those expected", exact, [[1.0]])
    yield _case("level", "at another confidence level", usual, [[1.0]], level=0.9)
    yield _case("level-high", "at a high confidence level", usual, [[1.0]], level=0.99)
    counting = counting_model()
    strong = inside(counting, 12, 90)
    # Signals whose every number is inside of the domain.
    kept = [row for row in strong if _edge(counting, row) > 1.2 * _furthest(counting, row)]
    yield _case("bins", "of several bins, with an alias for the a-priori curve", counting, kept[:4])
    single = counting.with_precision("float32")
    yield _case("float32", "of a graph in single precision", single, kept[:3])
    narrow = _named(parabola_model(upper=1.3), "narrow")
    yield _case("beyond", "and flags those that lie beyond the domain", narrow, [[1.0]], known=False)


def _named(model: QuadraticModel, name: str) -> QuadraticModel:
    return replace(model, id=f"{model.id}-{name}")


def _edge(model: QuadraticModel, signal: Any) -> float:
    """How far the ray of a signal stays in the domain, in mu."""
    box = min(edge / value for edge, value in zip(model.upper, signal, strict=True) if value > 0.0)
    limit = model.delta_nll_max
    return box if limit is None else min(box, strength(model, signal, limit))


def _furthest(model: QuadraticModel, signal: Any) -> float:
    """The largest mu that one of the numbers needs."""
    exact = model.exact(signal)
    return max(1.0, exact.upper_limit_observed, *exact.upper_limit_expected, *exact.upper_limit_apriori)


def _case(
    name: str,
    what: str,
    model: QuadraticModel,
    signals: Sequence[Any],
    *,
    level: float = 0.95,
    known: bool = True,
) -> Case:
    """A case; where its numbers are beyond the domain, only that they are numbers is known."""
    rows = np.asarray(signals, dtype=np.float64)
    numbers = tuple(_numbers(model, row, level, known=known) for row in rows)
    single = model.dtype == "float32"
    expected = LimitValues(
        numbers,
        (not known,) * len(rows),
        CLS_SINGLE if single else CLS,
        LIMIT_SINGLE if single else LIMIT,
    )
    request = {"cmd": "limits", "signals": as_signals(model, rows), "level": level}
    return one_bundle(
        f"limits-{name}",
        f"gives CLs and upper limits {what}",
        model,
        Step(request, expected),
        requirements=("CONFORM-5", *(() if known else ("DOMAIN-3",))),
        conformance_class="limits",
    )


def _numbers(model: QuadraticModel, signal: Any, level: float, *, known: bool) -> LimitNumbers:
    if not known:
        nan = (math.nan,) * 5
        return LimitNumbers(math.nan, nan, nan, math.nan, nan, nan)
    exact = model.exact(signal, level=level)
    return LimitNumbers(
        exact.cls_observed,
        exact.cls_expected,
        exact.cls_apriori,
        exact.upper_limit_observed,
        exact.upper_limit_expected,
        exact.upper_limit_apriori,
    )
