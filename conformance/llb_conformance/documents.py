"""The documents of the suite itself, and whether they follow their schemas."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["ConformanceDocument", "document_faults"]

ConformanceDocument = Literal["case", "results", "summary"]


@cache
def _validator(kind: ConformanceDocument) -> Draft202012Validator:
    # Loaded when it is needed: half of the commands validate nothing.
    from jsonschema import Draft202012Validator

    file = resources.files("llb_conformance") / "schemas" / f"{kind}.schema.json"
    return Draft202012Validator(json.loads(file.read_text(encoding="utf-8")))


def document_faults(document: Any, kind: ConformanceDocument) -> tuple[str, ...]:
    """What is wrong with a case, a line of results or a summary, a sentence each; nothing if it is good."""
    errors = sorted(_validator(kind).iter_errors(document), key=lambda error: error.json_path)
    return tuple(f"{error.json_path}: {error.message[:300]}" for error in errors)
