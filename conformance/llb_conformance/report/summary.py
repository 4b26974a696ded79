"""A run in short: what passed, by class and by clause, and whether the loader conforms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from llb_conformance.report.run import RunRecord
from llb_conformance.suite import CLASSES, Outcome

__all__ = ["ClassCount", "Summary", "clauses", "summarize"]

_CLAUSE = re.compile(r"^\*\*([A-Z]+-[0-9]+)\*\*", re.MULTILINE)


@dataclass(frozen=True)
class ClassCount:
    """A class of a run.

    Attributes:
        claimed: whether the loader says that it has it.
        required: whether it has to pass for the loader to conform.
        cases: number of cases that were asked.
        passed: of those.
        known: of those that did not pass, how many were known to fail.
    """

    claimed: bool
    required: bool
    cases: int
    passed: int
    known: int

    @property
    def conforming(self) -> bool:
        """Whether there were cases, and all passed."""
        return self.cases > 0 and self.passed == self.cases


@dataclass(frozen=True)
class Summary:
    """A run in short.

    Attributes:
        run: all of it.
        classes: by name, those with cases or required.
        outcomes: number of cases by outcome.
        failures: cases that did not pass and were not known to.
        no_longer_failing: cases that were known to fail, and passed.
        requirements: by clause, number of cases and of those that passed.
        untested: clauses that no case of this run is about.
    """

    run: RunRecord
    classes: Mapping[str, ClassCount]
    outcomes: Mapping[str, int]
    failures: tuple[str, ...]
    no_longer_failing: tuple[str, ...]
    requirements: Mapping[str, tuple[int, int]]
    untested: tuple[str, ...]

    @property
    def conforming(self) -> bool:
        """Whether every case of every required class passed, and the run came to its end."""
        return not self.run.footer["interrupted"] and all(
            item.conforming for item in self.classes.values() if item.required
        )

    @property
    def as_known(self) -> bool:
        """Whether the required cases that failed are the known ones, none of which passed."""
        required = set(self.run.header["required"])
        unexpected = [
            record
            for record in self.run.results
            if record["class"] in required and not _passed(record) and not record["known"]
        ]
        complete = all(item.cases for item in self.classes.values() if item.required)
        return complete and not (unexpected or self.no_longer_failing or self.run.footer["interrupted"])

    def to_json(self) -> dict[str, Any]:
        """The summary as in `urn:llb:conformance:1:summary`."""
        return {
            "suite": self.run.header["suite"],
            "format": self.run.header["format"],
            "implementation": self.run.header["implementation"],
            "conforming": self.conforming,
            "as_known": self.as_known,
            "classes": {name: dict(vars(item)) for name, item in self.classes.items()},
            "outcomes": dict(self.outcomes),
            "failures": list(self.failures),
            "no_longer_failing": list(self.no_longer_failing),
            "requirements": {
                clause: {"cases": cases, "passed": passed}
                for clause, (cases, passed) in self.requirements.items()
            },
            "untested": list(self.untested),
            "seconds": self.run.footer["seconds"],
        }


def summarize(run: RunRecord) -> Summary:
    """The summary of a run."""
    required = set(run.header["required"])
    claimed = set(run.header["implementation"]["classes"])
    by_class = {name: [item for item in run.results if item["class"] == name] for name in CLASSES}
    failed = [item for item in run.results if not _passed(item)]
    tested = {
        clause: [item for item in run.results if clause in item["requirements"]] for clause in clauses()
    }
    return Summary(
        run=run,
        classes={
            name: ClassCount(
                name in claimed or name == "recommended",
                name in required,
                len(items),
                sum(map(_passed, items)),
                sum(1 for item in items if not _passed(item) and item["known"]),
            )
            for name, items in by_class.items()
            if items or name in required
        },
        outcomes=_counted(run.results),
        failures=tuple(item["case"] for item in failed if not item["known"]),
        no_longer_failing=tuple(item["case"] for item in run.results if _passed(item) and item["known"]),
        requirements={
            clause: (len(items), sum(map(_passed, items))) for clause, items in tested.items() if items
        },
        untested=tuple(clause for clause, items in tested.items() if not items),
    )


@cache
def clauses() -> tuple[str, ...]:
    """Ids of all clauses of the specification, in their order."""
    inside = resources.files("llb_schema") / "SPEC.md"
    # In a checkout the text lies beside the package, in a distribution inside it.
    beside = Path(str(resources.files("llb_schema"))).parent / "SPEC.md"
    text = inside.read_text(encoding="utf-8") if inside.is_file() else beside.read_text(encoding="utf-8")
    return tuple(_CLAUSE.findall(text))


def _passed(record: Mapping[str, Any]) -> bool:
    return record["outcome"] == Outcome.PASSED.value


def _counted(records: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found = Counter(str(record["outcome"]) for record in records)
    return {outcome.value: found[outcome.value] for outcome in Outcome if found[outcome.value]}
