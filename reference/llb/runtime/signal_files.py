"""Signal files: JSON `{bin: yield}` or `{name: {bin: yield}}`, and CSV with columns `name,bin,yield`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import parse_json
from llb.runtime.input_file import read_input
from llb.runtime.likelihood import ProfileLikelihood
from llb.runtime.signal import BinNames, signal_vector
from llb_schema import Finding, FindingError, finding

__all__ = ["Signals", "read_signals"]

_COLUMNS = ("name", "bin", "yield")
# Faulty rows that are reported.
_MAX_FINDINGS = 100


@dataclass(frozen=True)
class Signals:
    """Signals that are ready for the graph.

    Attributes:
        names: one name a signal.
        yields: events, shape (n_signals, n_bins), columns in the order of the graph's input.
        findings: warnings that came up on the way.
    """

    names: tuple[str, ...]
    yields: NDArray[np.float64]
    findings: tuple[Finding, ...] = ()


def read_signals(path: Path, model: ProfileLikelihood | BinNames, *, allow_zero: bool = False) -> Signals:
    """The signals of a file; the suffix `.csv` means CSV, anything else JSON.

    Args:
        path: the file. A single JSON signal is named after it.
        model: whose bins the file has to name, or these bins themselves.
        allow_zero: accept `{}` as the zero signal.

    Raises:
        FindingError: `LLB-X003` unreadable, `LLB-P...` too large or not strict JSON, `LLB-Y006` neither form,
            `LLB-Y007` no signal in it, or what `signal_vector` finds, for all signals at once.
    """
    data = read_input(path)
    signals = _from_csv(data, path) if path.suffix.lower() == ".csv" else _from_json(data, path)
    if not signals or (not allow_zero and not any(signals.values())):
        raise FindingError(finding("LLB-Y007", f"{path.name} holds no signal yields", pointer=str(path)))
    if "" in signals:
        raise FindingError(_malformed(path, "a name for every signal", "an empty name"))
    bins = model if isinstance(model, BinNames) else BinNames.of(model.bundle.manifest)
    return _stack(signals, bins, path, allow_zero=allow_zero)


def _stack(
    signals: Mapping[str, Mapping[str, Any]], bins: BinNames, path: Path, *, allow_zero: bool
) -> Signals:
    rows: list[NDArray[np.float64]] = []
    findings: list[Finding] = []
    for name, yields in signals.items():
        if not yields and allow_zero:
            rows.append(np.zeros(len(bins.ids)))
            continue
        try:
            rows.append(signal_vector(yields, bins, pointer=f"{path}: {name}"))
        except FindingError as error:
            findings.extend(error.findings)
    if findings:
        raise FindingError(findings)
    return Signals(tuple(signals), np.array(rows))


def _from_json(data: bytes, path: Path) -> dict[str, dict[str, Any]]:
    document = parse_json(data, str(path))
    if not isinstance(document, dict):
        raise FindingError(_malformed(path, "a JSON object", type(document).__name__))
    nested = [isinstance(value, dict) for value in document.values()]
    if nested and all(nested):
        return document
    if any(nested):
        raise FindingError(_malformed(path, "one signal or named signals", "a mixture of both"))
    return {path.stem: document}


def _from_csv(data: bytes, path: Path) -> dict[str, dict[str, Any]]:
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        return _from_rows(rows, path)
    except (UnicodeDecodeError, csv.Error) as error:
        raise FindingError(_malformed(path, "CSV in UTF-8", str(error))) from error


def _from_rows(rows: Iterator[list[str]], path: Path) -> dict[str, dict[str, Any]]:
    header = [name.strip() for name in next(rows, [])]
    if sorted(header) != sorted(_COLUMNS):
        raise FindingError(_malformed(path, ",".join(_COLUMNS), ",".join(header)[:80]))
    name_at, bin_at, yield_at = (header.index(name) for name in _COLUMNS)
    signals: dict[str, dict[str, Any]] = {}
    findings: list[Finding] = []
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        place = f"{path}: row {line}"
        if len(row) != len(header):
            findings.append(
                finding("LLB-Y006", pointer=place, expected="3 columns", actual=f"{len(row)} columns")
            )
        else:
            name, bin_name, text = row[name_at].strip(), row[bin_at].strip(), row[yield_at].strip()
            yields = signals.setdefault(name, {})
            if bin_name in yields:
                findings.append(
                    finding("LLB-Y003", f"bin {bin_name!r} of signal {name!r} is given twice", pointer=place)
                )
            yields[bin_name] = _number(text)
        if len(findings) == _MAX_FINDINGS:
            break
    if findings:
        raise FindingError(findings)
    return signals


def _number(text: str) -> float | str:
    """The number, or the text itself, which `signal_vector` then reports with its bin."""
    # Python also reads 1_000 and the digits of every script.
    if not text.isascii() or "_" in text:
        return text
    try:
        return float(text)
    except ValueError:
        return text


def _malformed(path: Path, expected: str, actual: str) -> Finding:
    message = f"{path.name} is not a signal file"
    return finding("LLB-Y006", message, pointer=str(path), expected=expected, actual=actual)
