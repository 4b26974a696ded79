"""Values as YAML on one line."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["inline_yaml"]


def inline_yaml(value: Any) -> str:
    """A value of JSON as YAML of one line.

    JSON would do, but for characters that it writes as two escapes, and for line separators.
    """
    text = json.dumps(value, ensure_ascii=False)
    return "".join(mark if mark.isprintable() else f"\\U{ord(mark):08x}" for mark in text)
