"""JSON documents with faults, or nearly: good ones with values changed to either side of a rule."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from llb_schema import DocumentKind, load_schema

__all__ = ["edges", "mutated"]

# Longer lists and objects show nothing that these do not.
_MAX_ENTRIES = 101
# One of each type; names that objects of JavaScript have without being asked.
_FOREIGN: tuple[Any, ...] = (None, True, False, 0, -1, 0.5, 1.0, 1e300, "", "é", [], {}, [0], {"": 0})
_NAMES = ("", "colour", "org.example.x", "Org.example", "SR[0]", "observed")
_LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_INHERITED = ("__proto__", "constructor", "toString", "hasOwnProperty")


@dataclass(frozen=True)
class _Place:
    """A key of an object or a position in a list, the rules for the value there, and where they stand."""

    holder: Any
    key: Any
    rule: dict[str, Any]
    path: str


def edges(document: Any, kind: DocumentKind) -> Iterator[Any]:
    """The document with one value changed or left out: all sides of all rules, each rule once.

    It is one document, which is changed again when the next is asked for.
    """
    root = {"": copy.deepcopy(document)}
    once = {place.path: place for place in _places(root, kind)}
    for place in once.values():
        holder, key, good = place.holder, place.key, place.holder[place.key]
        for value in _alternatives(good, place.rule):
            holder[key] = value
            yield root[""]
        if isinstance(holder, list):
            del holder[key]
            yield root[""]
            holder.insert(key, good)
        elif holder is not root:
            del holder[key]
            yield root[""]
        holder[key] = good


@st.composite
def mutated(draw: st.DrawFn, document: Any, kind: DocumentKind) -> Any:
    """Strict JSON: the document after one to three changes, each at any place in it."""
    root = {"": copy.deepcopy(document)}
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(list(_places(root, kind))))
        if place.holder is root or draw(st.integers(0, 5)):
            sided = st.sampled_from(list(_alternatives(place.holder[place.key], place.rule)))
            # Later changes may reach into it, and what hypothesis draws has to stay as it is.
            place.holder[place.key] = copy.deepcopy(draw(sided | _values))
        else:
            del place.holder[place.key]
    return root[""]


_leaves = (
    st.sampled_from(_FOREIGN)
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*_NAMES, *_INHERITED]), inner, max_size=3)
    ),
    max_leaves=5,
)


def _places(root: dict[str, Any], kind: DocumentKind) -> Iterator[_Place]:
    """All places of a document, which lies in the root."""
    yield from _inside(_Place(root, "", {"$ref": load_schema(kind)["$id"]}, ""))


def _inside(place: _Place) -> Iterator[_Place]:
    """A place, and all in the value that is there."""
    rule = place.rule
    if "$ref" in rule:
        rule = {**_resolved(rule["$ref"]), **{name: value for name, value in rule.items() if name != "$ref"}}
    yield replace(place, rule=rule)
    match place.holder[place.key]:
        case dict() as value:
            for name in value:
                inner = rule.get("properties", {}).get(name, rule.get("additionalProperties") or {})
                yield from _inside(_Place(value, name, inner, f"{place.path}/{name}"))
        case list() as value:
            fixed = rule.get("prefixItems", [])
            for position in range(len(value)):
                known = position < len(fixed)
                inner = fixed[position] if known else rule.get("items") or {}
                yield from _inside(
                    _Place(value, position, inner, f"{place.path}/{position if known else '*'}")
                )
        case _:
            pass


def _resolved(reference: str) -> dict[str, Any]:
    name, _, definition = reference.split(":")[-1].partition("#/$defs/")
    schema = load_schema(name)
    return dict(schema["$defs"][definition] if definition else schema)


def _alternatives(value: Any, rule: dict[str, Any]) -> Iterator[Any]:
    """Values that could stand in place of a good one: foreign ones, and those at the limits of the rules."""
    yield from _FOREIGN
    for word in (*rule.get("enum", ()), rule.get("const", "")):
        yield from (word, str(word).upper(), f"{word}\n")
    for limit in (rule[name] for name in _LIMITS if name in rule):
        yield from (limit, float(limit), limit - 1, limit + 1, limit + 0.5)
        yield from (math.nextafter(limit, math.inf), math.nextafter(limit, -math.inf))
    match value:
        case str():
            yield from (f"{value}\n", f" {value}", f"{value}é", value.upper(), value[:-1])
            for size in _sizes(rule, "minLength", "maxLength"):
                yield from (value[:size].ljust(size, value[-1:] or "a"), "😀" * size)
        case list():
            for size in _sizes(rule, "minItems", "maxItems"):
                yield [value[number % len(value)] for number in range(size)] if value else [0]
        case dict():
            for name in (*_NAMES, *_INHERITED):
                yield {**value, name: 0}
            for size in _sizes(rule, "minProperties", "maxProperties"):
                yield {f"org.example.x{number}": 0 for number in range(size)}
        case _:
            pass


def _sizes(rule: dict[str, Any], *names: str) -> Iterator[int]:
    for limit in (rule[name] for name in names if name in rule):
        if "Length" in names[0] or limit < _MAX_ENTRIES:
            yield from (size for size in (limit - 1, limit, limit + 1) if size >= 0)
