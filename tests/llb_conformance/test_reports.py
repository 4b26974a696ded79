"""Reports of runs: what is kept can be read back, and says what came of the run."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from commands import run
from judgements import REAL, Judged, cases

from llb_conformance.documents import document_faults
from llb_conformance.harness import Implementation, KnownFailure, Result
from llb_conformance.report import (
    RESULTS,
    RunLog,
    RunRecord,
    Summary,
    badge,
    clauses,
    junit,
    page,
    read_run,
    summarize,
    write_report,
)
from llb_conformance.suite import CLASSES, PASSED, Judgement, Outcome, suite

CASES = {case.id: case for case in suite()}
CORE = ("curves-all", "curve-observed", "describe", "open")
OTHERS = {"recommended": "points", "gradient": "gradient-curves", "limits": "limits-parabola"}
FAILED = Judgement(Outcome.FAILED, "it is wrong", [1.0], [2.0], 0, 3.5)
LOG = ("a line", "\x1b[31mred\x1b[0m")
SCRIPT = "<script>alert('x')</script>"
HOSTILE = f"{SCRIPT} \"'&<b> \x00\x07\x1b[2J \u202e \ufffe \U0001f600"


def kept(
    folder: Path,
    failed: Mapping[str, Judgement] | None = None,
    *,
    asked: Iterable[str] = CORE,
    claimed: Iterable[str] = ("core",),
    required: Iterable[str] = ("core",),
    known: Iterable[str] = (),
    interrupted: bool = False,
    implementation: Implementation | None = None,
    log: tuple[str, ...] = LOG,
) -> RunRecord:
    """A run of these cases, all of which passed but those that failed."""
    who = implementation or Implementation("x", "1.0", "C++", ("1.0",), frozenset(claimed))
    failures = {name: KnownFailure(name, f"known: {name}") for name in known}
    with RunLog(folder, who, required, 7, "0.1.0", failures) as kept_log:
        for name in asked:
            judgement = (failed or {}).get(name, PASSED)
            step = None if judgement is PASSED else 1
            kept_log.add(Result(CASES[name], judgement, step, 0.25, () if judgement is PASSED else log))
        return kept_log.finish(interrupted=interrupted)


def summary_of(folder: Path, *arguments: Any, **options: Any) -> Summary:
    return summarize(kept(folder, *arguments, **options))


def every(names: Iterable[str], judgement: Judgement = FAILED) -> dict[str, Judgement]:
    return dict.fromkeys(names, judgement)


# What is kept.


def test_a_run_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    who = Implementation(
        "näme",
        "1.0",
        "C++",
        ("0.1", "1.0"),
        frozenset({"core", "limits"}),
        "https://example.org",
        "https://x.org/i",
    )
    failed = {
        "describe": FAILED,
        "open": Judgement(Outcome.CRASHED, "it was ended by SIGSEGV"),
        "curve-observed": Judgement(Outcome.FAILED, "off", [1.0, "NaN"], ["Infinity"], 1, math.inf),
    }
    record = kept(tmp_path, failed, required=["limits", "core"], known=["open"], implementation=who)
    assert read_run(tmp_path) == record
    assert read_run(tmp_path / RESULTS) == record
    assert [item["case"] for item in record.results] == sorted(CORE)
    assert record.header["required"] == ["core", "limits"]
    assert record.header["implementation"] == {
        "name": "näme",
        "version": "1.0",
        "language": "C++",
        "format_versions": ["0.1", "1.0"],
        "classes": ["core", "limits"],
        "homepage": "https://example.org",
        "issues": "https://x.org/i",
    }
    assert (record.footer["cases"], record.footer["interrupted"]) == (4, False)
    by_case = {item["case"]: item for item in record.results}
    assert by_case["open"]["known"] == "known: open"
    assert by_case["curve-observed"]["excess"] == "Infinity"
    assert by_case["curve-observed"]["got"] == ["Infinity"]
    assert by_case["describe"]["log"] == list(LOG)
    # Of what passed nothing is shown.
    assert not {"expected", "got", "log"} & set(by_case["curves-all"])


def test_a_run_without_links_has_none(tmp_path: Path) -> None:
    assert not {"homepage", "issues"} & set(kept(tmp_path).header["implementation"])


def test_a_later_run_takes_the_place_of_the_earlier(tmp_path: Path) -> None:
    kept(tmp_path, every(CORE))
    record = kept(tmp_path, asked=CORE[:1])
    assert read_run(tmp_path) == record
    assert len(record.results) == 1


def test_every_line_is_there_as_soon_as_its_case_has_ended(tmp_path: Path) -> None:
    who = Implementation("x", "1.0", "C++", ("1.0",), frozenset({"core"}))
    with RunLog(tmp_path, who, ["core"], 0, "0.1.0", {}) as log:
        for number, name in enumerate(CORE, start=1):
            log.add(Result(CASES[name], PASSED, None, 0.0))
            lines = (tmp_path / RESULTS).read_text(encoding="utf-8").splitlines()
            assert [json.loads(line)["record"] for line in lines] == ["header", *["result"] * number]
    with pytest.raises(ValueError, match="no footer"):
        read_run(tmp_path)


def test_a_run_that_breaks_has_no_footer(tmp_path: Path) -> None:
    who = Implementation("x", "1.0", "C++", ("1.0",), frozenset({"core"}))

    def broken() -> None:
        with RunLog(tmp_path, who, ["core"], 0, "0.1.0", {}) as log:
            log.add(Result(CASES["open"], PASSED, None, 0.0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    with pytest.raises(ValueError, match="no footer"):
        read_run(tmp_path)


def test_every_record_and_the_summary_follow_their_schemas(tmp_path: Path) -> None:
    outcomes = [item for item in Outcome if item is not Outcome.PASSED]
    failed = {
        name: Judgement(outcome, f"ended as {outcome}")
        for name, outcome in zip([case.id for case in suite()[1:]], outcomes, strict=False)
    }
    summary = summary_of(
        tmp_path,
        failed,
        asked=CASES,
        claimed=["core", "gradient", "limits", "archives"],
        required=CLASSES,
        known=[suite()[1].id],
    )
    lines = (tmp_path / RESULTS).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(CASES) + 2
    assert [
        document_faults(json.loads(line), "results")
        for line in lines
        if document_faults(json.loads(line), "results")
    ] == []
    assert document_faults(summary.to_json(), "summary") == ()
    assert summary.outcomes == {"passed": len(CASES) - len(outcomes)} | {item.value: 1 for item in outcomes}
    write_report(summary, tmp_path)
    written = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert document_faults(written, "summary") == ()
    assert written == json.loads(json.dumps(summary.to_json()))


def test_a_schema_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    record = kept(tmp_path)
    for item in (record.header, record.results[0], record.footer):
        assert document_faults(item, "results") == ()
        assert document_faults({**item, "valid": True}, "results")
        for key in item:
            assert document_faults({name: value for name, value in item.items() if name != key}, "results")


JUDGEMENTS = [entry for entry in cases(REAL) if isinstance(entry.wanted, Judged)]


def test_every_judgement_of_the_comparator_can_be_kept(tmp_path: Path) -> None:
    judgements = [entry.ask() for entry in JUDGEMENTS if not entry.name.startswith("rising: ")]
    record = _kept_judgements(tmp_path, judgements)
    assert len(record.results) == len(judgements) > 500


def test_every_judgement_of_rising_curves_can_be_kept(tmp_path: Path) -> None:
    judgements = [entry.ask() for entry in JUDGEMENTS if entry.name.startswith("rising: ")]
    assert len(_kept_judgements(tmp_path, judgements).results) == len(judgements) > 40


def _kept_judgements(folder: Path, judgements: Sequence[Judgement]) -> RunRecord:
    who = Implementation("x", "1.0", "C++", ("1.0",), frozenset({"core"}))
    with RunLog(folder, who, ["core"], 0, "0.1.0", {}) as log:
        for judgement in judgements:
            log.add(Result(CASES["open"], judgement, None, 0.0))
        log.finish()
    return read_run(folder)


UNKEPT = {
    "half of a surrogate pair": "\ud800",
    "a separator of lines": "a\u2028b",
    "a separator of paragraphs": "a\u2029b",
    "next line": "a\x85b",
    "more than anybody reads": "x" * 200_000,
}


@pytest.mark.parametrize("text", UNKEPT.values(), ids=UNKEPT)
def test_whatever_a_loader_says_can_be_kept(text: str, tmp_path: Path) -> None:
    record = kept(tmp_path, every(CORE, Judgement(Outcome.ERRORED, f"answered {text}")), log=(text[:1000],))
    assert read_run(tmp_path) == record
    write_report(summarize(record), tmp_path)


@pytest.mark.parametrize(
    "text", [HOSTILE, "\n\r\t\x0b\x0c\x1c\x1e\x1f\x7f", '"}\n{"record": "footer"}', "\\u0000"]
)
def test_strange_messages_are_kept_as_they_are(text: str, tmp_path: Path) -> None:
    record = kept(tmp_path, every(CORE, Judgement(Outcome.ERRORED, text)), log=(text,))
    assert read_run(tmp_path) == record
    assert {item["message"] for item in record.results} == {text}
    write_report(summarize(record), tmp_path)


# What is no run.


def lines_of(folder: Path) -> list[str]:
    kept(folder, {"describe": FAILED})
    return (folder / RESULTS).read_text(encoding="utf-8").splitlines()


def _count(lines: list[str], count: int) -> list[str]:
    return [*lines[:-1], json.dumps({**json.loads(lines[-1]), "cases": count})]


def _changed(lines: list[str], number: int, **changes: Any) -> list[str]:
    return [
        json.dumps({**json.loads(line), **changes}) if index == number else line
        for index, line in enumerate(lines, start=1)
    ]


NO_RUN: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "nothing": (lambda _: [], "has no footer"),
    "a header": (lambda lines: lines[:1], "has no footer"),
    "no footer": (lambda lines: lines[:-1], "has no footer"),
    "half a footer": (lambda lines: [*lines[:-1], lines[-1][:-5]], "line 6: "),
    "a broken line": (lambda lines: [*lines[:2], "}", *lines[2:]], "line 3: "),
    "an empty line": (lambda lines: [*lines[:3], "", *lines[3:]], "line 4: "),
    "half a line": (lambda lines: [lines[0], lines[1][:40], *lines[2:]], "line 2: "),
    "an array": (lambda lines: [*lines[:4], "[]", *lines[4:]], "line 5: "),
    "another record": (lambda lines: [*lines[:4], '{"record": "note"}', *lines[4:]], "line 5: "),
    "another outcome": (lambda lines: _changed(lines, 2, outcome="fine"), "line 2: "),
    "a flag for an outcome": (lambda lines: _changed(lines, 3, outcome=True), "line 3: "),
    "another key": (lambda lines: _changed(lines, 4, excuse="none"), "line 4: "),
    "a seed as text": (lambda lines: _changed(lines, 1, seed="0"), "line 1: "),
    "one too many": (lambda lines: _count(lines, 3), "is not one run: 4 results, 3 by its footer"),
    "one is missing": (lambda lines: _count(lines, 5), "is not one run: 4 results, 5 by its footer"),
    "a line lost": (lambda lines: [*lines[:2], *lines[3:]], "is not one run: 3 results, 4 by its footer"),
    "no header": (lambda lines: _count(lines[1:], 4), "is not one run"),
    "two headers": (lambda lines: [lines[0], lines[0], *lines[1:]], "is not one run"),
    "two footers": (lambda lines: [*lines, lines[-1]], "is not one run"),
    "two runs": (lambda lines: [*lines, *lines], "is not one run"),
    "a header further down": (lambda lines: [lines[1], lines[0], *lines[2:]], "is not one run"),
    "a footer further up": (lambda lines: [*lines[:3], lines[-1], *lines[3:]], "is not one run"),
}


@pytest.mark.parametrize(("change", "says"), NO_RUN.values(), ids=NO_RUN)
def test_a_file_that_is_no_run_is_refused(
    change: Callable[[list[str]], list[str]], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = change(lines_of(tmp_path))
    (tmp_path / RESULTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with pytest.raises(ValueError, match=RESULTS) as raised:
        read_run(tmp_path)
    assert says in str(raised.value)
    code, out, err = run(capsys, "conform", "report", tmp_path)
    assert (code, out) == (2, "")
    assert says in err


def test_a_footer_alone_is_no_run(tmp_path: Path) -> None:
    (tmp_path / RESULTS).write_text(_count(lines_of(tmp_path), 0)[-1] + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="is not one run"):
        read_run(tmp_path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FileNotFoundError):
        read_run(tmp_path)
    assert run(capsys, "conform", "report", tmp_path)[0] == 2


# What came of a run.


def test_all_passed(tmp_path: Path) -> None:
    summary = summary_of(tmp_path)
    assert (summary.conforming, summary.as_known) == (True, True)
    assert vars(summary.classes["core"]) == {
        "claimed": True,
        "required": True,
        "cases": 4,
        "passed": 4,
        "known": 0,
    }
    assert set(summary.classes) == {"core"}
    assert (summary.failures, summary.no_longer_failing) == ((), ())
    assert summary.outcomes == {"passed": 4}


@pytest.mark.requirement("PROTOCOL-3")
@pytest.mark.parametrize("outcome", [item for item in Outcome if item is not Outcome.PASSED])
def test_one_case_that_did_not_pass_is_enough(outcome: Outcome, tmp_path: Path) -> None:
    summary = summary_of(tmp_path, {"describe": Judgement(outcome, "x")})
    assert (summary.conforming, summary.as_known) == (False, False)
    assert summary.failures == ("describe",)
    assert (summary.classes["core"].passed, summary.classes["core"].cases) == (3, 4)
    assert not summary.classes["core"].conforming
    assert summary.outcomes == {"passed": 3, outcome.value: 1}
    failures = list(fromstring(junit(summary)).iter("failure"))  # noqa: S314 - our own output
    assert [item.get("type") for item in failures] == [outcome.value]


def test_failures_that_are_known(tmp_path: Path) -> None:
    failed = every(["describe", "open"])
    known = summary_of(tmp_path, failed, known=["describe", "open"])
    assert (known.conforming, known.as_known) == (False, True)
    assert known.failures == ()
    assert known.classes["core"].known == 2
    # One of two is not enough.
    one = summary_of(tmp_path, failed, known=["describe"])
    assert (one.conforming, one.as_known) == (False, False)
    assert one.failures == ("open",)
    assert one.classes["core"].known == 1


def test_a_known_failure_that_passes_is_told(tmp_path: Path) -> None:
    passing = summary_of(tmp_path, known=["describe"])
    assert passing.conforming
    assert not passing.as_known
    assert passing.no_longer_failing == ("describe",)
    assert passing.classes["core"].known == 0
    both = summary_of(tmp_path, every(["open"]), known=["open", "describe"])
    assert (both.conforming, both.as_known) == (False, False)
    assert both.no_longer_failing == ("describe",)


def test_what_is_required_and_not_claimed_does_not_conform(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, required=["core", "limits"])
    assert vars(summary.classes["limits"]) == {
        "claimed": False,
        "required": True,
        "cases": 0,
        "passed": 0,
        "known": 0,
    }
    assert (summary.conforming, summary.as_known) == (False, False)


def test_a_class_without_cases_does_not_conform(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, claimed=["core", "limits"], required=["core", "limits"])
    assert summary.classes["limits"].claimed
    assert not summary.classes["limits"].conforming
    assert (summary.conforming, summary.as_known) == (False, False)
    nothing = summary_of(tmp_path, asked=())
    assert (nothing.conforming, nothing.as_known) == (False, False)


def test_every_required_class_has_to_pass(tmp_path: Path) -> None:
    asked = [*CORE, *OTHERS.values()]
    for name, case in OTHERS.items():
        required = ["core", name]
        good = summary_of(tmp_path, asked=asked, claimed=OTHERS, required=required)
        assert good.conforming
        bad = summary_of(tmp_path, every([case]), asked=asked, claimed=OTHERS, required=required)
        assert not bad.conforming
        assert bad.classes["core"].conforming


def test_failures_of_recommended_cases_do_not_matter_unless_they_are_required(tmp_path: Path) -> None:
    asked, failed = [*CORE, "points", "sigma"], every(["points"])
    summary = summary_of(tmp_path, failed, asked=asked)
    assert (summary.conforming, summary.as_known) == (True, True)
    # It is told all the same.
    assert summary.failures == ("points",)
    item = summary.classes["recommended"]
    assert (item.claimed, item.required, item.passed, item.cases) == (True, False, 1, 2)
    required = summary_of(tmp_path, failed, asked=asked, required=["core", "recommended"])
    assert (required.conforming, required.as_known) == (False, False)


def test_an_interrupted_run_does_not_conform(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, interrupted=True)
    assert (summary.conforming, summary.as_known) == (False, False)
    assert summarize(read_run(tmp_path)).run.footer["interrupted"] is True
    known = summary_of(tmp_path, every(["open"]), known=["open"], interrupted=True)
    assert not known.as_known


def test_clauses_are_counted_by_their_cases(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, every(["describe"]), asked=CASES)
    for clause, (count, passed) in summary.requirements.items():
        about = [case.id for case in suite() if clause in case.requirements]
        assert count == len(about) > 0
        assert passed == count - ("describe" in about)
    assert {*summary.requirements, *summary.untested} == set(clauses())
    assert not set(summary.requirements) & set(summary.untested)
    used = {clause for case in suite() for clause in case.requirements}
    assert set(summary.requirements) == used & set(clauses()) == used


# Files.


@pytest.mark.parametrize(
    ("failed", "options", "message", "colour"),
    [
        ((), {}, "core 1.0", "brightgreen"),
        (("points",), {"asked": [*CORE, "points"]}, "core 1.0", "brightgreen"),
        (
            (),
            {"asked": [*CORE, "limits-parabola"], "required": ["core", "limits"]},
            "core, limits 1.0",
            "brightgreen",
        ),
        (("open",), {}, "core 75 % 1.0", "red"),
        (("open", "describe", "curves-all"), {}, "core 25 % 1.0", "red"),
        (CORE, {}, "core 0 % 1.0", "red"),
        (("open",), {"known": ["open"]}, "core 75 % 1.0", "red"),
        (
            ("limits-parabola",),
            {"asked": ["limits-parabola"], "required": ["limits"]},
            "not tested 1.0",
            "lightgrey",
        ),
        ((), {"asked": ()}, "not tested 1.0", "lightgrey"),
        ((), {"interrupted": True}, "interrupted 1.0", "lightgrey"),
    ],
)
def test_badges(
    failed: Sequence[str], options: dict[str, Any], message: str, colour: str, tmp_path: Path
) -> None:
    assert badge(summary_of(tmp_path, every(failed), **options)) == {
        "schemaVersion": 1,
        "label": "LLB loader",
        "message": message,
        "color": colour,
    }


def test_almost_all_is_not_all(tmp_path: Path) -> None:
    core = [case.id for case in suite() if case.conformance_class == "core"]
    assert len(core) > 100
    found = badge(summary_of(tmp_path, every(core[:1]), asked=core))
    assert (found["message"], found["color"]) == ("core 99 % 1.0", "red")


def xml(summary: Summary) -> Element:
    return fromstring(junit(summary))  # noqa: S314 - our own output


def test_junit_counts_what_it_lists(tmp_path: Path) -> None:
    asked = [*CORE, "points", "sigma", "limits-parabola"]
    failed = {
        **every(["describe", "open", "points"]),
        "curve-observed": Judgement(Outcome.TIMEOUT, "no reply within 10 s"),
    }
    summary = summary_of(tmp_path, failed, asked=asked, claimed=["core", "limits"], known=["open"])
    suites = xml(summary)
    assert [item.get("name") for item in suites] == ["run", "core", "recommended", "limits"]
    counts = {
        item.get("name"): (item.get("tests"), item.get("failures"), item.get("skipped")) for item in suites
    }
    assert counts == {
        "run": ("1", "0", "0"),
        "core": ("4", "2", "1"),
        "recommended": ("2", "0", "1"),
        "limits": ("1", "0", "0"),
    }
    for item in suites:
        assert len(item.findall("testcase")) == int(item.get("tests", ""))
        assert len(item.findall("testcase/failure")) == int(item.get("failures", ""))
        assert len(item.findall("testcase/skipped")) == int(item.get("skipped", ""))
    tests = {item.get("name"): item for item in suites.iter("testcase")}
    assert set(tests) == {*asked, "every required class was asked"}
    assert tests["describe"].get("time") == "0.250"
    failure = tests["describe"].find("failure")
    assert failure is not None
    assert failure.get("message") == "failed: it is wrong"
    assert (failure.text or "").splitlines() == [
        CASES["describe"].description,
        "step 1",
        "expected: [1.0]",
        "got: [2.0]",
        "a line",
        "\\x1b[31mred\\x1b[0m",
    ]
    late = tests["curve-observed"].find("failure")
    assert late is not None
    assert late.get("type") == "timeout"
    skipped = {name: item.find("skipped") for name, item in tests.items()}
    assert [name for name, item in skipped.items() if item is not None] == ["open", "points"]
    assert [item.get("message") for item in skipped.values() if item is not None] == [
        "known: open",
        "failed: it is wrong",
    ]


@pytest.mark.parametrize(
    "options",
    [{"interrupted": True}, {"asked": ()}, {"required": ["core", "limits"]}],
    ids=["interrupted", "nothing asked", "a class without cases"],
)
def test_junit_is_not_green_where_a_run_does_not_conform(options: dict[str, Any], tmp_path: Path) -> None:
    summary = summary_of(tmp_path, **options)
    assert not summary.conforming
    assert [item for item in xml(summary).iter() if item.tag in {"failure", "error"}]


def test_junit_takes_any_text(tmp_path: Path) -> None:
    everything = "".join(map(chr, [*range(0x300), 0x2028, 0x202E, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x1F600]))
    record = kept(tmp_path)
    results = tuple(
        {**item, "outcome": "errored", "message": everything, "log": [everything], "expected": everything}
        for item in record.results
    )
    suites = xml(summarize(RunRecord(record.header, results, record.footer)))
    messages = {item.get("message") for item in suites.iter("failure")}
    assert len(messages) == 1
    message = str(messages.pop())
    assert "\\x00" in message
    assert "\\ud800" in message
    assert "\\ufffe" in message
    assert "\U0001f600" in message


class Read(HTMLParser):
    """Tags with their attributes, and the text outside of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)


