"""The examples of the catalogue are faults of the negative corpus, wherever it has one of the code."""

from __future__ import annotations

import json
import re

import pytest
from click import Context, Group

from llb.cli.main import cli
from llb_conformance.corpus import Folder, corpus, good_bundle
from llb_schema import catalogue

CASES = {item.id: item for item in corpus()}
CODES = {item.code for item in corpus()}
ORIGIN = re.compile(r"corpus case (\S+), found at (.+)")
# Described in words: the fault is one of bytes, of a container or of a graph, or of what is not there.
IN_WORDS = re.compile(r"LLB-(A...|G...|N00[2-6]|N01.|P00[28]|I00[234]|C00[126]|C008)")


def texts(contents: dict[str, bytes]) -> list[str]:
    """The documents and tables of a bundle as they are and, where they are JSON, on one line."""
    found: list[str] = []
    for path, data in contents.items():
        text = data.decode("utf-8", "backslashreplace")
        found.append(text)
        if path.endswith(".json"):
            try:
                found.append(json.dumps(json.loads(text)))
            except ValueError:
                continue
    return found


def shown(example: str, documents: list[str]) -> bool:
    """Whether a document has the piece; ` ... ` stands for anything, `...` for more digits."""
    parts = [r"\S*?".join(map(re.escape, part.split("..."))) for part in example.split(" ... ")]
    pattern = re.compile(r".*?".join(parts), re.DOTALL)
    return any(pattern.search(text) for text in documents)


@pytest.mark.parametrize("code", sorted(CODES))
def test_an_example_is_a_case_of_the_corpus(code: str) -> None:
    fragment, _, origin = catalogue()[code].example.rpartition("\n")
    match = ORIGIN.fullmatch(origin)
    assert match is not None
    case = CASES[match[1]]
    assert (case.code, case.pointer or "the bundle") == (code, match[2])
    assert bool(fragment)
    if IN_WORDS.fullmatch(code):
        return
    made = case.build()
    assert isinstance(made, Folder)
    assert shown(fragment, texts(dict(made.files)))
    assert not shown(fragment, texts(good_bundle()))


@pytest.mark.parametrize("code", sorted(set(catalogue()) - CODES))
def test_other_examples_claim_no_case(code: str) -> None:
    assert "corpus case" not in catalogue()[code].example


def test_examples_are_short_and_differ() -> None:
    examples = [entry.example for entry in catalogue().values()]
    assert len(set(examples)) == len(examples)
    for text in examples:
        assert text.strip() == text
        assert 0 < len(text) <= 200
        assert text.count("\n") <= 2
        assert all(line.isprintable() for line in text.splitlines())


def test_a_fragment_is_found_by_its_digits_and_gaps() -> None:
    assert shown('"a": 1.5..., ... "b": 2', ['{"a": 1.5067, "x": 0, "b": 2}'])
    assert not shown('"a": 1.5...}', ['{"a": 1.5067, "x": 0}'])


COMMAND = re.compile(r"llb ([a-z]+)([^,\n]*)")


@pytest.mark.parametrize("code", [code for code, entry in catalogue().items() if "llb " in entry.example])
def test_commands_in_examples_have_these_options(code: str) -> None:
    for name, arguments in COMMAND.findall(catalogue()[code].example):
        command = cli.get_command(Context(cli), name)
        if isinstance(command, Group):
            command = command.get_command(Context(command), arguments.split()[0])
        assert command is not None, name
        known = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", arguments)) <= known
