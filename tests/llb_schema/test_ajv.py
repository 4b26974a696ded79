"""The schemas mean the same to ajv, a validator in another language, as to the one behind our findings."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import bundles
import pytest
from densities import FULL, REGRESSION, density_manifest, density_vectors
from hypothesis import given, settings
from messages import MESSAGES
from mutations import edges, mutated
from outside import node

from llb.bundle import open_container, parse_json
from llb.validation import DEFAULT_LEVEL, validate
from llb_conformance import counting_model, parabola_model, write_quadratic
from llb_conformance.corpus import corpus, good_bundle, write_case
from llb_schema import DOCUMENT_KINDS, DocumentKind, FindingError, finding, load_schema
from llb_schema.registry import schema_validator
from llb_schema.versions import LINES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "tests" / "ajv"
SCHEMAS = ROOT / "schema" / "llb_schema" / tuple(LINES)[-1]
DOCUMENTS: dict[str, DocumentKind] = {"manifest.json": "manifest", bundles.VECTORS: "vectors"}
LEVEL_OF_SCHEMAS = 1


class Ajv:
    """`tests/ajv/validate.mjs` at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin
        assert process.stdout
        self.questions, self.answers = process.stdin, process.stdout

    def accepts(self, kind: DocumentKind, document: Any) -> bool:
        """Whether the document follows the schema."""
        print(json.dumps({"schema": load_schema(kind)["$id"], "document": document}), file=self.questions)
        self.questions.flush()
        answer = self.answers.readline().strip()
        assert answer in ("valid", "invalid"), "ajv gave up, see stderr"
        return answer == "valid"


