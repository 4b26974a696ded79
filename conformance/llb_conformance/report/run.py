"""A run as it is kept: results.jsonl, a line as each case ends, and what can be read back from it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from llb_conformance.documents import document_faults
from llb_conformance.harness import PROTOCOL, Implementation, KnownFailure, Result
from llb_conformance.suite import SUITE_VERSION
from llb_schema import FORMAT_VERSION

__all__ = ["RESULTS", "RunLog", "RunRecord", "read_run"]

RESULTS = "results.jsonl"
_MESSAGE = 4000


@dataclass(frozen=True)
class RunRecord:
    """A run that came to its end: header, results and footer as in `urn:llb:conformance:1:results`."""

    header: Mapping[str, Any]
    results: tuple[Mapping[str, Any], ...]
    footer: Mapping[str, Any]


class RunLog:
    """Writes results.jsonl, line by line, so that a run that is lost shows how far it came.

    Args:
        folder: of the report; results of an earlier run in it are replaced.
        implementation: the loader.
        required: classes that have to pass.
        seed: of the order of the cases.
        harness: version of the program.
        known: failures that are known, by case.
    """

    def __init__(
        self,
        folder: Path,
        implementation: Implementation,
        required: Iterable[str],
        seed: int,
        harness: str,
        known: Mapping[str, KnownFailure],
    ) -> None:
        self._folder, self._known = folder, known
        self._header = {
            "record": "header",
            "suite": SUITE_VERSION,
            "format": FORMAT_VERSION,
            "protocol": PROTOCOL,
            "harness": harness,
            "started": _now(),
            "seed": seed,
            "required": sorted(required),
            "implementation": _implementation(implementation),
        }
        self._results: list[Mapping[str, Any]] = []
        self._begun = datetime.now(UTC)

    def __enter__(self) -> Self:
        """Opens the file and writes the header."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._stream = (self._folder / RESULTS).open("w", encoding="utf-8")
        self._write(self._header)
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file; without a footer, if something went wrong."""
        self._stream.close()

    def add(self, result: Result) -> None:
        """Writes how a case ended."""
        judgement = result.judgement
        record: dict[str, Any] = {
            "record": "result",
            "case": result.case.id,
            "class": result.case.conformance_class,
            "requirements": list(result.case.requirements),
            "description": result.case.description,
            "outcome": judgement.outcome.value,
            "message": judgement.message[:_MESSAGE],
            "step": result.step,
            "seconds": round(result.seconds, 6),
            "known": self._known[result.case.id].reason if result.case.id in self._known else "",
        }
        if not result.passed:
            record |= {
                "expected": judgement.expected,
                "got": judgement.got,
                "index": judgement.index,
                "excess": _finite(judgement.excess),
                "log": list(result.log),
            }
        self._results.append(record)
        self._write(record)

    def finish(self, *, interrupted: bool = False) -> RunRecord:
        """Writes the footer; the run as it was kept."""
        seconds = (datetime.now(UTC) - self._begun).total_seconds()
        footer = {
            "record": "footer",
            "cases": len(self._results),
            "finished": _now(),
            "seconds": round(seconds, 3),
            "interrupted": interrupted,
        }
        self._write(footer)
        ordered = tuple(sorted(self._results, key=lambda record: str(record["case"])))
        return RunRecord(self._header, ordered, footer)

    def _write(self, record: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(record, allow_nan=False) + "\n")
        self._stream.flush()


def read_run(path: Path) -> RunRecord:
    """The run in a results.jsonl, or in the folder that has one.

    Raises:
        ValueError: it is none, or has no footer: the run did not come to its end.
        OSError: it cannot be read.
    """
    file = path / RESULTS if path.is_dir() else path
    records: list[Any] = []
    lines = file.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines if lines[-1] else lines[:-1], start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{file}, line {number}: {error}") from error
        faults = document_faults(record, "results")
        if faults:
            raise ValueError(f"{file}, line {number}: {faults[0]}")
        records.append(record)
    kinds = [record["record"] for record in records]
    if not kinds or kinds[-1] != "footer":
        raise ValueError(f"{file} has no footer: the run did not come to its end")
    results, footer = records[1:-1], records[-1]
    if kinds != ["header", *["result"] * len(results), "footer"] or footer["cases"] != len(results):
        raise ValueError(f"{file} is not one run: {len(results)} results, {footer['cases']} by its footer")
    return RunRecord(records[0], tuple(sorted(results, key=lambda record: record["case"])), footer)


def _implementation(item: Implementation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": item.name,
        "version": item.version,
        "language": item.language,
        "format_versions": list(item.format_versions),
        "classes": sorted(item.classes),
    }
    links = {"homepage": item.homepage, "issues": item.issues}
    return document | {key: value for key, value in links.items() if value}


def _finite(value: float | None) -> float | str | None:
    return "Infinity" if value is not None and math.isinf(value) else value


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
