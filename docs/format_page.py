"""Writes docs/format.md, the documents of a bundle field by field, from what their schemas say.

    uv run python docs/format_page.py

A rule of a schema for which there are no words here ends in a `ValueError`: the page leaves nothing out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llb_schema import DOCUMENT_KINDS, FORMAT_VERSION, load_schema
from llb_schema.versions import LINES

__all__ = ["PAGE", "Section", "page", "sections"]

PAGE = Path(__file__).with_name("format.md")

Schema = Mapping[str, Any]

_INTRODUCTION = """\
# The documents of a bundle, field by field

Format version {version}. The words are those of the JSON Schemas in `schema/llb_schema/{folder}`, from which
`docs/format_page.py` writes this page; what the numbers mean, and what is asked of writers and readers, says
[schema/SPEC.md](../schema/SPEC.md).

- Objects are closed: a key that is not in the table is an error, save in `extensions`.
- A *number* is a double; an *integer* is a number without fractional part, however it is written (1.0 is 1).
  *Characters* are those of Unicode. A *form* is a regular expression (ECMA-262) for the whole text.
- In the names of tables a dot goes into an object, `[]` into every entry of a list.
- Linked types with a name are [shared](#common): they mean the same wherever they stand.

The documents, and the objects inside them:
"""
# Every keyword that has words below, or is about the schema itself and needs none.
_KEYWORDS = {
    *("$schema", "$id", "$ref", "$defs", "title", "description", "type", "const", "enum"),
    *("properties", "required", "dependentRequired", "unevaluatedProperties", "allOf", "if", "then", "else"),
    *("additionalProperties", "propertyNames", "minProperties", "maxProperties"),
    *("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_TYPES = {
    "string": "text",
    "number": "number",
    "integer": "integer",
    "boolean": "true or false",
    "null": "null",
}


@dataclass(frozen=True)
class Section:
    """An object of a document, or the shared types.

    Attributes:
        anchor: where links to it go.
        title: its place in the document; of a whole document its name.
        depth: how many objects it lies in.
        meaning: its description.
        columns: heads of its table.
        rows: cells of its table by row, in reading order.
        notes: what else holds under a condition, in sentences.
    """

    anchor: str
    title: str
    depth: int
    meaning: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        mark = "###" if self.depth else "##"
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        notes = "".join(f"\n- {note}" for note in self.notes)
        notes = f"\n{notes}\n" if notes else "\n"
        return f'<a id="{self.anchor}"></a>\n\n{mark} {self.title}\n\n{self.meaning}\n\n{table}{notes}'


def page() -> str:
    """The page as it has to be."""
    parts = sections()
    introduction = _INTRODUCTION.format(version=FORMAT_VERSION, folder=tuple(LINES)[-1])
    contents = "".join(f"{'    ' * part.depth}- [{part.title}](#{part.anchor})\n" for part in parts)
    return "\n".join([introduction, contents, *map(str, parts)])


def sections() -> tuple[Section, ...]:
    """All objects of all documents, each before those inside it, then the shared types."""
    found: list[Section] = []
    for kind in DOCUMENT_KINDS:
        schema = load_schema(kind)
        found += _sections(schema, kind, schema["title"].partition(": ")[2].capitalize(), 0)
    return (*found, *_shared(load_schema("common")["$defs"]))


def _sections(schema: Schema, anchor: str, title: str, depth: int) -> Iterator[Section]:
    required = _required(schema)
    rows = tuple(
        (
            f"`{name}`",
            _type(rule, f"{anchor}-{name}"),
            required.get(name, "no"),
            _text(rule.get("description") or _resolved(rule)["description"]),
            _limits(rule),
        )
        for name, rule in schema["properties"].items()
    )
    columns = ("field", "type", "required", "meaning", "limits")
    yield Section(anchor, title, depth, _text(schema["description"]), columns, rows, tuple(_notes(schema)))
    path = title.strip("`") + "." if depth else ""
    for name, rule in schema["properties"].items():
        inner, suffix = (rule["items"], "[]") if isinstance(rule.get("items"), Mapping) else (rule, "")
        if "properties" in inner:
            yield from _sections(inner, f"{anchor}-{name}", f"`{path}{name}{suffix}`", depth + 1)


def _shared(types: Schema) -> Iterator[Section]:
    rows = tuple(
        (
            f'<a id="common-{name}"></a>`{name}`',
            _type(rule, ""),
            _text(rule["description"]),
            _limits(rule),
        )
        for name, rule in types.items()
        if "properties" not in rule
    )
    columns = ("name", "type", "meaning", "limits")
    yield Section("common", "Shared types", 0, "Types that several tables name.", columns, rows)
    for name, rule in types.items():
        if "properties" in rule:
            yield from _sections(rule, f"common-{name}", f"`{name}`", 1)


def _required(schema: Schema) -> dict[str, str]:
    """When each key has to be there; a key that is missing here never has to be."""
    found: dict[str, str] = {}
    for rule in schema.get("allOf", [schema]):
        if "if" in rule:
            for branch, word in (("then", "if"), ("else", "unless")):
                needed = rule.get(branch, {}).get("required", ())
                found |= dict.fromkeys(needed, f"{word} {_condition(rule['if'])}")
    for key, needed in schema.get("dependentRequired", {}).items():
        found |= dict.fromkeys(needed, f"with `{key}`")
    return found | dict.fromkeys(schema["required"], "yes")


def _notes(schema: Schema) -> Iterator[str]:
    """What a condition asks besides the presence of keys, a sentence for each condition."""
    for rule in schema.get("allOf", [schema]):
        for branch, word in (("then", "If"), ("else", "Unless")):
            asked = {key: value for key, value in rule.get(branch, {}).items() if key != "required"}
            if asked:
                yield f"{word} {_condition(rule['if'])}: {'; '.join(_demands(asked, ''))}."


def _condition(test: Schema) -> str:
    if "properties" not in test:
        (key,) = test["required"]
        return f"`{key}` is there"
    ((key, rule),) = test["properties"].items()
    if "contains" in rule:
        return f"`{key}` has {_value(rule['contains'])}"
    return f"`{key}` is {_value(rule)}"


def _demands(rule: Schema, path: str) -> Iterator[str]:
    """What is asked of the value at a path, and of all inside it, in words."""
    for keyword, value in rule.items():
        match keyword:
            case "properties":
                for key, inner in value.items():
                    yield from _demands(inner, f"{path}.{key}" if path else key)
            case "items":
                yield from _demands(value, f"{path}[]")
            case "required":
                yield from (f"`{path}.{key}` is required" for key in value)
            case "type":
                pass
            case _:
                yield _demand(keyword, rule, path)


def _demand(keyword: str, rule: Schema, path: str) -> str:
    """What one keyword asks of the value at a path itself."""
    value = rule[keyword]
    match keyword:
        case "enum" | "const":
            return f"`{path}` is {_value(rule)}"
        case "not":
            return f"no `{path}`"
        case "maxItems":
            return f"`{path}` has at most {value} entries"
        case "contains" if "const" in value:
            return f"`{path}` has {_value(value)}"
        case "contains":
            return f"there is one of `{path}` whose {_condition(value)}"
        case _:
            raise ValueError(f"no words for a condition on {path} with {keyword}")


def _type(rule: Schema, anchor: str) -> str:
    if unknown := rule.keys() - _KEYWORDS:
        raise ValueError(f"no words for {sorted(unknown)} at {anchor}")
    if "$ref" in rule:
        name, target = _target(rule["$ref"])
        return f"[{name}](#{target})"
    if "const" in rule or "enum" in rule:
        return _value(rule)
    match rule["type"]:
        case "array" if "prefixItems" in rule:
            return f"list: {', '.join(_type(item, anchor) for item in rule['prefixItems'])}"
        case "array":
            return f"list of {_type(rule['items'], anchor)}"
        case "object" if "properties" in rule:
            return f"[object](#{anchor})"
        case "object" if "additionalProperties" in rule:
            names = _type(rule["propertyNames"], anchor) if "propertyNames" in rule else "text"
            return f"object: {names} to {_type(rule['additionalProperties'], anchor)}"
        case "object":
            return "open object"
        case str(word):
            return _TYPES[word]
        case words:
            return " or ".join(_TYPES[word] for word in words)


def _value(rule: Schema) -> str:
    """The only value, or the choice of values."""
    *others, last = [f"`{value}`" for value in rule.get("enum", [rule.get("const")])]
    return f"{', '.join(others)} or {last}" if others else last


def _limits(rule: Schema) -> str:
    """What is asked of a value besides its type."""
    entries = ("entry", "entries")
    parts = [
        _size(rule.get("minLength"), rule.get("maxLength"), "character", "characters"),
        f"form `{rule['pattern']}`".replace("|", "\\|") if "pattern" in rule else "",
        _range(rule.get("minimum"), rule.get("maximum"), rule.get("exclusiveMinimum")),
        f"below {_number(rule['exclusiveMaximum'])}" if "exclusiveMaximum" in rule else "",
        # The type of a list of fixed entries shows how many they are.
        "" if "prefixItems" in rule else _size(rule.get("minItems"), rule.get("maxItems"), *entries),
        "none twice" if rule.get("uniqueItems") else "",
        _size(rule.get("minProperties"), rule.get("maxProperties"), *entries),
    ]
    inner = {"each": rule.get("items"), "names": rule.get("propertyNames")}
    for word, schema in inner.items():
        if isinstance(schema, Mapping) and (limits := _limits(schema)):
            parts.append(f"{word}: {limits}")
    return "; ".join(part for part in parts if part)


def _size(low: int | None, high: int | None, one: str, many: str) -> str:
    """Bounds on a number of things, each of which may be missing; a lower bound of 0 says nothing."""
    bounds = _range(low or None, high)
    return f"{bounds} {one if bounds.split()[-1] == '1' else many}" if bounds else ""


def _range(low: float | None, high: float | None, above: float | None = None) -> str:
    """Bounds on a number, each of which may be missing."""
    if above is not None:
        return f"above {_number(above)}" + ("" if high is None else f", at most {_number(high)}")
    if low is None:
        return "" if high is None else f"at most {_number(high)}"
    if high is None:
        return f"at least {_number(low)}"
    return _number(low) if low == high else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    if value == 2**53 - 1:
        return "2^53 - 1"
    return re.sub(r"e\+0*", "e", f"{value:g}") if abs(value) >= 1e6 else str(value)


def _target(reference: str) -> tuple[str, str]:
    """Name and anchor of what a reference means: a shared type, or a whole document."""
    kind, _, name = reference.split(":")[-1].partition("#/$defs/")
    return (name, f"common-{name}") if name else (kind, kind)


def _resolved(rule: Schema) -> Schema:
    name, anchor = _target(rule["$ref"])
    return load_schema(name) if anchor == name else load_schema("common")["$defs"][name]


def _text(text: str) -> str:
    """A description in a cell of a table: nothing outside of its code is markup."""
    parts = re.split(r"(`[^`]*`)", text)
    plain = [part if part.startswith("`") else re.sub(r"([*<])", r"\\\1", part) for part in parts]
    return "".join(plain).replace("|", "\\|")


if __name__ == "__main__":
    (Path(sys.argv[1]) if sys.argv[1:] else PAGE).write_text(page(), encoding="utf-8", newline="\n")
