"""Delta NLL: every curve, every order, batches, signal strengths, types of graphs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from llb_conformance.quadratic import CURVES, QuadraticModel, counting_model, parabola_model
from llb_conformance.suite.bundles import wide_model
from llb_conformance.suite.case import Case, Step
from llb_conformance.suite.expectation import Errored
from llb_conformance.suite.requests import as_signals, describing, evaluating, inside, one_bundle

__all__ = ["evaluate_cases"]

# One row more than the blocks in which the reference runs graphs.
_LARGE = 513


def evaluate_cases() -> Iterator[Case]:
    """Cases of class `core`, and those of `recommended` that need nothing but numbers."""
    counting, parabola, wide = counting_model(), parabola_model(), wide_model()
    single = counting.with_precision("float32")
    yield one_bundle(
        "open", "opens a directory and names its columns", counting, requirements=("CONTAINER-1",)
    )
    yield one_bundle(
        "describe",
        "says id, version, columns, baselines and box as they are in the manifest",
        counting,
        describing(counting),
        requirements=("CURVE-3", "INPUT-1"),
    )
    large = tuple(replace(item, baseline=item.baseline + 1234567.0625) for item in single.curves)
    lifted = replace(single, id="baselines", curves=large)
    yield one_bundle(
        "describe-large-baselines",
        "keeps baselines in double precision, also beside a single-precision graph",
        lifted,
        describing(lifted),
        requirements=("CURVE-3",),
    )
    yield from _curves(counting)
    yield from _batches(counting)
    yield from _strengths(counting, parabola)
    yield one_bundle(
        "graph-float32",
        "runs a graph in single precision",
        single,
        evaluating(single, inside(single, 9, 1)),
        requirements=("GRAPH-2",),
    )
    yield one_bundle(
        "bins-one",
        "runs a graph of one column",
        parabola,
        evaluating(parabola, inside(parabola, 9, 2)),
        requirements=("INPUT-1",),
    )
    yield one_bundle(
        "bins-many",
        "runs a graph of forty columns",
        wide,
        describing(wide),
        evaluating(wide, inside(wide, 9, 3)),
        requirements=("INPUT-1",),
    )
    yield one_bundle(
        "points",
        "takes signals as arrays in the order of the columns",
        counting,
        evaluating(counting, inside(counting, 7, 4), by_column=True),
        requirements=("INPUT-3",),
        conformance_class="recommended",
    )
    stated = counting.with_spread(observed=1e-3, observed_asimov=2e-3, apriori=3e-3)
    yield one_bundle(
        "sigma-beside",
        "gives Delta NLL of a graph that states its error as well",
        stated,
        evaluating(stated, inside(stated, 7, 5)),
        requirements=("UNCERTAINTY-1", "GRAPH-2"),
    )
    yield one_bundle(
        "sigma",
        "gives the stated error by curve, that of an alias too",
        stated,
        evaluating(stated, inside(stated, 7, 6), sigma=True),
        requirements=("UNCERTAINTY-1",),
        conformance_class="recommended",
    )


def _curves(model: QuadraticModel) -> Iterator[Case]:
    for number, name in enumerate(CURVES):
        yield one_bundle(
            f"curve-{name.replace('_', '-')}",
            f"gives the curve `{name}` when it is asked for alone",
            model,
            evaluating(model, inside(model, 5, 10 + number), curves=(name,)),
            requirements=("CURVE-4",) if name == "apriori_asimov" else ("CURVE-2",),
        )
    yield one_bundle(
        "curves-all",
        "gives all curves of a signal at once",
        model,
        evaluating(model, inside(model, 16, 14)),
        requirements=("CURVE-1", "CURVE-2", "CURVE-4"),
    )
    few = replace(model, id="counting-two-curves", curves=model.curves[:2])
    yield one_bundle(
        "curve-missing",
        "answers `errored` for a curve that the bundle does not have, and goes on",
        few,
        Step(
            {"cmd": "evaluate", "signals": as_signals(few, inside(few, 1, 17)), "curves": ["apriori"]},
            Errored(),
        ),
        evaluating(few, inside(few, 3, 18), curves=("observed_asimov", "observed")),
        requirements=("CURVE-1", "PROTOCOL-4"),
    )
    yield one_bundle(
        "curves-in-another-order",
        "answers by the name of a curve, not by its place",
        model,
        evaluating(model, inside(model, 5, 15), curves=tuple(reversed(CURVES))),
        evaluating(model, inside(model, 5, 16), curves=("apriori", "observed")),
        requirements=("CURVE-1",),
    )


def _batches(model: QuadraticModel) -> Iterator[Case]:
    zero = np.zeros((1, len(model.bins)))
    points = inside(model, 8, 20)
    yield one_bundle(
        "zero-alone",
        "gives exactly 0 for the zero signal, alone",
        model,
        evaluating(model, zero),
        requirements=("NUMERICS-2", "VECTORS-6"),
    )
    yield one_bundle(
        "zero-in-a-batch",
        "gives exactly 0 for the zero signal, among others",
        model,
        evaluating(model, np.concatenate([points[:3], zero, points[3:]])),
        requirements=("NUMERICS-2", "VECTORS-6"),
    )
    yield one_bundle(
        "batch-and-single",
        "gives a point the same value in a batch, alone, and in another order",
        model,
        evaluating(model, points),
        *(evaluating(model, points[row : row + 1]) for row in (0, 7)),
        evaluating(model, points[::-1]),
        requirements=("NUMERICS-3", "PROTOCOL-4"),
    )
    yield one_bundle(
        "batch-repeated",
        "gives a point that is there twice the same value twice",
        model,
        evaluating(model, np.concatenate([points[:2], points[:2], points[1:2]])),
        requirements=("NUMERICS-3",),
    )
    yield one_bundle(
        "batch-large",
        f"takes {_LARGE} signals in one request",
        model,
        evaluating(model, inside(model, _LARGE, 21), curves=("observed",)),
        requirements=("GRAPH-2",),
    )


def _strengths(counting: QuadraticModel, parabola: QuadraticModel) -> Iterator[Case]:
    points = inside(counting, 5, 30)
    yield one_bundle(
        "mu-one",
        "takes mu = 1 as if nothing were said of it",
        counting,
        evaluating(counting, points),
        evaluating(counting, points, mu=1.0),
        requirements=("MU-1",),
    )
    yield one_bundle(
        "mu-scales",
        "multiplies every yield by mu, once",
        counting,
        *(evaluating(counting, points * 0.5, mu=mu) for mu in (0.5, 0.25, 1.75)),
        requirements=("MU-1",),
    )
    yield one_bundle(
        "mu-zero",
        "gives exactly 0 at mu = 0",
        counting,
        evaluating(counting, points, mu=0.0),
        requirements=("MU-1", "NUMERICS-2"),
    )
    yield one_bundle(
        "mu-negative",
        "goes to negative mu where the domain does, and flags it where it does not",
        parabola,
        evaluating(parabola, [[1.0], [2.5], [-2.0], [5.0]], mu=-1.0),
        requirements=("MU-1", "DOMAIN-3"),
    )
    yield one_bundle(
        "mu-large",
        "answers and flags a very large mu",
        counting,
        evaluating(counting, points, mu=1e6),
        requirements=("DOMAIN-3", "PROTOCOL-3"),
    )
    yield one_bundle(
        "yields-negative",
        "takes negative yields where the domain has them",
        parabola,
        evaluating(parabola, [[-1.0], [-2.9], [-3.5]]),
        requirements=("DOMAIN-3",),
    )