@pytest.fixture(scope="module")
def ajv() -> Iterator[Ajv]:
    command = [node(PROJECT), str(PROJECT / "validate.mjs"), str(SCHEMAS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as process:
        yield Ajv(process)
    assert process.returncode == 0


def ours(kind: DocumentKind, document: Any) -> bool:
    return schema_validator(kind).is_valid(document)


def documents(bundle: Path) -> Iterator[tuple[DocumentKind, Any]]:
    """The documents of a bundle that are strict JSON; the others are no matter of a schema."""
    with suppress(FindingError):
        container = open_container(bundle)
        for path in container.sizes.keys() & DOCUMENTS.keys():
            with suppress(FindingError):
                yield DOCUMENTS[path], parse_json(container.read(path), path)


def report(bundle: Path, level: int) -> tuple[DocumentKind, Any]:
    return "report", validate(bundle, level).to_json()


def test_good_bundles_and_their_reports_are_accepted(ajv: Ajv, tmp_path: Path) -> None:
    models = {"counting": counting_model(), "parabola": parabola_model()}
    good = [write_quadratic(model, tmp_path / f"{name}.llb") for name, model in models.items()]
    good += [bundles.write(tmp_path / "exact.llb")]
    good += [
        bundles.write(tmp_path / "stating.llb", bundles.stating, {bundles.GRAPH: bundles.stating_graph()})
    ]
    for bundle in good:
        found = [*documents(bundle), report(bundle, DEFAULT_LEVEL)]
        assert len(found) == len(DOCUMENTS) + 1
        for kind, document in found:
            assert ajv.accepts(kind, document), (bundle, kind)
            assert ours(kind, document), (bundle, kind)


def test_bad_bundles_are_refused_for_their_schema_or_not_by_both(ajv: Ajv, tmp_path: Path) -> None:
    counts = {True: 0, False: 0}
    apart: list[str] = []
    for item in corpus():
        bundle = write_case(item, tmp_path)
        for kind, document in (*documents(bundle), report(bundle, LEVEL_OF_SCHEMAS)):
            answer = ours(kind, document)
            counts[answer] += 1
            if ajv.accepts(kind, document) != answer:
                apart.append(f"{item.id}: {kind}")
    assert apart == []
    assert counts[True] > 500
    assert counts[False] > 50


def complete() -> Any:
    """A manifest with all optional keys; only its schema has to like it."""
    document = json.loads(good_bundle()["manifest.json"])
    software = [{"name": "llb", "version": "1.0"}]
    document |= {"supersedes": "corpus@0.9.0"}
    document["authors"][0] |= {"orcid": "0000-0002-1825-0097", "affiliation": "An institute"}
    document["teacher"] |= {"third_moments": False, "software": software}
    document["provenance"] |= {"training": "provenance/training.json", "software": software}
    document["extensions"] = {"org.example.colour": "red"}
    return document


def recipe() -> Any:
    """A recipe that says everything."""
    properties = load_schema("recipe")["properties"]
    sections = {name: rule["properties"] for name, rule in properties.items() if "properties" in rule}
    values = {"integer": 1, "number": 0.5, "string": "mixed"}
    said = {
        name: {key: values[rule["type"]] for key, rule in keys.items()} for name, keys in sections.items()
    }
    return {"format": "llb-recipe", "format_version": "1.0", "seed": 1, **said}


def conditional_density(family: str) -> Any:
    document = density_manifest(family, conditional=True)
    if family == FULL:
        document["density"]["prior"][0] |= {"kind": "other", "text": "flat in the logarithm"}
    document["conditions"][0]["bounds"]["upper"] = 9.0
    files = document["teacher"]["files"]
    document["teacher"] = {"kind": "other", "text": "Samples of a chain.", "files": files, "software": []}
    return document


FOUND = finding("LLB-I001", pointer="a").to_json()
GOOD: list[tuple[DocumentKind, Any]] = [
    ("manifest", complete()),
    ("manifest", conditional_density(FULL)),
    ("manifest", conditional_density(REGRESSION)),
    ("vectors", json.loads(good_bundle()[bundles.VECTORS])),
    ("vectors", density_vectors(FULL, conditional=True)),
    ("finding", FOUND),
    (
        "report",
        {
            "status": "invalid",
            "level": 2,
            "profile": "publishable",
            "findings": [FOUND],
            "bundle": {"location": "x", "id": None},
        },
    ),
    ("recipe", recipe()),
]
SAID: list[tuple[DocumentKind, Any]] = [("protocol", message) for message in MESSAGES]
NAMES = [f"{kind}-{number}" for number, (kind, _) in enumerate(GOOD)]


def described(schema: Any) -> set[str]:
    """All keys that a schema knows."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    own = set(schema.get("properties", ())) if isinstance(schema, dict) else set[str]()
    return own.union(*map(described, parts))


def used(document: Any) -> set[str]:
    """All keys in a document."""
    parts = (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    )
    return set(document if isinstance(document, dict) else ()).union(*map(used, parts))


def test_what_is_mutated_is_good_and_has_every_key_of_every_kind() -> None:
    keys: dict[str, set[str]] = {}
    for kind, document in [*GOOD, *SAID]:
        assert ours(kind, document), kind
        keys.setdefault(kind, set()).update(used(document))
    assert keys.keys() == {*DOCUMENT_KINDS, "protocol"}
    for kind, found in keys.items():
        assert described(load_schema(kind)) <= found, kind


@pytest.mark.parametrize(("kind", "document"), GOOD, ids=NAMES)
def test_both_sides_of_every_rule_are_told_apart_alike(ajv: Ajv, kind: DocumentKind, document: Any) -> None:
    counts = {True: 0, False: 0}
    for changed in edges(document, kind):
        answer = ours(kind, changed)
        counts[answer] += 1
        assert ajv.accepts(kind, changed) == answer, changed
    assert min(counts.values()) > 50


def test_the_messages_of_the_protocol_are_told_apart_alike(ajv: Ajv) -> None:
    counts = {True: 0, False: 0}
    for kind, message in SAID:
        for changed in edges(message, kind):
            answer = ours(kind, changed)
            counts[answer] += 1
            assert ajv.accepts(kind, changed) == answer, changed
    assert min(counts.values()) > 50


@pytest.mark.parametrize(("kind", "document"), GOOD, ids=NAMES)
def test_mutated_documents_are_refused_by_both_or_none(ajv: Ajv, kind: DocumentKind, document: Any) -> None:
    seen: set[bool] = set()

    @settings(max_examples=300)
    @given(mutated(document, kind))
    def agree(changed: Any) -> None:
        answer = ours(kind, changed)
        seen.add(answer)
        assert ajv.accepts(kind, changed) == answer

    agree()
    assert seen == {True, False}
