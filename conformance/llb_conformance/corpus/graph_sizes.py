"""Graphs that are too large, or mean to become so when they are run."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from llb_conformance.corpus.case import Case
from llb_conformance.corpus.surgery import unused, with_constants, wrong

__all__ = ["size_cases"]

_NODES, _EDGES, _DOUBLINGS, _COPIES, _POWERS = 20_001, 200_001, 26, 20, 100


def size_cases() -> tuple[Case, ...]:
    """Cases of stage `graph`, all of them refused by `SECURITY-3`."""
    return (
        wrong("too-many-nodes", "LLB-G008", _many_nodes),
        wrong("tensor-grows", "LLB-G008", _grow),
        wrong("grows-with-the-batch", "LLB-G008", _square_the_batch),
        wrong("size-by-the-numbers", "LLB-G008", _size_by_numbers),
        wrong("work-without-end", "LLB-G008", _endless_work),
        wrong("all-tensors-together-too-large", "LLB-G008", _many_copies),
        wrong("node-of-too-many-inputs", "LLB-G008", _many_inputs),
        wrong("constant-without-its-numbers", "LLB-G008", _hollow_constant),
        wrong("dimension-absurd", "LLB-G008", lambda model: model.graph.initializer[0].dims.append(2**40)),
        wrong("dimensions-beyond-any-number", "LLB-G008", _dimensions),
        wrong("dimension-negative", "LLB-G008", lambda model: model.graph.initializer[0].dims.append(-1)),
    )


def _dimensions(model: onnx.ModelProto) -> None:
    """A shape whose number of elements has millions of digits."""
    model.graph.initializer[0].dims[:] = [2**62] * 100_000


def _many_nodes(model: onnx.ModelProto) -> None:
    node = helper.make_node("Identity", ["signal"], ["copy"])
    model.graph.node.extend([node] * _NODES)


def _grow(model: onnx.ModelProto) -> None:
    """Doubles a constant until it fills gigabytes."""
    with_constants(model, grow0=np.ones(2))
    for step in range(_DOUBLINGS):
        model.graph.node.append(helper.make_node("Concat", [f"grow{step}"] * 2, [f"grow{step + 1}"], axis=0))


def _square_the_batch(model: onnx.ModelProto) -> None:
    """A column times a row, twice: for one row nothing grows, for 512 rows a tensor of half a terabyte."""
    with_constants(model, column=np.array([-1, 1]), row=np.array([1, -1]))
    for step, start in enumerate(("signal", "square0")):
        model.graph.node.extend(
            [
                helper.make_node("Reshape", [start, "column"], [f"column{step}"]),
                helper.make_node("Reshape", [start, "row"], [f"row{step}"]),
                helper.make_node("Mul", [f"column{step}", f"row{step}"], [f"square{step}"]),
            ]
        )


def _size_by_numbers(model: onnx.ModelProto) -> None:
    """Reshapes a constant to what the signal says."""
    with_constants(model, flat=np.array([-1]), many=np.ones(64))
    model.graph.node.extend(
        [
            helper.make_node("Cast", ["signal"], ["whole"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["whole", "flat"], ["wanted"]),
            helper.make_node("Reshape", ["many", "wanted"], ["shaped"]),
        ]
    )


def _endless_work(model: onnx.ModelProto) -> None:
    """Multiplies matrices of 8 MiB, each from the one before."""
    with_constants(model, unit=np.ones((1, 1024)))
    model.graph.node.append(helper.make_node("Transpose", ["unit"], ["upright"]))
    model.graph.node.append(helper.make_node("Mul", ["upright", "unit"], ["power0"]))
    for step in range(_POWERS):
        model.graph.node.append(helper.make_node("MatMul", [f"power{step}", "power0"], [f"power{step + 1}"]))


def _many_copies(model: onnx.ModelProto) -> None:
    """Tensors of half a gibibyte, one after the other."""
    with_constants(model, long=np.ones((1, 2**13)), high=np.ones((2**13, 1)))
    model.graph.node.append(helper.make_node("Mul", ["high", "long"], ["copy0"]))
    for step in range(_COPIES):
        model.graph.node.append(helper.make_node("Neg", [f"copy{step}"], [f"copy{step + 1}"]))


def _many_inputs(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Max", ["signal"] * _EDGES, ["most"]))


def _hollow_constant(model: onnx.ModelProto) -> None:
    """Declares 2^62 numbers and holds none."""
    unused(model, value=TensorProto(data_type=TensorProto.DOUBLE, dims=[2**31, 2**31]))
