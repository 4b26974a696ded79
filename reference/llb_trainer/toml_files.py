"""TOML files that people write: read, or refused by name, with the key that was meant."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from llb_schema import FindingError, finding

__all__ = ["meant", "read_toml"]


def read_toml(path: Path, code: str) -> dict[str, Any]:
    """What a TOML file says.

    Args:
        path: the file.
        code: of the finding if it is none.

    Raises:
        FindingError: LLB-X003 the file cannot be read; `code` it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FindingError(finding(code, f"this is not TOML: {error}", pointer=str(path))) from error


def meant(key: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown key: the known one that it is most like, if any is."""
    near = get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