def test_the_page_says_what_came_of_the_run(tmp_path: Path) -> None:
    said = {
        "Conforming: core": summary_of(tmp_path),
        "Not conforming: core": summary_of(tmp_path, every(["open"])),
        "Not conforming: core (as known)": summary_of(tmp_path, every(["open"]), known=["open"]),
        "Interrupted: not every case was asked": summary_of(tmp_path, interrupted=True),
    }
    for verdict, summary in said.items():
        read = Read(page(summary))
        assert read.open == []
        assert verdict in read.text
        assert read.text.count(verdict) == 1
        for name in CORE:
            assert name in read.text
        assert ("Cases that did not pass" in read.text) == bool(summary.outcomes.get("failed"))
    passing = Read(page(summary_of(tmp_path, known=["open"])))
    assert "Known to fail, and passed" in passing.text
    recommended = Read(page(summary_of(tmp_path, every(["points"]), asked=[*CORE, "points"])))
    assert "Recommended, and not passed" in recommended.text
    assert "Cases that did not pass" not in recommended.text


def test_a_failure_on_the_page_has_all_that_is_known(tmp_path: Path) -> None:
    numbers = [float(number) for number in range(500)]
    judgement = Judgement(Outcome.FAILED, "off", numbers, ["NaN"], 3, math.inf)
    text = "".join(Read(page(summary_of(tmp_path, {"open": judgement}, known=["open"]))).text)
    for words in (
        "Step 2 of its dialogue: off",
        "Off by Infinity times its tolerance.",
        "399.0] and 100 more",
        '["NaN"]',
        "a line\n",
        "known: known: open",
        CASES["open"].description,
    ):
        assert words in text
    assert "400.0" not in text


