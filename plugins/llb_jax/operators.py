"""The operators of a graph (GRAPH-5) as functions of arrays.

What does not depend on the graph's input stays numpy, so that shapes are known when JAX traces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from onnx import helper

__all__ = ["OPERATORS"]

Inputs = Sequence[Any]
Attributes = Mapping[str, Any]
Operator = Callable[[Inputs, Attributes], Any]
"""Inputs (None where one is left out) and attributes of a node to its output, or a tuple of several."""


def _home(values: Inputs) -> Any:
    """numpy for constants, jax.numpy as soon as one of them is none."""
    return np if all(value is None or isinstance(value, np.ndarray | np.generic) for value in values) else jnp


def _filled(inputs: Inputs, count: int) -> list[Any]:
    """The inputs, None for those at the end that are left out."""
    return [*inputs, *[None] * (count - len(inputs))]


def _each(name: str) -> Operator:
    """A function of numpy's, of one array or two."""
    return lambda inputs, _: getattr(_home(inputs), name)(*inputs)


def _all(name: str) -> Operator:
    """A function of two arrays, of any number of them."""
    return lambda inputs, _: reduce(getattr(_home(inputs), name), inputs)


def _reduced(name: str, change: Callable[[Any], Any] = lambda x: x) -> Operator:
    """A reduction; the axes are an input or, in older opsets, an attribute."""

    def run(inputs: Inputs, attributes: Attributes) -> Any:
        given = inputs[1] if len(inputs) > 1 else attributes.get("axes")
        axes = () if given is None else tuple(int(axis) for axis in np.atleast_1d(given))
        if not axes and attributes.get("noop_with_empty_axes"):
            return change(inputs[0])
        reduction = getattr(_home(inputs), name)
        return reduction(change(inputs[0]), axis=axes or None, keepdims=bool(attributes.get("keepdims", 1)))

    return run


def _power(inputs: Inputs, _: Attributes) -> Any:
    base, exponent = inputs
    return _home(inputs).power(base, exponent).astype(base.dtype)


def _divided(inputs: Inputs, _: Attributes) -> Any:
    home = _home(inputs)
    if np.issubdtype(inputs[0].dtype, np.integer):
        # ONNX rounds towards zero, numpy down.
        return home.trunc(home.true_divide(*inputs)).astype(inputs[0].dtype)
    return home.true_divide(*inputs)


def _clipped(inputs: Inputs, _: Attributes) -> Any:
    value, low, high = _filled(inputs, 3)
    home = _home(inputs)
    value = value if low is None else home.maximum(value, low)
    return value if high is None else home.minimum(value, high)


def _sigmoid(inputs: Inputs, _: Attributes) -> Any:
    return jax.nn.sigmoid(inputs[0])


def _softmax(inputs: Inputs, attributes: Attributes) -> Any:
    return jax.nn.softmax(inputs[0], axis=attributes.get("axis", -1))


def _product(inputs: Inputs, _: Attributes) -> Any:
    # The highest: accelerators multiply in fewer digits unless they are told.
    return np.matmul(*inputs) if _home(inputs) is np else jnp.matmul(*inputs, precision="highest")


def _gemm(inputs: Inputs, attributes: Attributes) -> Any:
    left = inputs[0].T if attributes.get("transA") else inputs[0]
    right = inputs[1].T if attributes.get("transB") else inputs[1]
    kind = inputs[0].dtype.type
    found = kind(attributes.get("alpha", 1.0)) * _product((left, right), attributes)
    if len(inputs) > 2 and inputs[2] is not None:
        found = found + kind(attributes.get("beta", 1.0)) * inputs[2]
    return found


def _cast(inputs: Inputs, attributes: Attributes) -> Any:
    return inputs[0].astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))


def _constant(_: Inputs, attributes: Attributes) -> Any:
    ((name, value),) = attributes.items()
    kind = {
        "value_float": np.float32,
        "value_floats": np.float32,
        "value_int": np.int64,
        "value_ints": np.int64,
    }
    return value if name == "value" else np.asarray(value, dtype=kind[name])


def _shape(inputs: Inputs, attributes: Attributes) -> Any:
    whole = np.array(inputs[0].shape, dtype=np.int64)
    return whole[attributes.get("start", 0) : attributes.get("end", len(whole))]


