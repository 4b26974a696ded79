"""JSON documents with small faults, made by hypothesis from good ones and from what the schemas say."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from llb_schema import DOCUMENT_KINDS, load_schema

__all__ = ["mutated"]

# Longer texts and lists show nothing that these do not.
_MAX_TEXT, _MAX_LIST = 301, 101
# Names that objects of JavaScript have without being asked.
_INHERITED = ("__proto__", "constructor", "toString", "hasOwnProperty")


def _walk(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """All (container, key or position, value) inside a JSON value."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        yield value, key, item
        yield from _walk(item)


_RULES = [rule for kind in ("common", *DOCUMENT_KINDS) for rule in _walk(load_schema(kind))]
# What the schemas name: limits and words are where two validators may part.
_LIMITS = sorted({value for _, _, value in _RULES if type(value) in (int, float)})
_WORDS = sorted({value for holder, _, value in _RULES if isinstance(holder, list) and type(value) is str})
_NAMES = {name for _, rule, value in _RULES if rule == "properties" for name in value}
_SIZES = sorted({int(limit) for limit in _LIMITS if 0 <= limit < _MAX_TEXT})

_numbers = st.sampled_from(_LIMITS).flatmap(
    lambda limit: st.sampled_from([limit, limit - 1, limit + 1, float(limit), limit + 0.5, -limit])
)
_texts = st.builds(
    lambda character, size, more: character * (size + more),
    st.sampled_from("a0-é😀\n"),
    st.sampled_from(_SIZES),
    st.sampled_from((-1, 0, 1)),
)
_keys = st.sampled_from([*sorted(_NAMES), *_INHERITED, "", "org.example.x", "Org.example", "SR[0]"])
_leaves = (
    st.none()
    | st.booleans()
    | _numbers.filter(lambda number: isinstance(number, float) or abs(number) < 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts
    | st.sampled_from(_WORDS)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
_values = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """Strict JSON: the document after one to three changes, each at any place in it."""
    result = {"": copy.deepcopy(document)}
    for _ in range(draw(st.integers(1, 3))):
        holder, key, value = draw(st.sampled_from(list(_walk(result))))
        _change(draw, holder, key, value)
        result.setdefault("", None)
    return result[""]


def _change(draw: st.DrawFn, holder: Any, key: Any, value: Any) -> None:
    """Replaces a value, drops it, or makes it larger."""
    match draw(st.sampled_from(["replace", "drop", "grow"])), value:
        case "drop", _:
            del holder[key]
        case "grow", dict():
            value[draw(_keys)] = draw(_values)
        case "grow", list():
            items = value or [draw(_values)]
            size = draw(st.sampled_from([size for size in _SIZES if size <= _MAX_LIST]))
            holder[key] = [copy.deepcopy(items[position % len(items)]) for position in range(size)]
        case "grow", str():
            grown = [f"{value}\n", value.upper(), f" {value}", f"{value}é", value[:-1]]
            holder[key] = draw(st.sampled_from(grown))
        case _:
            holder[key] = draw(_values)
