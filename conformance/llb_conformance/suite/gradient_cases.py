"""Derivatives of Delta NLL by the yields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_conformance.quadratic import CURVES, QuadraticModel, counting_model, parabola_model
from llb_conformance.suite.bundles import wide_model
from llb_conformance.suite.case import Case, Step
from llb_conformance.suite.numbers import Gradients
from llb_conformance.suite.requests import as_signals, inside, one_bundle
from llb_conformance.suite.tolerance import GRADIENT, GRADIENT_SINGLE

__all__ = ["gradient_cases"]

Array = NDArray[np.float64]


def gradient_cases() -> Iterator[Case]:
    """Cases of class `gradient`."""
    counting, parabola, wide = counting_model(), parabola_model(), wide_model()
    single = counting.with_precision("float32")
    points = inside(counting, 5, 80)
    yield _case("curves", "of all curves, an alias too", counting, _asking(counting, points))
    yield _case("single", "of one signal alone", counting, _asking(counting, points[:1], ("apriori",)))
    yield _case(
        "order",
        "by column, whatever order the bins of a signal come in",
        counting,
        _asking(counting, points, reverse=True),
    )
    yield _case("at-zero", "at the zero signal", counting, _asking(counting, np.zeros((1, 4))))
    yield _case(
        "one-bin", "of one bin, negative yields too", parabola, _asking(parabola, [[-2.0], [0.5], [4.0]])
    )
    yield _case(
        "many-bins", "of forty bins", wide, _asking(wide, inside(wide, 3, 81), ("observed", "apriori"))
    )
    yield _case("float32", "of a graph in single precision", single, _asking(single, points))


def _case(name: str, what: str, model: QuadraticModel, step: Step) -> Case:
    return one_bundle(
        f"gradient-{name}",
        f"gives the derivatives {what}",
        model,
        step,
        requirements=("CONFORM-5",),
        conformance_class="gradient",
    )


def _asking(
    model: QuadraticModel, points: Any, curves: Sequence[str] = CURVES, *, reverse: bool = False
) -> Step:
    rows = np.asarray(points, dtype=np.float64)
    said = as_signals(model, rows)
    request = {
        "cmd": "gradient",
        "signals": [dict(reversed(item.items())) for item in said] if reverse else said,
        "curves": list(curves),
    }
    exact = {name: _gradient(model, name, rows).tolist() for name in curves}
    tolerance = GRADIENT if model.dtype == "float64" else GRADIENT_SINGLE
    return Step(request, Gradients(exact, (False,) * len(rows), tolerance))


def _gradient(model: QuadraticModel, name: str, points: Array) -> Array:
    """slope + root root^T s, shape (N, n_bins)."""
    curve = model.curve(name)
    return curve.slope + points @ curve.root @ curve.root.T
