"""Validation of JSON documents against the schemas of the format, offline, as findings.

The schemas lie beside this file; the registry knows only them and has no way to fetch anything.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, cast

from llb_schema.findings import Finding, Severity, finding, has_errors
from llb_schema.versions import LINES, READER, Reader, check_version, is_newer_growth, line_of

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

__all__ = ["DOCUMENT_KINDS", "DocumentKind", "load_schema", "schema_validator", "validate_document"]

DocumentKind = Literal["manifest", "vectors", "finding", "report", "recipe", "protocol"]
DOCUMENT_KINDS: tuple[DocumentKind, ...] = ("manifest", "vectors", "finding", "report", "recipe")
"""Kinds of documents; besides them there are the messages of the `protocol`."""

# Kinds that are parts of a bundle say what they are, and of which version.
_FORMATS = {"manifest": "llb", "vectors": "llb-vectors"}
_CURRENT = tuple(LINES)[-1]
_MAX_FINDINGS = 200
# Errors after which nobody looks further: there may be millions of them.
_MAX_ERRORS = 1000
_CODES = {
    "required": "LLB-S001",
    "dependentRequired": "LLB-S001",
    "unevaluatedProperties": "LLB-S002",
    "additionalProperties": "LLB-S002",
    "type": "LLB-S003",
    "enum": "LLB-S004",
    "const": "LLB-S004",
    "pattern": "LLB-S005",
    "minLength": "LLB-S005",
    "maxLength": "LLB-S005",
    "minimum": "LLB-S006",
    "maximum": "LLB-S006",
    "exclusiveMinimum": "LLB-S006",
    "exclusiveMaximum": "LLB-S006",
    "minItems": "LLB-S007",
    "maxItems": "LLB-S007",
    "uniqueItems": "LLB-S007",
    "minProperties": "LLB-S007",
    "maxProperties": "LLB-S007",
}
_WORDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "minProperties": "at least {} entries",
    "maxProperties": "at most {} entries",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "uniqueItems": "no item twice",
    "contains": "an item that is {}",
    "pattern": "a string like {}",
}


@cache
def load_schema(name: str, line: str = _CURRENT) -> Mapping[str, Any]:
    """A schema as JSON, not to be changed.

    Args:
        name: one of `DOCUMENT_KINDS`, or `common`.
        line: MAJOR.MINOR of a released format, a key of `llb_schema.versions.LINES`.

    Raises:
        FileNotFoundError: there is no such schema.
    """
    file = resources.files("llb_schema").joinpath(line, f"{name}.schema.json")
    return json.loads(file.read_text(encoding="utf-8"))


def validate_document(document: object, kind: DocumentKind, reader: Reader = READER) -> tuple[Finding, ...]:
    """All findings about a document: format, version and features first, then the rules of its schema.

    A document of an older supported version is checked by the schemas of that version.

    Args:
        document: a JSON value, read by a strict parser (NaN and duplicate keys are beyond a schema).
        kind: which schema it has to follow.
        reader: whose features and families count.

    Returns:
        The findings sorted by code and place, none for a good document. When the format, its version
        or the family is not understood nothing else is said, for the rest has no meaning then.
    """
    if kind not in _FORMATS:
        return _finish(_bounded(_schema_findings(document, kind, _CURRENT)))
    if not isinstance(document, Mapping):
        return (
            finding(
                "LLB-S003", "the document is not a JSON object", expected="object", actual=_show(document)
            ),
        )
    if document.get("format") != _FORMATS[kind]:
        actual = _show(document.get("format"))
        return (finding("LLB-S013", pointer="/format", expected=_FORMATS[kind], actual=actual),)
    versions = check_version(document, reader)
    if has_errors(versions):
        return versions
    found = _schema_findings(document, kind, line_of(document))
    if is_newer_growth(document):
        found = (_forgive(item) for item in found)
    return _finish([*versions, *_bounded(found)])


def _bounded(findings: Iterable[Finding]) -> Iterator[Finding]:
    errors = 0
    for item in findings:
        yield item
        errors += item.severity is Severity.ERROR
        if errors == _MAX_ERRORS:
            return


def _finish(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    merged: dict[tuple[str, str, str], Finding] = {}
    for item in findings:
        # A string may break its pattern and its length at once; that is one fault.
        key = (item.code, item.pointer, item.message)
        known = merged.get(key, item)
        expected = sorted({known.expected, item.expected})
        # The schema of a family may leave fewer values than the one of all; these are the ones.
        merged[key] = replace(
            item, expected=min(expected, key=len) if item.code == "LLB-S004" else " and ".join(expected)
        )
    ordered = [merged[key] for key in sorted(merged)]
    more = len(ordered) - _MAX_FINDINGS
    if more > 0:
        ordered = [*ordered[:_MAX_FINDINGS], finding("LLB-S016", f"at least {more} more faults")]
    return tuple(ordered)


def _forgive(item: Finding) -> Finding:
    """An unknown key is no fault in a document of a newer version."""
    if item.code != "LLB-S002":
        return item
    return finding("LLB-S008", pointer=item.pointer, actual=item.actual)


@cache
def schema_validator(kind: DocumentKind, line: str = _CURRENT) -> Draft202012Validator:
    """The validator of a schema alone: without versions, patterns as ECMA-262 has them, and offline."""
    # Imported here: together they take longer than all of llb_schema.
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    files = (file.name for file in resources.files("llb_schema").joinpath(line).iterdir())
    schemas = [dict(load_schema(name.removesuffix(".schema.json"), line)) for name in files]
    for schema in schemas:
        # A reference to a schema that names its dialect would be followed by jsonschema's own validator.
        del schema["$schema"]
    registry = Registry().with_resources(
        (schema["$id"], DRAFT202012.create_resource(schema)) for schema in schemas
    )
    rules = {"pattern": _pattern, "uniqueItems": _unique}
    return extend(Draft202012Validator, rules)(load_schema(kind, line), registry=registry)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """The rule `pattern` as ECMA-262 has it: in Python `$` would let a trailing newline pass."""
    from jsonschema import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError("pattern")


def _unique(_validator: Any, wanted: bool, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    """The rule `uniqueItems` for lists of strings; the library's own compares every pair of a mixed list."""
    from jsonschema import ValidationError

    names = [item for item in instance if isinstance(item, str)] if isinstance(instance, list) else []
    if wanted and len(set(names)) < len(names):
        yield ValidationError("uniqueItems")


