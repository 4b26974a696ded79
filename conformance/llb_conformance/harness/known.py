"""Failures that are known: what a loader's authors expect to fail, and why."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["KnownFailure", "read_known_failures"]

_KEYS = {"case", "reason", "url"}


@dataclass(frozen=True)
class KnownFailure:
    """A case that fails, why, and where that is followed up."""

    case: str
    reason: str
    url: str = ""


def read_known_failures(path: Path, known_cases: Iterable[str]) -> Mapping[str, KnownFailure]:
    """The known failures in a TOML file, by case: tables `[[failure]]` with `case`, `reason` and maybe `url`.

    Raises:
        ValueError: the file is not such a file, or a case is there twice or is none of the suite.
        OSError: it cannot be read.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    entries: Any = document.get("failure", [])
    if set(document) - {"failure"} or not isinstance(entries, list):
        raise ValueError(f"{path}: it has tables [[failure]] and nothing else")
    cases = frozenset(known_cases)
    found: dict[str, KnownFailure] = {}
    for entry in entries:
        if not (isinstance(entry, dict) and {"case", "reason"} <= set(entry) <= _KEYS):
            raise ValueError(f"{path}: a [[failure]] has `case`, `reason` and maybe `url`")
        if not all(isinstance(value, str) and value.strip() for value in entry.values()):
            raise ValueError(f"{path}: the keys of a [[failure]] are texts")
        failure = KnownFailure(**entry)
        if failure.case not in cases:
            raise ValueError(f"{path}: there is no case {failure.case}")
        if failure.case in found:
            raise ValueError(f"{path}: {failure.case} is there twice")
        found[failure.case] = failure
    return found
