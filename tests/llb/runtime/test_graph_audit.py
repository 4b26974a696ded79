"""Hostile graphs end in one finding of the static audit, before anything runs them."""

from __future__ import annotations

import hostile
import onnx
import pytest
from onnx import helper
from regraph import graph

from llb.bundle import GraphSpec, TensorSpec
from llb.runtime import audit_graph
from llb_schema import Finding

SPEC = GraphSpec(
    role="delta_nll",
    path="graphs/delta_nll.onnx",
    opset=17,
    input=TensorSpec("signal", "float64", ("batch", 1)),
    outputs=(TensorSpec("delta_nll", "float64", ("batch", 4)),),
)


def audited(model: onnx.ModelProto) -> tuple[Finding, ...]:
    return audit_graph(model.SerializeToString(), SPEC, source=SPEC.path)


@pytest.mark.requirement("SECURITY-3", "SECURITY-5")
@pytest.mark.parametrize("name", sorted(hostile.HOSTILE))
def test_a_hostile_graph_ends_in_one_short_finding(name: str) -> None:
    build, code = hostile.HOSTILE[name]
    (found,) = audited(build())
    assert (found.code, found.pointer) == (code, SPEC.path)
    assert len(str(found.to_json())) < 2000


@pytest.mark.requirement("SECURITY-3")
def test_faults_without_end_are_not_listed_without_end() -> None:
    found = audited(hostile.many_faults())
    assert [item.code for item in found] == ["LLB-G003"] * 50 + ["LLB-S016"]


@pytest.mark.parametrize("build", [hostile.busy, hostile.hungry, hostile.infinite, hostile.empty_inside])
def test_what_only_running_it_shows_passes(build: hostile.Build) -> None:
    assert audited(build()) == ()


@pytest.mark.requirement("SECURITY-3")
def test_as_many_nodes_as_are_promised_are_accepted() -> None:
    assert audited(hostile.deep(19_999)) == ()


def test_shapes_that_a_graph_computes_itself_are_followed() -> None:
    """What exporters write for `x.reshape(x.shape[0], -1)`."""
    nodes = [
        helper.make_node("Shape", ["signal"], ["shape"]),
        helper.make_node("Constant", [], ["zero"], value_int=0),
        helper.make_node("Gather", ["shape", "zero"], ["rows"]),
        helper.make_node("Constant", [], ["first"], value_ints=[0]),
        helper.make_node("Unsqueeze", ["rows", "first"], ["rows1"]),
        helper.make_node("Constant", [], ["rest"], value_ints=[-1]),
        helper.make_node("Concat", ["rows1", "rest"], ["wanted"], axis=0),
        helper.make_node("Concat", ["signal"] * 4, ["four"], axis=1),
        helper.make_node("Reshape", ["four", "wanted"], ["delta_nll"]),
    ]
    assert audited(graph(nodes, {}, 1, 4)) == ()
