"""What a loader remembers: the open bundle, and nothing else (PROTOCOL-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from llb_conformance.corpus import corpus
from llb_conformance.quadratic import counting_model, parabola_model
from llb_conformance.suite.bundles import plain
from llb_conformance.suite.case import Bundle, Case, Step
from llb_conformance.suite.expectation import Closed, Errored
from llb_conformance.suite.requests import describing, evaluating, inside, opening, refusing

__all__ = ["state_cases"]

_ASK = {"cmd": "evaluate", "signals": [{"SR[0]": 1.0}], "curves": ["observed"]}


def state_cases() -> Iterator[Case]:
    """Cases of more than one bundle, or of none."""
    first, second = counting_model(), parabola_model()
    third = replace(counting_model(seed=2), id="counting-other")
    one, two, other = plain(first), plain(second), plain(third)
    points, others = inside(first, 4, 70), inside(second, 4, 71)
    yield _case(
        "two-bundles",
        "answers from the bundle that was opened last",
        (one, two),
        opening(one, first),
        evaluating(first, points),
        opening(two, second),
        evaluating(second, others),
        describing(second),
        opening(one, first),
        evaluating(first, points),
        describing(first),
    )
    yield _case(
        "same-bins-other-numbers",
        "keeps nothing of a bundle with the same bins",
        (one, other),
        opening(one, first),
        evaluating(first, points[:1]),
        opening(other, third),
        evaluating(third, 0.5 * points[:1]),
    )
    yield _case(
        "repeated",
        "gives the same answer to the same question, however often it is asked",
        (one,),
        opening(one, first),
        *(evaluating(first, points) for _ in range(4)),
    )
    yield _case(
        "other-questions-between",
        "gives the same answer whatever was asked in between",
        (one,),
        opening(one, first),
        evaluating(first, points),
        evaluating(first, np.zeros((1, 4))),
        evaluating(first, points, mu=1e6),
        describing(first),
        evaluating(first, points),
    )
    yield _case(
        "closed",
        "has nothing open after `close`",
        (one,),
        opening(one, first),
        Step({"cmd": "close"}, Closed()),
        Step(_ASK, Errored()),
        Step({"cmd": "describe"}, Errored()),
        Step({"cmd": "close"}, Errored()),
        opening(one, first),
        evaluating(first, points),
    )
    refused = next(item for item in corpus() if item.id == "file-one-bit-flipped")
    bad = Bundle(f"fault-{refused.id}", refused.build)
    yield _case(
        "after-a-refusal",
        "has nothing open after it refused a bundle, and opens the next one",
        (one, bad),
        opening(one, first),
        evaluating(first, points),
        refusing(bad),
        Step(_ASK, Errored()),
        opening(one, first),
        evaluating(first, points),
    )


def _case(name: str, what: str, bundles: tuple[Bundle, ...], *steps: Step) -> Case:
    return Case(
        id=f"state-{name}",
        conformance_class="core",
        requirements=("PROTOCOL-4",),
        description=f"The loader {what}.",
        bundles=bundles,
        steps=steps,
    )
