from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from llb_schema import FindingError
from llb_trainer.flows import FlowRecipe


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "coupling"),
        ("order", "sorted"),
        ("optimizer", "sgd"),
        ("bijectors", 0),
        ("width", 0),
        ("depth", 0),
        ("bins", 1),
        ("bins", 1000),
        ("box", 0.0),
        ("steps", 0),
        ("batches", ()),
        ("batches", (512, 0)),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("clip", float("inf")),
        ("l1", -1.0),
        ("average", 1.0),
        ("warm_up", -0.1),
        ("validation", 0.0),
        ("validation", 1.0),
        ("records", 0),
        ("patience", -1),
        ("seed", -1),
    ],
)
def test_a_setting_out_of_its_range_is_a_finding(name: str, value: Any) -> None:
    with pytest.raises(FindingError) as caught:
        FlowRecipe(**{name: value})
    found = caught.value.findings[0]
    assert (found.code, found.pointer, found.actual) == ("LLB-T040", name, str(value))


def test_stages_share_the_steps() -> None:
    assert FlowRecipe(steps=11, batches=(1, 2, 3)).stages() == ((4, 1), (4, 2), (3, 3))
    assert FlowRecipe(steps=11, batches=(7,)).stages() == ((11, 7),)


def test_orders_alternate_or_are_drawn() -> None:
    reverse = FlowRecipe(bijectors=3).layout(4).orders
    assert reverse == ((0, 1, 2, 3), (3, 2, 1, 0), (0, 1, 2, 3))
    drawn = FlowRecipe(bijectors=3, order="random").layout(30).orders
    assert [sorted(order) for order in drawn] == [list(range(30))] * 3
    assert len(set(drawn)) == 3
    assert drawn != FlowRecipe(bijectors=3, order="random", seed=1).layout(30).orders


@pytest.mark.parametrize("conditions", [0, 2])
@pytest.mark.parametrize("width", [1, 3, 20])
def test_what_is_seen_through_all_layers_is_what_came_before(width: int, conditions: int) -> None:
    layout = FlowRecipe(bijectors=2, width=width, depth=3).layout(6, conditions)
    for number, order in enumerate(layout.orders):
        seen = np.eye(6, dtype=bool)
        for mask in layout.masks(number):
            seen = (seen.astype(int) @ mask.astype(int)) > 0
        rank = np.argsort(order)
        allowed = np.repeat(rank[:, None] < rank[None, :], layout.numbers, axis=1)
        assert not (seen & ~allowed).any()
        if width == 20:
            np.testing.assert_array_equal(seen, allowed)