def _reshaped(inputs: Inputs, attributes: Attributes) -> Any:
    value, wanted = inputs
    keep = not attributes.get("allowzero")
    sizes = [int(size) for size in wanted]
    return value.reshape([value.shape[at] if keep and size == 0 else size for at, size in enumerate(sizes)])


def _flattened(inputs: Inputs, attributes: Attributes) -> Any:
    (value,), axis = inputs, attributes.get("axis", 1)
    axis = axis + value.ndim if axis < 0 else axis
    return value.reshape(math.prod(value.shape[:axis]), math.prod(value.shape[axis:]))


def _squeezed(inputs: Inputs, _: Attributes) -> Any:
    given = inputs[1] if len(inputs) > 1 else None
    axes = None if given is None else tuple(int(axis) for axis in given)
    return _home(inputs[:1]).squeeze(inputs[0], axis=axes)


def _unsqueezed(inputs: Inputs, _: Attributes) -> Any:
    return _home(inputs[:1]).expand_dims(inputs[0], tuple(int(axis) for axis in inputs[1]))


def _transposed(inputs: Inputs, attributes: Attributes) -> Any:
    return inputs[0].transpose(attributes.get("perm"))


def _concatenated(inputs: Inputs, attributes: Attributes) -> Any:
    return _home(inputs).concatenate(inputs, axis=attributes["axis"])


def _gathered(inputs: Inputs, attributes: Attributes) -> Any:
    value, places = inputs
    axis = attributes.get("axis", 0)
    home = _home(inputs)
    wrapped = home.where(places < 0, places + value.shape[axis], places)
    return home.take(value, wrapped, axis=axis)


def _sliced(inputs: Inputs, _: Attributes) -> Any:
    value, starts, ends, axes, steps = _filled(inputs, 5)
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    where = [slice(None)] * value.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        where[int(axis)] = slice(int(start), int(end), int(step))
    return value[tuple(where)]


def _split(inputs: Inputs, attributes: Attributes) -> Any:
    value, sizes = _filled(inputs, 2)
    axis = attributes.get("axis", 0)
    if sizes is None:
        count = attributes["outputs"]
        each = -(-value.shape[axis] // count)
        ends = [min(each * part, value.shape[axis]) for part in range(1, count)]
    else:
        ends = np.cumsum(np.asarray(sizes))[:-1].tolist()
    return tuple(_home(inputs[:1]).split(value, ends, axis=axis))


OPERATORS: Mapping[str, Operator] = {
    "Abs": _each("abs"),
    "Add": _each("add"),
    "And": _each("logical_and"),
    "Cast": _cast,
    "Clip": _clipped,
    "Concat": _concatenated,
    "Constant": _constant,
    "Div": _divided,
    "Equal": _each("equal"),
    "Exp": _each("exp"),
    "Flatten": _flattened,
    "Gather": _gathered,
    "Gemm": _gemm,
    "Greater": _each("greater"),
    "GreaterOrEqual": _each("greater_equal"),
    "Identity": lambda inputs, _: inputs[0],
    "Less": _each("less"),
    "LessOrEqual": _each("less_equal"),
    "Log": _each("log"),
    "MatMul": _product,
    "Max": _all("maximum"),
    "Min": _all("minimum"),
    "Mul": _each("multiply"),
    "Neg": _each("negative"),
    "Not": _each("logical_not"),
    "Or": _each("logical_or"),
    "Pow": _power,
    "Reciprocal": lambda inputs, _: inputs[0].dtype.type(1) / inputs[0],
    "ReduceMax": _reduced("max"),
    "ReduceMean": _reduced("mean"),
    "ReduceMin": _reduced("min"),
    "ReduceSum": _reduced("sum"),
    "ReduceSumSquare": _reduced("sum", lambda x: x * x),
    "Relu": lambda inputs, _: _home(inputs).maximum(inputs[0], inputs[0].dtype.type(0)),
    "Reshape": _reshaped,
    "Shape": _shape,
    "Sigmoid": _sigmoid,
    "Sign": _each("sign"),
    "Slice": _sliced,
    "Softmax": _softmax,
    "Split": _split,
    "Sqrt": _each("sqrt"),
    "Squeeze": _squeezed,
    "Sub": _each("subtract"),
    "Sum": _all("add"),
    "Tanh": _each("tanh"),
    "Transpose": _transposed,
    "Unsqueeze": _unsqueezed,
    "Where": _each("where"),
}
"""By the name of the operator: all of GRAPH-5."""
