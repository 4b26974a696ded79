"""What the columns of a file of samples mean: written into our own files, given beside everybody else's.

As TOML or JSON:

    array = "chain"            # a two-dimensional array of an npz, npy or HDF5 file, one column per parameter
    log_density = "logprob"    # a column; may be left out
    chain = "walker"           # a column; may be left out

    [[parameters]]
    name = "mu"
    role = "poi"
    column = 3                 # number in `array`, or name of a column; the order and the name if left out
    bounds = { lower = 0.0, upper = 10.0 }
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from llb_schema import FindingError, finding
from llb_trainer.chains.parameters import Parameter
from llb_trainer.toml_files import meant, read_toml

__all__ = ["Column", "Description", "read_description"]

Column = str | int
"""A column by its name, or by its number from 0."""

_FORMAT = {"format": "llb-samples", "format_version": 1}
_KEYS = frozenset({*_FORMAT, "parameters", "array", "log_density", "chain"})
_WEIGHTS = frozenset({"weight", "weights"})


@dataclass(frozen=True)
class Description:
    """What is where in a file of samples.

    Attributes:
        parameters: the parameters, in the order that the samples are to have.
        columns: (D,) column of each: its number in `array`, or its name.
        array: name of the two-dimensional array that holds the values, "" where each column has its own name.
        log_density, chain: column of each, "" if there is none; of `array` if it is a number.
    """

    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...] = field(default=())
    array: str = ""
    log_density: Column = ""
    chain: Column = ""

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        optional = {"array": self.array, "log_density": self.log_density, "chain": self.chain}
        return {
            **_FORMAT,
            **{key: value for key, value in optional.items() if value != ""},
            "parameters": [
                {**item.to_json(), "column": column}
                for item, column in zip(self.parameters, self.columns, strict=True)
            ],
        }

    @classmethod
    def from_json(cls, raw: object, pointer: str) -> Self:
        """The description in a JSON object.

        Raises:
            FindingError: LLB-L202 it is none; LLB-L210 it asks for weights.
        """
        if not isinstance(raw, Mapping):
            raise _wrong("it is no table", pointer)
        _check_keys(raw, pointer)
        array = raw.get("array", "")
        if not isinstance(array, str):
            raise _wrong("array is no text", pointer)
        parts = raw.get("parameters", ())
        if not isinstance(parts, list | tuple) or not parts:
            raise _wrong("it lists no parameters", pointer)
        read = [
            _parameter(part, number, array, f"{pointer}#parameters/{number}")
            for number, part in enumerate(parts)
        ]
        return cls(
            tuple(parameter for parameter, _ in read),
            tuple(column for _, column in read),
            array,
            _column(raw.get("log_density", ""), pointer),
            _column(raw.get("chain", ""), pointer),
        )


def read_description(path: Path) -> Description:
    """Read a description: TOML, or JSON if the file is named so.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-L202 it is none; LLB-L210 it asks for weights.
    """
    if path.suffix.lower() != ".json":
        return Description.from_json(read_toml(path, "LLB-L202"), str(path))
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    except (ValueError, RecursionError) as error:
        raise _wrong(f"this is not JSON: {error}", str(path)) from error
    return Description.from_json(raw, str(path))


def _check_keys(raw: Mapping[str, Any], pointer: str) -> None:
    for key, value in raw.items():
        if key in _WEIGHTS:
            raise FindingError(finding("LLB-L210", pointer=pointer, actual=key))
        if key not in _KEYS:
            raise _wrong(f"{key} is unknown{meant(str(key), _KEYS)}", pointer)
        if key in _FORMAT and value != _FORMAT[key]:
            raise _wrong(f"{key} is {value!r}, not {_FORMAT[key]!r}", pointer)


def _parameter(part: object, number: int, array: str, pointer: str) -> tuple[Parameter, Column]:
    """A parameter and its column: the one of its number in an array, or of its name, if none is given."""
    if not isinstance(part, Mapping):
        raise _wrong("it is no table", pointer)
    own = dict(part)
    column = own.pop("column", None)
    try:
        parameter = Parameter.from_json(own)
    except (ValueError, TypeError) as error:
        raise _wrong(str(error), pointer) from error
    if column is not None:
        return parameter, _column(column, pointer)
    return parameter, number if array else parameter.name


def _column(value: object, pointer: str) -> Column:
    if isinstance(value, bool) or not isinstance(value, str | int) or (isinstance(value, int) and value < 0):
        raise _wrong(f"a column is a name, or a number from 0, not {value!r}", pointer)
    return value


def _wrong(what: str, pointer: str) -> FindingError:
    return FindingError(finding("LLB-L202", f"the parameters are not described: {what}", pointer=pointer))
