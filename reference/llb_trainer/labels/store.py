"""The label store: a directory to which chunks of labels are added, and which survives a kill at any point.

    store.json          who the store is, see `llb_trainer.labels.identity`
    signals.parquet     all signals with their names, written once: what a resumed run labels
    pilot.parquet       the signals that the teacher was explored with
    chunks.jsonl        one line per finished chunk: number, rows, failures, seconds, SHA-256, engine
    chunks/000123.parquet
    labels.parquet      everything merged, once all chunks are there

A chunk counts when its line is on the disk and its file has the digest in it. A file without a line, a line
without its file, and half a line at the end are what a kill leaves; the chunk is simply made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, finding
from llb_trainer.labels.columns import (
    labels_from_bytes,
    labels_to_bytes,
    signals_from_bytes,
    signals_to_bytes,
)
from llb_trainer.labels.files import append_line, locked, replace_file
from llb_trainer.labels.identity import StoreIdentity, signals_digest
from llb_trainer.labels.rows import concatenate
from llb_trainer.teachers.contract import Labels

__all__ = ["ChunkRecord", "LabelStore", "create_store", "is_store", "open_store", "read_labels", "writing"]

Floats = NDArray[np.float64]

_FORMAT = {"format": "llb-labels", "format_version": 1}
_STORE, _SIGNALS, _PILOT, _INDEX, _CHUNKS = (
    "store.json",
    "signals.parquet",
    "pilot.parquet",
    "chunks.jsonl",
    "chunks",
)


@dataclass(frozen=True)
class ChunkRecord:
    """A line of the index.

    Attributes:
        chunk: number of the chunk.
        rows: signals in it.
        failures: signals without a proven minimum on some curve.
        seconds: time taken to label it.
        sha256: digest of the chunk's file.
        engine: version of the engine that made it.
    """

    chunk: int
    rows: int
    failures: int
    seconds: float
    sha256: str
    engine: str


@dataclass
class LabelStore:
    """An open store.

    Attributes:
        path: the directory.
        identity: who it is.
        names: one name per signal.
        signals: (n, n_bins) all signals that are to be labelled.
        pilot: (n_pilot, n_bins) signals that the teacher was explored with, possibly none.
        records: the chunks that are there, by number.
        findings: chunks that were dropped because they are damaged.
    """

    path: Path
    identity: StoreIdentity
    names: tuple[str, ...]
    signals: Floats
    pilot: Floats
    records: dict[int, ChunkRecord] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def n_chunks(self) -> int:
        """How many chunks the store has when it is complete."""
        return -(-len(self.signals) // self.identity.sampled.chunk)

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the chunks that are still to be made."""
        return tuple(number for number in range(self.n_chunks) if number not in self.records)

    def rows(self, number: int) -> slice:
        """Which of all signals belong to a chunk."""
        size = self.identity.sampled.chunk
        return slice(number * size, min((number + 1) * size, len(self.signals)))

    def chunk_path(self, number: int) -> Path:
        """Where the file of a chunk lies."""
        return self.path / _CHUNKS / f"{number:06d}.parquet"

    def write(self, number: int, labels: Labels, seconds: float) -> ChunkRecord:
        """Add the labels of one chunk; when this returns, a kill no longer harms them."""
        data = labels_to_bytes(labels, self.rows(number).start)
        record = ChunkRecord(
            chunk=number,
            rows=len(labels.signals),
            failures=int(np.sum(~labels.usable)),
            seconds=round(seconds, 3),
            sha256=hashlib.sha256(data).hexdigest(),
            engine=self.identity.engine.version,
        )
        replace_file(self.chunk_path(number), data)
        append_line(self.path / _INDEX, json.dumps(asdict(record)))
        self.records[number] = record
        return record

    def read(self, number: int) -> Labels:
        """The labels of one chunk.

        Raises:
            FindingError: LLB-L107 it is not there, or damaged.
        """
        data = _read_whole(self.chunk_path(number))
        record = self.records.get(number)
        if data is None or record is None or hashlib.sha256(data).hexdigest() != record.sha256:
            raise FindingError(
                finding("LLB-L107", f"chunk {number} is missing or damaged", pointer=str(self.path))
            )
        return labels_from_bytes(data, self.signals[self.rows(number)])

    def chunks(self) -> Iterator[Labels]:
        """The labels of all chunks, in order.

        Raises:
            FindingError: LLB-L107 some are missing.
        """
        if self.missing:
            raise FindingError(
                finding(
                    "LLB-L107",
                    pointer=str(self.path),
                    expected=f"{self.n_chunks} chunks",
                    actual=f"{len(self.records)} chunks",
                )
            )
        for number in range(self.n_chunks):
            yield self.read(number)


def is_store(path: Path) -> bool:
    """Whether there is a label store, whatever its state."""
    return (path / _STORE).is_file()


