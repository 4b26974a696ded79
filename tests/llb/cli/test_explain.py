from __future__ import annotations

import json

import pytest
from commands import run

from llb_schema import FAMILIES, catalogue


@pytest.mark.parametrize("spelling", ["LLB-I001", "llb-i001", "I001"])
def test_a_code_for_people(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "explain", spelling)
    assert (code, err) == (0, "")
    entry = catalogue()["LLB-I001"]
    flat = " ".join(out.split())
    for part in ("LLB-I001, error", entry.title, entry.cause, entry.hint, "INTEGRITY-2"):
        assert part in flat


def test_a_limit_of_the_software_names_no_requirement(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "explain", "LLB-X002")
    assert "requirement" not in out


def test_a_code_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "explain", "LLB-M013", "--format", "json")
    assert (code, err) == (0, "")
    entry = catalogue()["LLB-M013"]
    assert json.loads(out) == {
        "code": "LLB-M013",
        "family": "M",
        "severity": "warning",
        "requirement": "CURVE-3",
        "title": entry.title,
        "cause": entry.cause,
        "hint": entry.hint,
        "example": entry.example,
    }


def test_an_example_is_shown_when_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    # The longest lines stay whole.
    code = max(catalogue(), key=lambda code: max(map(len, catalogue()[code].example.splitlines())))
    lines = catalogue()[code].example.splitlines()
    _, plain, _ = run(capsys, "explain", code)
    status, out, err = run(capsys, "explain", code, "--example")
    assert (status, err) == (0, "")
    assert out.splitlines() == [*plain.splitlines(), "", *(f"  {line}" for line in lines)]


def test_all_codes_by_family(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "explain")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  LLB-")] == [
        code for letter in FAMILIES for code, entry in catalogue().items() if entry.family == letter
    ]
    assert [line for line in lines if line and not line.startswith(" ")] == [
        f"{letter}, {what}:" for letter, what in FAMILIES.items()
    ]
    _, out, _ = run(capsys, "explain", "--format", "json")
    assert {entry["code"] for entry in json.loads(out)} == set(catalogue())


@pytest.mark.parametrize("letter", ["I", "i"])
def test_one_family(letter: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = [code for code in catalogue() if code.startswith("LLB-I")]
    _, out, _ = run(capsys, "explain", "--family", letter)
    assert [line.split()[0] for line in out.splitlines()[1:]] == expected
    _, out, _ = run(capsys, "explain", "--family", letter, "--format", "json")
    assert [entry["code"] for entry in json.loads(out)] == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("LLB-A099",), "there is no finding LLB-A099; there is LLB-A009"),
        (("I1",), "there is no finding I1; there is LLB-I001"),
        (("nonsense",), "there is no finding nonsense."),
        (("\x1b[2J",), "there is no finding \\x1b[2J."),
        (("LLB-A001", "--family", "A"), "give a code or --family, not both."),
        (("--example",), "--example is for one code."),
        (("--family", "Q"), "Invalid value for '--family'"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "explain", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"[LLB-X901] {said}")
    assert err.count("\n") == 1
