"""Terms of all yields: operators that reduce, multiply, cut and rearrange tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_conformance.suite.term import WEIGHTS, Row, Term, op

__all__ = ["TENSORS"]

Array = NDArray[np.float64]

_COLUMN = np.array([1])
# Eight hidden units of a small network, whose output vanishes at zero because it has no biases.
_HIDDEN = np.random.default_rng(17).normal(0.0, 0.05, (4, 8))
_OUTPUT = np.random.default_rng(18).normal(0.0, 0.3, (8, 2))


def _of_yields(
    name: str,
    what: str,
    *rows: Row,
    function: Callable[[Array], Array],
    opset: int = 0,
    **constants: Any,
) -> Term:
    """A term of all yields, shape (batch, 4)."""
    return Term(name, what, rows, function, constants, opset)


def _mean_square(x: Array) -> Array:
    return np.mean(x * x, axis=-1)


TENSORS: tuple[Term, ...] = (
    _of_yields(
        "reduce-sum",
        "ReduceSum",
        op("Abs", "signal", "y"),
        op("ReduceSum", "y axes", "z", keepdims=1),
        op("Mul", "z small"),
        function=lambda s: 0.01 * np.abs(s).sum(axis=-1),
        axes=_COLUMN,
        small=np.array(0.01),
    ),
    _of_yields(
        "reduce-mean",
        "ReduceMean",
        op("Mul", "signal signal", "y"),
        op("ReduceMean", "y", "z", axes=[1]),
        op("Mul", "z small"),
        function=lambda s: 0.001 * _mean_square(s),
        small=np.array(0.001),
    ),
    _of_yields(
        "reduce-max",
        "ReduceMax",
        op("Abs", "signal", "y"),
        op("ReduceMax", "y", "z", axes=[-1]),
        op("Mul", "z small"),
        function=lambda s: 0.01 * np.abs(s).max(axis=-1),
        small=np.array(0.01),
    ),
    _of_yields(
        "reduce-min",
        "ReduceMin",
        op("Abs", "signal", "y"),
        op("ReduceMin", "y", "z", axes=[1], keepdims=0),
        op("Unsqueeze", "z axes", "u"),
        op("Mul", "u small"),
        function=lambda s: 0.05 * np.abs(s).min(axis=-1),
        axes=_COLUMN,
        small=np.array(0.05),
    ),
    _of_yields(
        "reduce-sum-square",
        "ReduceSumSquare",
        op("ReduceSumSquare", "signal", "y", axes=[1]),
        op("Mul", "y small"),
        function=lambda s: 0.001 * (s * s).sum(axis=-1),
        small=np.array(0.001),
    ),
    _of_yields(
        "reduce-of-opset-18",
        "ReduceMax, ReduceMean and ReduceMin as opset 18 has them",
        op("Abs", "signal", "y"),
        op("ReduceMax", "y axes", "a"),
        op("ReduceMean", "y axes", "b"),
        op("ReduceMin", "y axes", "c"),
        op("Sum", "a b c", "z"),
        op("Mul", "z small"),
        function=lambda s: 0.01 * (np.abs(s).max(axis=-1) + np.abs(s).mean(axis=-1) + np.abs(s).min(axis=-1)),
        opset=18,
        axes=_COLUMN,
        small=np.array(0.01),
    ),
    _of_yields(
        "max-min-sum",
        "Max, Min and Sum of several inputs",
        op("MatMul", "signal weights", "x"),
        op("Max", "x half zero", "a"),
        op("Min", "a x", "b"),
        op("Sum", "b b b", "c"),
        op("Mul", "c c"),
        function=lambda s: 9.0 * np.minimum(np.maximum(s @ WEIGHTS, 0.5), s @ WEIGHTS) ** 2,
        weights=WEIGHTS[:, np.newaxis],
        half=np.array(0.5),
        zero=np.array(0.0),
    ),
    _of_yields(
        "softmax",
        "Softmax",
        op("MatMul", "signal pair", "y"),
        op("Softmax", "y", "z", axis=1),
        op("Sub", "z half", "d"),
        op("ReduceSumSquare", "d", "term", axes=[1]),
        function=lambda s: 2.0 * (1.0 / (1.0 + np.exp(-2.0 * (s @ WEIGHTS))) - 0.5) ** 2,
        pair=np.stack([WEIGHTS, -WEIGHTS], axis=1),
        half=np.array(0.5),
    ),
    _of_yields(
        "gemm",
        "Gemm",
        op("Gemm", "signal matrix bias", "y", alpha=0.5, beta=2.0, transB=1),
        op("Sub", "y shift", "z"),
        op("ReduceSumSquare", "z", "term", axes=[1]),
        function=lambda s: np.sum((0.5 * (s @ _HIDDEN[:, :3])) ** 2, axis=-1),
        matrix=_HIDDEN[:, :3].T.copy(),
        bias=np.array([0.25, 0.5, -1.0]),
        shift=np.array([0.5, 1.0, -2.0]),
    ),
    _of_yields(
        "network",
        "a network of two layers",
        op("Gemm", "signal hidden", "y"),
        op("Tanh", "y", "z"),
        op("Gemm", "z output", "o"),
        op("ReduceSumSquare", "o", "term", axes=[1]),
        function=lambda s: np.sum((np.tanh(s @ _HIDDEN) @ _OUTPUT) ** 2, axis=-1),
        hidden=_HIDDEN,
        output=_OUTPUT,
    ),
    _of_yields(
        "concat-slice",
        "Concat and Slice",
        op("Slice", "signal starts ends axes", "a"),
        op("Slice", "signal zero one axes", "b"),
        op("Concat", "a b", "c", axis=1),
        op("MatMul", "c weights", "x"),
        op("Mul", "x x"),
        function=lambda s: (s[..., 2:] @ np.array([0.02, 0.03]) - 0.01 * s[..., 0]) ** 2,
        starts=np.array([2]),
        ends=np.array([2**31]),
        axes=_COLUMN,
        zero=np.array([0]),
        one=np.array([1]),
        weights=np.array([[0.02], [0.03], [-0.01]]),
    ),
    _of_yields(
        "slice-backwards",
        "Slice with a negative step",
        op("Slice", "signal starts ends axes steps", "a"),
        op("MatMul", "a weights", "x"),
        op("Mul", "x x"),
        function=lambda s: (s[..., ::-1] @ WEIGHTS) ** 2,
        starts=np.array([-1]),
        ends=np.array([-9]),
        axes=_COLUMN,
        steps=np.array([-1]),
        weights=WEIGHTS[:, np.newaxis],
    ),
    _of_yields(
        "gather",
        "Gather",
        op("Gather", "signal places", "a", axis=1),
        op("MatMul", "a weights", "x"),
        op("Mul", "x x"),
        function=lambda s: (s[..., [3, 0, 3]] @ np.array([0.02, 0.03, -0.01])) ** 2,
        places=np.array([3, 0, -1]),
        weights=np.array([[0.02], [0.03], [-0.01]]),
    ),
    _of_yields(
        "split",
        "Split",
        op("Split", "signal sizes", "a b", axis=1),
        op("MatMul", "b weights", "x"),
        op("MatMul", "a more", "y"),
        op("Mul", "x y", "z"),
        op("Abs", "z"),
        function=lambda s: np.abs((s[..., 1:] @ WEIGHTS[:3]) * (0.02 * s[..., 0])),
        sizes=np.array([1, 3]),
        weights=WEIGHTS[:3, np.newaxis],
        more=np.array([[0.02]]),
    ),
    _of_yields(
        "reshape-shape",
        "Reshape, Shape and Flatten",
        op("Shape", "signal", "n", start=0, end=1),
        op("Concat", "n tail", "shape", axis=0),
        op("Reshape", "signal shape", "a"),
        op("Flatten", "a", "b", axis=1),
        op("MatMul", "b weights", "x"),
        op("Mul", "x x"),
        function=lambda s: (s @ WEIGHTS) ** 2,
        tail=np.array([2, -1]),
        weights=WEIGHTS[:, np.newaxis],
    ),
    _of_yields(
        "squeeze-unsqueeze",
        "Squeeze and Unsqueeze",
        op("MatMul", "signal weights", "x"),
        op("Squeeze", "x axes", "y"),
        op("Mul", "y y", "z"),
        op("Unsqueeze", "z axes"),
        function=lambda s: (s @ WEIGHTS) ** 2,
        axes=_COLUMN,
        weights=WEIGHTS[:, np.newaxis],
    ),
    _of_yields(
        "transpose",
        "Transpose",
        op("Transpose", "signal", "a", perm=[1, 0]),
        op("MatMul", "weights a", "b"),
        op("Transpose", "b", "x"),
        op("Mul", "x x"),
        function=lambda s: (s @ WEIGHTS) ** 2,
        weights=WEIGHTS[np.newaxis, :],
    ),
)
"""Reductions, matrices, and the shapes of tensors."""