def create_store(
    path: Path, identity: StoreIdentity, names: tuple[str, ...], signals: Floats, pilot: Floats
) -> None:
    """Make a store without chunks; it is there whole or not at all.

    Args:
        path: where; nothing may be there.
        identity: who it is.
        names: one name per signal.
        signals: (n, n_bins) what is to be labelled.
        pilot: (n_pilot, n_bins) what the teacher was explored with.

    Raises:
        FindingError: LLB-X002 there is something already; LLB-X003 the disk refuses.
    """
    if path.exists() or path.is_symlink():
        raise FindingError(finding("LLB-X002", f"{path} exists already", pointer=str(path)))
    bins = identity.teacher.bins
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            (beside / _CHUNKS).mkdir()
            (beside / _INDEX).touch()
            replace_file(beside / _SIGNALS, signals_to_bytes(names, bins, signals))
            numbers = tuple(f"pilot-{row}" for row in range(len(pilot)))
            replace_file(beside / _PILOT, signals_to_bytes(numbers, bins, pilot))
            document = {**_FORMAT, **identity.to_json()}
            replace_file(beside / _STORE, f"{json.dumps(document, indent=2)}\n".encode())
            beside.rename(path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(path))) from error


def open_store(path: Path) -> LabelStore:
    """Open a store for reading; chunks that are damaged are left out and named in its `findings`.

    Raises:
        FindingError: LLB-L105 there is no store, or what must be in every store is damaged.
    """
    identity = _read_identity(path)
    bins = identity.teacher.bins
    try:
        names, signals = signals_from_bytes((path / _SIGNALS).read_bytes(), bins)
        _, pilot = signals_from_bytes((path / _PILOT).read_bytes(), bins)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise FindingError(
            finding("LLB-L105", "the signals of the store cannot be read", pointer=str(path))
        ) from error
    if signals_digest(names, signals) != identity.sampled.sha256:
        raise FindingError(
            finding("LLB-L105", "the signals of the store are damaged", pointer=str(path / _SIGNALS))
        )
    store = LabelStore(path, identity, names, signals, pilot)
    found: list[Finding] = []
    for record in _index(path, identity, found):
        if not 0 <= record.chunk < store.n_chunks:
            continue
        data = _read_whole(store.chunk_path(record.chunk))
        if data is None or hashlib.sha256(data).hexdigest() != record.sha256:
            what = "is missing" if data is None else "is damaged"
            found.append(
                finding(
                    "LLB-L106", f"chunk {record.chunk} {what}", pointer=str(store.chunk_path(record.chunk))
                )
            )
        else:
            store.records[record.chunk] = record
    store.findings = tuple(found)
    return store


@contextmanager
def writing(path: Path) -> Generator[LabelStore]:
    """Open a store to add chunks to it; what a killed run left half done is cleared away first.

    Raises:
        FindingError: LLB-L105 as `open_store`; LLB-L108 another run writes to it.
    """
    _read_identity(path)
    with locked(path / ".lock"):
        store = open_store(path)
        for left in (path / _CHUNKS).glob(".*.new"):
            left.unlink()
        _end_last_line(path / _INDEX)
        yield store


def read_labels(path: Path) -> Labels:
    """All labels of a complete store, in the order of its signals.

    Signals without a proven minimum are among them; `Labels.usable` tells them apart.

    Raises:
        FindingError: LLB-L105 there is no readable store; LLB-L107 chunks are missing.
    """
    return concatenate(list(open_store(path).chunks()))


def _read_identity(path: Path) -> StoreIdentity:
    try:
        raw = json.loads((path / _STORE).read_bytes())
        known = {key: raw[key] for key in _FORMAT}
        if known != _FORMAT:
            raise ValueError(f"format {known}")
        return StoreIdentity.from_json(raw)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"{path} is not a label store that this version reads"
        raise FindingError(finding("LLB-L105", message, pointer=str(path))) from error


def _index(path: Path, identity: StoreIdentity, found: list[Finding]) -> list[ChunkRecord]:
    """The last line about each chunk; what is no line is told, but for half a line at the end."""
    data = _read_whole(path / _INDEX) or b""
    records: dict[int, ChunkRecord] = {}
    *lines, _half = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            record = ChunkRecord(**json.loads(line))
            record = replace(record, chunk=int(record.chunk))
        except (ValueError, TypeError):
            found.append(finding("LLB-L106", f"line {number} of {_INDEX} is damaged", pointer=str(path)))
            continue
        if record.engine != identity.engine.version:
            found.append(
                finding("LLB-L106", f"chunk {record.chunk} comes from {record.engine}", pointer=str(path))
            )
            continue
        records[record.chunk] = record
    return list(records.values())


def _end_last_line(index: Path) -> None:
    """Cut half a line off the end, so that the next one begins where a line begins."""
    data = _read_whole(index) or b""
    whole = data[: data.rfind(b"\n") + 1]
    if whole != data:
        replace_file(index, whole)


def _read_whole(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
