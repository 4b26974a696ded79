"""Graphs that are made to harm whoever opens them, each with the codes in which it may end.

All have one input `signal` of shape (batch, 1) and one output `delta_nll` of shape (batch, 4), like those of
`parabola_model`. Operators are allowed ones; the fault is in what they are made to do.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from regraph import graph

__all__ = ["HOSTILE", "Build", "busy", "deep", "empty_inside", "hungry", "infinite", "many_faults"]

Build = Callable[[], onnx.ModelProto]

Constants = dict[str, NDArray[np.generic]]
node = helper.make_node

_OUTPUT = node("MatMul", ["signal", "w"], ["delta_nll"])
_W = {"w": np.ones((1, 4))}


def _beside(*nodes: onnx.NodeProto, **constants: NDArray[np.generic]) -> onnx.ModelProto:
    """A good graph, with nodes on which no number depends."""
    return graph([*nodes, _OUTPUT], {**_W, **constants}, 1, 4)


def _into(*nodes: onnx.NodeProto, **constants: NDArray[np.generic]) -> onnx.ModelProto:
    """A good graph with nodes in front, which make `x` out of `signal`."""
    return graph([*nodes, node("MatMul", ["x", "w"], ["delta_nll"])], {**_W, **constants}, 1, 4)


def _doubling(times: int, kind: type[np.generic]) -> onnx.ModelProto:
    """A tensor beside itself, again and again."""
    nodes = [node("Concat", [f"t{n}"] * 2, [f"t{n + 1}"], axis=0) for n in range(times)]
    return _beside(*nodes, t0=np.ones(2, kind))


def _outer(times: int) -> onnx.ModelProto:
    """The square of the batch, and the square of that: for one row nothing grows."""
    nodes: list[onnx.NodeProto] = []
    for step in range(times):
        nodes += [
            node("Reshape", ["signal" if step == 0 else f"t{step}", "column"], [f"c{step}"]),
            node("Reshape", [f"c{step}", "row"], [f"r{step}"]),
            node("Mul", [f"c{step}", f"r{step}"], [f"t{step + 1}"]),
        ]
    return _beside(*nodes, column=np.array([-1, 1]), row=np.array([1, -1]))


def _broadcast() -> onnx.ModelProto:
    """Sixteen directions, each only 4 long."""
    constants = {f"d{n}": np.ones([4 if axis == n else 1 for axis in range(16)]) for n in range(16)}
    return _beside(node("Sum", list(constants), ["t"]), **constants)


def _reshaped_by_data() -> onnx.ModelProto:
    """What size the tensor has, only the numbers of the signal say."""
    return _into(
        node("Cast", ["signal"], ["whole"], to=TensorProto.INT64),
        node("Reshape", ["whole", "flat"], ["shape"]),
        node("Reshape", ["big", "shape"], ["t"]),
        node("ReduceSum", ["t"], ["total"], keepdims=0),
        node("Mul", ["signal", "total"], ["x"]),
        flat=np.array([-1]),
        big=np.ones(4096),
    )


def _lying_about_shapes() -> onnx.ModelProto:
    model = _reshaped_by_data()
    model.graph.value_info.append(helper.make_tensor_value_info("t", TensorProto.DOUBLE, [4096]))
    return model


def _lying_about_the_output() -> onnx.ModelProto:
    """As above, and the tensor is the output, which has to be declared."""
    nodes = [
        node("Cast", ["signal"], ["whole"], to=TensorProto.INT64),
        node("Reshape", ["whole", "flat"], ["shape"]),
        node("Reshape", ["big", "shape"], ["delta_nll"]),
    ]
    return graph(nodes, {"flat": np.array([-1]), "big": np.ones(4096)}, 1, 4)


def _shapes_without_end() -> onnx.ModelProto:
    """To follow such a shape takes far more memory than to have it."""
    shapes = [node("Shape", ["signal"], ["t0"])]
    shapes += [node("Concat", [f"t{n}"] * 2, [f"t{n + 1}"], axis=0) for n in range(24)]
    one = [
        node("Slice", ["t24", "from", "to"], ["shape"]),
        node("Reshape", ["signal", "shape"], ["x"]),
    ]
    return _into(*shapes, *one, **{"from": np.array([0]), "to": np.array([2])})


def deep(times: int) -> onnx.ModelProto:
    """A chain of nodes."""
    names = ["signal", *(f"t{step}" for step in range(1, times)), "x"]
    return _into(*(node("Abs", [a], [b]) for a, b in pairwise(names)))


def _wide() -> onnx.ModelProto:
    return _beside(node("Concat", ["signal"] * 300_000, ["t"], axis=1))


def _many_constants() -> onnx.ModelProto:
    model = _beside()
    model.graph.initializer.extend([onnx.TensorProto(name="c", dims=[0], data_type=1)] * 300_000)
    return model


def _work() -> onnx.ModelProto:
    """Small tensors, multiplied for hours."""
    nodes = [node("MatMul", [f"t{n}", "t0"], [f"t{n + 1}"]) for n in range(300)]
    return _beside(*nodes, t0=np.zeros((1024, 1024)))


def _all_together() -> onnx.ModelProto:
    """Many tensors, none of which is too large."""
    nodes = [node("Neg", ["t0"], [f"t{n}"]) for n in range(1, 40)]
    start = node("Concat", ["part"] * 512, ["t0"], axis=0)
    return _beside(start, *nodes, part=np.ones(2**16))


def _absurd_reshape() -> onnx.ModelProto:
    shape = np.array([2**40, 2**40])
    return _into(node("Reshape", ["signal", "shape"], ["x"]), shape=shape)


def _negative() -> onnx.ModelProto:
    model = _beside()
    model.graph.initializer[0].dims[:] = [-1, -4]
    return model


def _huge_constant() -> onnx.ModelProto:
    tensor = onnx.TensorProto(data_type=TensorProto.DOUBLE, dims=[2**31, 2**31])
    return _beside(node("Constant", [], ["t"], value=tensor))


def _empty_but_huge() -> onnx.ModelProto:
    tensor = onnx.TensorProto(data_type=TensorProto.DOUBLE, dims=[2**62, 0])
    return _beside(node("Constant", [], ["t"], value=tensor))


def empty_inside() -> onnx.ModelProto:
    """Nothing times nothing is zero, so far as shapes go."""
    return _into(
        node("MatMul", ["signal", "none"], ["y"]),
        node("MatMul", ["y", "back"], ["x"]),
        none=np.ones((1, 0)),
        back=np.ones((0, 1)),
    )


def _cyclic() -> onnx.ModelProto:
    return _into(node("Add", ["signal", "y"], ["x"]), node("Neg", ["x"], ["y"]))


def _twice() -> onnx.ModelProto:
    return _into(node("Neg", ["signal"], ["x"]), node("Abs", ["signal"], ["x"]))


def _output_twice() -> onnx.ModelProto:
    model = _beside()
    model.graph.output.append(model.graph.output[0])
    return model


def _further_input() -> onnx.ModelProto:
    model = _beside()
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.DOUBLE, ["batch", 1]))
    return model


def _undeclared() -> onnx.ModelProto:
    return _into(node("Add", ["signal", "nowhere"], ["x"]))


def _shadow(name: str) -> onnx.ModelProto:
    """A constant with the name of something else."""
    model = _into(node("Neg", ["signal"], ["x"]))
    model.graph.initializer.append(helper.make_tensor(name, TensorProto.DOUBLE, [1, 1], [5.0]))
    return model


def _filled(value: float) -> onnx.ModelProto:
    model = _beside()
    model.graph.initializer[0].CopyFrom(helper.make_tensor("w", TensorProto.DOUBLE, [1, 4], [value] * 4))
    return model


def infinite() -> onnx.ModelProto:
    """Weights that are no NaN, and make one at the zero signal."""
    return _filled(np.inf)


def _named(name: str) -> onnx.ModelProto:
    """A node that is not allowed, with a name that would steer a terminal."""
    return _into(node(name, ["signal"], ["x"]))


def many_faults() -> onnx.ModelProto:
    """Ten thousand operators that nobody knows."""
    return _into(*(node(f"Op{n}", ["signal"], [f"t{n}"]) for n in range(10_000)))


def busy() -> onnx.ModelProto:
    """Within what the audit allows, and at work for long: constants that onnxruntime computes at once."""
    nodes = [node("MatMul", [f"t{n}", "t0"], [f"t{n + 1}"]) for n in range(7)]
    last = node("ReduceMax", ["t7"], ["most"], axes=[0, 1], keepdims=1)
    return _into(*nodes, last, node("Mul", ["signal", "most"], ["x"]), t0=np.zeros((2048, 2048)))


def hungry() -> onnx.ModelProto:
    """Within what the audit allows, and in need of 2 GiB at once."""
    grown = [node("Concat", ["signal"] * 1024, ["t0"], axis=1), node("Concat", ["t0"] * 64, ["t1"], axis=1)]
    kept = [node("Mul", ["t1", f"c{n}"], [f"k{n}"]) for n in range(8)]
    total = [node("Sum", [f"k{n}" for n in range(8)], ["all"]), node("ReduceMax", ["all"], ["x"], axes=[1])]
    return _into(*grown, *kept, *total, **{f"c{n}": np.array([float(n)]) for n in range(8)})


HOSTILE: dict[str, tuple[Build, str]] = {
    "concat": (lambda: _doubling(40, np.float64), "LLB-G008"),
    "concat_overflow": (lambda: _doubling(80, np.float64), "LLB-G002"),
    "concat_of_integers": (lambda: _doubling(40, np.int64), "LLB-G008"),
    "outer": (lambda: _outer(2), "LLB-G008"),
    "outer_again": (lambda: _outer(5), "LLB-G002"),
    "broadcast": (_broadcast, "LLB-G008"),
    "reshaped_by_data": (_reshaped_by_data, "LLB-G008"),
    "lying_about_shapes": (_lying_about_shapes, "LLB-G008"),
    "lying_about_the_output": (_lying_about_the_output, "LLB-G008"),
    "shapes_without_end": (_shapes_without_end, "LLB-G008"),
    "too_deep": (lambda: deep(20_001), "LLB-G008"),
    "wide": (_wide, "LLB-G008"),
    "many_constants": (_many_constants, "LLB-G008"),
    "work": (_work, "LLB-G008"),
    "all_together": (_all_together, "LLB-G008"),
    "absurd_reshape": (_absurd_reshape, "LLB-G002"),
    "negative": (_negative, "LLB-G008"),
    "huge_constant": (_huge_constant, "LLB-G008"),
    "empty_but_huge": (_empty_but_huge, "LLB-G002"),
    "cyclic": (_cyclic, "LLB-G002"),
    "twice": (_twice, "LLB-G002"),
    "output_twice": (_output_twice, "LLB-G009"),
    "further_input": (_further_input, "LLB-G009"),
    "undeclared": (_undeclared, "LLB-G002"),
    "shadowed_input": (lambda: _shadow("signal"), "LLB-G009"),
    "shadowed_node": (lambda: _shadow("x"), "LLB-G002"),
    "shadowed_constant": (lambda: _shadow("w"), "LLB-G002"),
    "nan": (lambda: _filled(np.nan), "LLB-G014"),
    "long_name": (lambda: _named("\x1b]0;owned\x07" + "a" * 1_000_000), "LLB-G003"),
}
"""By name: the graph, and the code of the one finding in which the audit ends."""