def _schema_findings(document: Any, kind: DocumentKind, line: str) -> Iterator[Finding]:
    for error in schema_validator(kind, line).iter_errors(document):
        yield from _translate(error)


def _translate(error: ValidationError) -> Iterator[Finding]:
    """The findings in one error: one for every missing or unknown key."""
    place = _pointer(error.absolute_path)
    rule, instance = str(error.validator), cast(Any, error.instance)
    # The error type leaves open what a rule's value is; the schemas are ours and say so.
    value = cast(Any, error.validator_value)
    schema = cast(Any, error.schema)
    code = _CODES.get(rule, "LLB-S009")
    shown = _show(instance)
    if rule == "required":
        for key in [key for key in value if key not in instance]:
            yield finding(code, f"the key {key!r} is missing", pointer=_join(place, key), expected=key)
    elif rule == "dependentRequired":
        for key, needed in value.items():
            for other in [other for other in needed if key in instance and other not in instance]:
                yield finding(code, f"{key!r} needs {other!r} beside it", pointer=_join(place, other))
    elif rule in ("unevaluatedProperties", "additionalProperties"):
        for key in [key for key in instance if key not in schema["properties"]]:
            message = f"the key {_show(key)} is unknown here"
            yield finding(code, message, pointer=_join(place, key), actual=_show(key))
    elif rule == "not":
        # The schemas say it of keys that belong to another kind; a schema `false` would lose its place.
        key = str(error.absolute_path[-1])
        yield finding("LLB-S002", f"the key {key!r} does not belong here", pointer=place, actual=key)
    elif "propertyNames" in list(cast(Any, error.absolute_schema_path)):
        yield finding("LLB-S002", f"the name {shown} is not allowed here", pointer=place, actual=shown)
    else:
        yield finding(code, pointer=place, expected=_expectation(rule, value), actual=shown)


def _expectation(rule: str, value: Any) -> str:
    if rule == "enum":
        return ", ".join(map(str, value))
    if rule == "type":
        return value if isinstance(value, str) else " or ".join(value)
    if rule == "contains":
        value = json.dumps(value.get("const", value.get("properties")))
    return _WORDS.get(rule, "{}").format(value)


def _pointer(path: Iterable[str | int]) -> str:
    pointer = ""
    for part in path:
        pointer = _join(pointer, part)
    return pointer


def _join(pointer: str, part: str | int) -> str:
    escaped = str(part)[:200].replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{escaped}"


def _show(value: object) -> str:
    """The value in a form that is short whatever it is."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return reprlib.repr(value)