def test_the_page_escapes_everything_that_a_loader_says(tmp_path: Path) -> None:
    link = 'https://example.org/"><script>alert(1)</script>'
    who = Implementation(SCRIPT, SCRIPT, SCRIPT, (SCRIPT,), frozenset({"core"}), link, link)
    judgement = Judgement(Outcome.FAILED, SCRIPT, {SCRIPT: SCRIPT}, [SCRIPT] * 2, 0, 2.0)
    folder = tmp_path / "report"
    summary = summary_of(folder, every(CORE, judgement), implementation=who, log=(SCRIPT,), known=["open"])
    record = summary.run
    header = {**record.header, "started": SCRIPT, "suite": SCRIPT, "format": SCRIPT}
    results = tuple({**item, "known": SCRIPT, "description": SCRIPT} for item in record.results)
    text = page(summarize(RunRecord(header, results, record.footer)))
    read = Read(text)
    assert "script" not in read.tags
    assert "<script" not in text
    assert "b" not in read.tags
    assert SCRIPT in read.text
    assert {value for tag, key, value in read.attributes if key == "href"} == {link}
    assert not [item for item in read.attributes if item[1].startswith("on")]


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    links = {"https://example.org/loader", "http://example.org/issues"}
    who = Implementation("x", "1", "C", ("1.0",), frozenset({"core"}), *sorted(links, reverse=True))
    summary = summary_of(tmp_path, every(["open"]), implementation=who)
    text = page(summary)
    read = Read(text)
    assert {
        value for _, key, value in read.attributes if key in {"href", "src", "action", "data", "srcset"}
    } == links
    assert {tag for tag, key, _ in read.attributes if key == "href"} == {"a"}
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    style = text[text.index("<style>") : text.index("</style>")]
    assert not [
        word for word in ("url(", "@import", "http", "<", "expression") if word in style[len("<style>") :]
    ]


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x.org", " https://x"]
)
def test_only_links_to_the_web_are_links(link: str, tmp_path: Path) -> None:
    who = Implementation("x", "1", "C", ("1.0",), frozenset({"core"}), link, link)
    assert not [
        item for item in Read(page(summary_of(tmp_path, implementation=who))).attributes if item[1] == "href"
    ]


def test_the_page_has_no_control_characters(tmp_path: Path) -> None:
    summary = summary_of(tmp_path, every(CORE, Judgement(Outcome.ERRORED, HOSTILE)), log=(HOSTILE,))
    assert [mark for mark in page(summary) if not (mark.isprintable() or mark == "\n")] == []


def test_a_report_is_written_again_from_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = summary_of(tmp_path, {"open": FAILED, "describe": Judgement(Outcome.ERRORED, HOSTILE)})
    paths = write_report(summary, tmp_path)
    assert [path.name for path in paths] == ["summary.json", "junit.xml", "badge.json", "report.html"]
    first = {path: path.read_bytes() for path in paths}
    for path in paths:
        path.unlink()
    code, out, err = run(capsys, "conform", "report", tmp_path)
    assert (code, err) == (1, "")
    assert "x 1.0: not conforming, 0.0 s" in out
    assert not {"\x1b", "\u202e", "\x07"} & set(out)
    assert {path: path.read_bytes() for path in paths} == first
    code, out, _ = run(capsys, "conform", "report", tmp_path / RESULTS, "--format", "json")
    assert code == 1
    assert json.loads(out) == json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    kept(tmp_path)
    assert run(capsys, "conform", "report", tmp_path)[0] == 0
