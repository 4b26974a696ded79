"""Terms of a weighted sum of the yields: operators that work on each number by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from llb_conformance.suite.term import WEIGHTS, Row, Term, op

__all__ = ["ELEMENTWISE"]

Array = NDArray[np.float64]

_ONE = np.array([[1.0]])


def _of_sum(name: str, what: str, *rows: Row, function: Callable[[Array], Array], **constants: Any) -> Term:
    """A term of x, the weighted sum of the yields, shape (batch, 1)."""
    return Term(
        name,
        what,
        (("MatMul", "signal weights", "x", {}), *rows),
        lambda signals: function(signals @ WEIGHTS),
        {"weights": WEIGHTS[:, np.newaxis], **constants},
    )


ELEMENTWISE: tuple[Term, ...] = (
    _of_sum("abs", "Abs", op("Abs", "x"), function=np.abs),
    _of_sum("neg", "Neg", op("Neg", "x", "y"), op("Mul", "y y"), function=lambda x: x * x),
    _of_sum("mul", "Mul", op("Mul", "x x"), function=lambda x: x * x),
    _of_sum(
        "sub",
        "Sub",
        op("Sub", "x half", "y"),
        op("Add", "y half", "z"),
        op("Mul", "z z"),
        function=lambda x: x * x,
        half=np.array(0.5),
    ),
    _of_sum(
        "div",
        "Div",
        op("Mul", "x x", "y"),
        op("Div", "y three"),
        function=lambda x: x * x / 3.0,
        three=np.array([3.0]),
    ),
    _of_sum(
        "reciprocal",
        "Reciprocal",
        op("Mul", "x x", "y"),
        op("Add", "y one", "z"),
        op("Reciprocal", "z", "r"),
        op("Sub", "one r"),
        function=lambda x: 1.0 - 1.0 / (1.0 + x * x),
        one=_ONE,
    ),
    _of_sum(
        "exp",
        "Exp",
        op("Abs", "x", "y"),
        op("Exp", "y", "z"),
        op("Sub", "z one"),
        function=lambda x: np.exp(np.abs(x)) - 1.0,
        one=_ONE,
    ),
    _of_sum(
        "log",
        "Log",
        op("Mul", "x x", "y"),
        op("Add", "y one", "z"),
        op("Log", "z"),
        function=lambda x: np.log(1.0 + x * x),
        one=_ONE,
    ),
    _of_sum("sqrt", "Sqrt", op("Mul", "x x", "y"), op("Sqrt", "y"), function=np.abs),
    _of_sum("pow", "Pow", op("Pow", "x four"), function=lambda x: x**4, four=np.array(4.0)),
    _of_sum("tanh", "Tanh", op("Tanh", "x", "y"), op("Mul", "y y"), function=lambda x: np.tanh(x) ** 2),
    _of_sum(
        "sigmoid",
        "Sigmoid",
        op("Sigmoid", "x", "y"),
        op("Sub", "y half", "z"),
        op("Mul", "z z"),
        function=lambda x: (1.0 / (1.0 + np.exp(-x)) - 0.5) ** 2,
        half=np.array(0.5),
    ),
    _of_sum("relu", "Relu", op("Relu", "x"), function=lambda x: np.maximum(x, 0.0)),
    _of_sum("sign", "Sign", op("Sign", "x", "y"), op("Mul", "x y"), function=np.abs),
    _of_sum("identity", "Identity", op("Identity", "x", "y"), op("Abs", "y"), function=np.abs),
    _of_sum(
        "clip",
        "Clip",
        op("Clip", "x low high"),
        function=lambda x: np.clip(x, 0.0, 0.25),
        low=np.array(0.0),
        high=np.array(0.25),
    ),
    _of_sum(
        "clip-from-below",
        "Clip without an upper bound",
        op("Clip", "x low"),
        function=lambda x: np.maximum(x, 0.0),
        low=np.array(0.0),
    ),
    _of_sum(
        "constant",
        "Constant",
        op("Constant", "", "two", value=helper.make_tensor("v", TensorProto.DOUBLE, [1], [2.0])),
        op("Abs", "x", "y"),
        op("Mul", "y two"),
        function=lambda x: 2.0 * np.abs(x),
    ),
    _of_sum(
        "greater",
        "Greater and Where",
        op("Greater", "x edge", "c"),
        op("Mul", "x x", "y"),
        op("Where", "c y zero"),
        function=lambda x: np.where(x > 0.1, x * x, 0.0),
        edge=np.array(0.1),
        zero=np.array(0.0),
    ),
    _of_sum(
        "less",
        "Less and Where",
        op("Less", "x edge", "c"),
        op("Mul", "x x", "y"),
        op("Where", "c y zero"),
        function=lambda x: np.where(x < 0.2, x * x, 0.0),
        edge=np.array(0.2),
        zero=np.array(0.0),
    ),
    _of_sum(
        "or-equal",
        "GreaterOrEqual, LessOrEqual and And",
        op("GreaterOrEqual", "x low", "a"),
        op("LessOrEqual", "x high", "b"),
        op("And", "a b", "c"),
        op("Mul", "x x", "y"),
        op("Where", "c y zero"),
        function=lambda x: np.where((x >= 0.0) & (x <= 0.3), x * x, 0.0),
        low=np.array(0.0),
        high=np.array(0.3),
        zero=np.array(0.0),
    ),
    _of_sum(
        "or-not",
        "Or, Not and Equal",
        op("Equal", "x zero", "a"),
        op("Less", "x zero", "b"),
        op("Or", "a b", "c"),
        op("Not", "c", "d"),
        op("Where", "d x zero"),
        function=lambda x: np.maximum(x, 0.0),
        zero=np.array(0.0),
    ),
    _of_sum(
        "cast",
        "Cast",
        op("Greater", "x zero", "a"),
        op("Cast", "a", "b", to=TensorProto.DOUBLE),
        op("Mul", "x b"),
        function=lambda x: np.maximum(x, 0.0),
        zero=np.array(0.0),
    ),
)
"""Arithmetic, functions, comparisons and logic."""
