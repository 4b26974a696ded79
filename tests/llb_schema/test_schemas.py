"""The schema files of the newest version, all of them, as they have to be written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from llb_schema import DOCUMENT_KINDS, load_schema
from llb_schema.versions import LINES

VERSION = tuple(LINES)[-1]
FOLDER = Path(__file__).resolve().parents[2] / "schema" / "llb_schema" / VERSION
SCHEMAS: dict[str, Any] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(FOLDER.glob("*"))
}


def walk(schema: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects inside a schema, itself included, with their places."""
    if isinstance(schema, dict):
        yield place, schema
        for key, value in schema.items():
            yield from walk(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from walk(value, f"{place}/{index}")


def conditional(place: str) -> bool:
    """Whether it speaks about an object that is described, and closed, around it."""
    return bool({"if", "then", "else"} & set(place.split("/")))


def choice(part: dict[str, Any]) -> bool:
    """Whether it only chooses between objects, each of which is closed."""
    return "allOf" in part and all(item["then"].keys() == {"$ref"} for item in part["allOf"])


def resolved(reference: str) -> Any:
    identifier, _, path = reference.partition("#/")
    found = next(schema for schema in SCHEMAS.values() if schema["$id"] == identifier)
    for part in path.split("/") if path else ():
        found = found[part]
    return found


def test_there_is_a_schema_of_every_kind_and_no_other_file() -> None:
    assert set(SCHEMAS) == {"common", *DOCUMENT_KINDS, "protocol"}


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_a_schema_of_draft_2020_12_under_the_name_of_its_version(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:llb:schema:{VERSION}:{name}"
    assert schema["title"].startswith(f"LLB {VERSION}: ")
    assert schema == load_schema(name)
    # One document, one name: nothing inside it takes another.
    assert not [place for place, part in walk(schema, "") if place and {"$id", "$schema"} & part.keys()]


@pytest.mark.parametrize("name", SCHEMAS)
def test_references_stay_in_the_version_and_lead_somewhere(name: str) -> None:
    assert not [place for place, part in walk(SCHEMAS[name], "") if "$dynamicRef" in part]
    for place, part in walk(SCHEMAS[name], ""):
        if "$ref" in part:
            assert part["$ref"].startswith(f"urn:llb:schema:{VERSION}:"), place
            assert resolved(part["$ref"])["description"], place


@pytest.mark.parametrize("name", SCHEMAS)
def test_objects_are_closed_but_extensions(name: str) -> None:
    for place, part in walk(SCHEMAS[name], ""):
        if part.get("type") != "object" and "properties" not in part:
            continue
        if conditional(place) or choice(part):
            continue
        if place == "/properties/extensions":
            assert "unevaluatedProperties" not in part
        elif part.get("additionalProperties") is False:
            # Closed as well; of an object that names its keys under conditions, too, ajv keeps only this.
            assert "unevaluatedProperties" not in part, place
            assert any("properties" in rule.get("then", {}) or "else" in rule for rule in part["allOf"]), (
                place
            )
        elif "additionalProperties" in part:
            # Any names, but each value is described.
            assert "properties" not in part, place
            assert isinstance(part["additionalProperties"], dict), place
        elif name == "protocol" and not place:
            assert {part[word]["$ref"].split("/")[-1] for word in ("then", "else")} == {"request", "reply"}
        else:
            assert part["unevaluatedProperties"] is False, place


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described(name: str) -> None:
    """In a sentence of its own or, by reference, in that of its type."""
    for place, part in walk(SCHEMAS[name], ""):
        if "properties" in part and not conditional(place):
            assert part["description"], place
            for key, rule in part["properties"].items():
                text = rule.get("description") or resolved(rule["$ref"])["description"]
                assert re.fullmatch(r"\S.*[.)]", text), f"{place}/{key}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_fault_has_one_place(name: str) -> None:
    """Of a choice between whole schemas a validator can only say that none fits."""
    for place, part in walk(SCHEMAS[name], ""):
        assert not {"oneOf", "anyOf"} & part.keys(), place
        # "Never" of a key that belongs to another kind is a fault of that key alone.
        assert part.get("not", {}) == {}, place
