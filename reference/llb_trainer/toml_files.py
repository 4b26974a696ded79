"""TOML files that people write: read, or refused by name, with the key that was meant."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from llb_schema import Finding, FindingError, finding

__all__ = ["meant", "read_settings", "read_toml"]

_Settings = TypeVar("_Settings")


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


def read_settings(path: Path, owner: type[_Settings], code: str) -> _Settings:
    """Settings in a TOML file without sections, as an instance of their dataclass.

    Args:
        path: the file.
        owner: the dataclass, whose fields all have defaults; it checks ranges itself.
        code: of the findings about keys and types, one each.

    Raises:
        FindingError: LLB-X003 the file cannot be read; `code` it is no TOML, a key is unknown, or a value has
            another type than the default.
    """
    said = read_toml(path, code)
    defaults = {item.name: item.default for item in fields(owner)}  # pyright: ignore[reportArgumentType]
    faults: list[Finding] = []
    for key, value in said.items():
        if key not in defaults:
            message = f"{key} is not a setting of {owner.__name__}{meant(key, defaults)}"
            faults.append(finding(code, message, pointer=f"{path}#/{key}"))
        elif not _fits(value, defaults[key]):
            message = f"{key} is {value!r}, and must be like {defaults[key]!r}"
            faults.append(finding(code, message, pointer=f"{path}#/{key}", actual=str(value)))
    if faults:
        raise FindingError(faults)
    return owner(**{key: _typed(value, defaults[key]) for key, value in said.items()})


def _fits(value: object, default: object) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, list) and all(_fits(item, default[0]) for item in value)
    # In TOML 30 may stand for 30.0, and true is no number.
    kinds = (int, float) if type(default) is float else (type(default),)
    return type(value) in kinds


def _typed(value: Any, default: object) -> Any:
    if isinstance(default, tuple):
        return tuple(value)
    return float(value) if isinstance(default, float) else value
