"""The label store: what is written comes back bit by bit, and damage is noticed, said and made good."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from counting import CountingTeacher, counting_identity
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.labels import concatenate, label_signals, read_labels
from llb_trainer.labels.merge import merge
from llb_trainer.labels.run import Watch, Where, label_store
from llb_trainer.labels.store import create_store, open_store, writing
from llb_trainer.teachers.contract import CurveLabels, Labels

TEACHER = CountingTeacher()
SIGNALS = np.random.default_rng(3).exponential(4.0, size=(100, 2))
NAMES = tuple(f"s{row}" for row in range(100))
HERE = Where(processes=0)


def make(path: Path, chunk: int = 16) -> Path:
    create_store(path, counting_identity(NAMES, SIGNALS, chunk), NAMES, SIGNALS, SIGNALS[:3])
    return path


def fill(path: Path, teacher: CountingTeacher = TEACHER) -> bytes:
    with writing(path) as store:
        label_store(teacher, store, HERE, Watch())
        return merge(store).read_bytes()


def same(one: Labels, other: Labels) -> None:
    np.testing.assert_array_equal(one.signals, other.signals)
    assert [curve.name for curve in one.curves] == [curve.name for curve in other.curves]
    for first, second in zip(one.curves, other.curves, strict=True):
        for item in fields(CurveLabels)[1:]:
            left, right = getattr(first, item.name), getattr(second, item.name)
            assert left.dtype == right.dtype
            assert left.shape == right.shape
            assert left.tobytes() == right.tobytes()


def codes(error: pytest.ExceptionInfo[FindingError]) -> list[str]:
    return [item.code for item in error.value.findings]


def test_what_is_written_comes_back_bit_by_bit(tmp_path: Path) -> None:
    fill(make(tmp_path / "store"))
    parts = [TEACHER.label(SIGNALS[first : first + 16]) for first in range(0, 100, 16)]
    same(read_labels(tmp_path / "store"), concatenate(parts))


def test_every_float_survives(tmp_path: Path) -> None:
    """NaN, infinities, negative zero and the smallest numbers, and arrays without an entry per signal."""

    class Odd(CountingTeacher):
        def label(self, signals: NDArray[np.float64], progress: object = None) -> Labels:
            labels = super().label(signals, progress)
            odd = np.resize([np.nan, -0.0, np.inf, -np.inf, 5e-324, 0.1], len(signals))
            empty = np.zeros((len(signals), 0))
            return Labels(
                signals, tuple(replace(curve, edm=odd, parameters=empty) for curve in labels.curves)
            )

    fill(make(tmp_path / "store"), Odd())
    same(
        read_labels(tmp_path / "store"),
        concatenate([Odd().label(SIGNALS[k : k + 16]) for k in range(0, 100, 16)]),
    )


def test_the_merged_file_does_not_depend_on_the_order_of_the_chunks(tmp_path: Path) -> None:
    forth = fill(make(tmp_path / "forth"))
    with writing(make(tmp_path / "back")) as store:
        for number in reversed(store.missing):
            store.write(number, TEACHER.label(SIGNALS[store.rows(number)]), float(number))
    assert fill(tmp_path / "back") == forth
    table = pq.read_table(tmp_path / "forth" / "labels.parquet")
    assert table.column("name").to_pylist() == list(NAMES)
    np.testing.assert_array_equal(table.column("SR1[0]").to_numpy(), SIGNALS[:, 1])
    labels = read_labels(tmp_path / "forth")
    np.testing.assert_array_equal(table.column("apriori.delta").to_numpy(), labels.curves[1].delta)
    np.testing.assert_array_equal(table.column("apriori.nll").to_numpy(), labels.curves[1].delta + 11.5)


def test_signals_without_a_proven_minimum_are_flagged(tmp_path: Path) -> None:
    fill(make(tmp_path / "store"), CountingTeacher(failing=True))
    labels = read_labels(tmp_path / "store")
    # In every chunk each fourth one fails: 6 chunks of 16 signals and one of 4.
    assert (~labels.usable).sum() == 25
    assert sum(record.failures for record in open_store(tmp_path / "store").records.values()) == 25


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing", "renamed over"])
def test_a_damaged_chunk_is_said_and_made_again(tmp_path: Path, damage: str) -> None:
    whole = fill(make(tmp_path / "store"))
    chunk = tmp_path / "store" / "chunks" / "000002.parquet"
    data = chunk.read_bytes()
    match damage:
        case "truncated":
            chunk.write_bytes(data[: len(data) // 2])
        case "changed":
            chunk.write_bytes(data[:700] + bytes([data[700] ^ 1]) + data[701:])
        case "missing":
            chunk.unlink()
        case _:
            chunk.write_bytes(chunk.with_name("000003.parquet").read_bytes())
    store = open_store(tmp_path / "store")
    assert store.missing == (2,)
    assert [item.code for item in store.findings] == ["LLB-L106"]
    assert "chunk 2" in store.findings[0].message
    with pytest.raises(FindingError) as caught:
        read_labels(tmp_path / "store")
    assert codes(caught) == ["LLB-L107"]
    (tmp_path / "store" / "labels.parquet").unlink()
    assert fill(tmp_path / "store") == whole
    assert open_store(tmp_path / "store").findings == ()


@pytest.mark.parametrize("cut", range(1, 150, 17))
def test_half_a_line_at_the_end_of_the_index_is_what_a_kill_leaves(tmp_path: Path, cut: int) -> None:
    whole = fill(make(tmp_path / "store"))
    index = tmp_path / "store" / "chunks.jsonl"
    index.write_bytes(index.read_bytes()[:-cut])
    store = open_store(tmp_path / "store")
    assert store.missing == (6,)
    assert store.findings == ()
    assert fill(tmp_path / "store") == whole
    assert [json.loads(line)["chunk"] for line in index.read_text().splitlines()] == list(range(7))


def test_a_damaged_line_within_the_index_is_said(tmp_path: Path) -> None:
    whole = fill(make(tmp_path / "store"))
    index = tmp_path / "store" / "chunks.jsonl"
    lines = index.read_text().splitlines()
    lines[3] = lines[3][:40]
    index.write_text("\n".join([*lines, "[]", '{"chunk": "x"}']) + "\n")
    store = open_store(tmp_path / "store")
    assert store.missing == (3,)
    assert [item.code for item in store.findings] == ["LLB-L106"] * 3
    assert fill(tmp_path / "store") == whole


def test_a_chunk_of_another_engine_does_not_count(tmp_path: Path) -> None:
    fill(make(tmp_path / "store"))
    index = tmp_path / "store" / "chunks.jsonl"
    index.write_text(index.read_text().replace("toy engine", "old engine", 1))
    store = open_store(tmp_path / "store")
    assert store.missing == (0,)
    assert "old engine" in store.findings[0].message


def test_files_that_nobody_finished_are_cleared_away(tmp_path: Path) -> None:
    path = make(tmp_path / "store")
    (path / "chunks" / ".000001.parquet.new").write_bytes(b"half")
    (path / "chunks" / "000000.parquet").write_bytes(b"no line speaks of it")
    fill(path)
    assert not list((path / "chunks").glob(".*"))
    assert open_store(path).findings == ()


def test_two_runs_do_not_write_to_one_store(tmp_path: Path) -> None:
    path = make(tmp_path / "store")
    with writing(path), pytest.raises(FindingError) as caught, writing(path):
        pass
    assert codes(caught) == ["LLB-L108"]
    fill(path)


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    path = make(tmp_path / "store")
    document = json.loads((path / "store.json").read_text())
    for name, text in {
        "newer": json.dumps({**document, "format_version": 2}),
        "other": json.dumps({**document, "format": "x"}),
        "part": json.dumps({key: document[key] for key in ("format", "format_version", "model")}),
        "list": "[]",
        "text": "{",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "store.json").write_text(text)
    for name in ("empty", "nothing", "newer", "other", "part", "list", "text"):
        for use in (open_store, read_labels):
            with pytest.raises(FindingError) as caught:
                use(tmp_path / name)
            assert codes(caught) == ["LLB-L105"], name


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_damaged_signals_are_refused(tmp_path: Path, damage: bytes | None) -> None:
    path = make(tmp_path / "store")
    other = make(tmp_path / "other") / "pilot.parquet"
    (path / "signals.parquet").write_bytes(other.read_bytes() if damage is None else damage)
    with pytest.raises(FindingError) as caught:
        open_store(path)
    assert codes(caught) == ["LLB-L105"]


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("years of work")
    with pytest.raises(FindingError) as caught:
        make(tmp_path / "thesis")
    assert codes(caught) == ["LLB-X002"]
    with pytest.raises(FindingError) as caught:
        make(tmp_path / "no" / "store")
    assert codes(caught) == ["LLB-X003"]
    assert sorted(item.name for item in tmp_path.iterdir()) == ["thesis"]


def test_labels_of_other_signals_do_not_enter_a_store(tmp_path: Path) -> None:
    with writing(make(tmp_path / "store")) as store, pytest.raises(FindingError) as caught:
        label_signals(TEACHER, SIGNALS + 1.0, store=store, processes=0)
    assert codes(caught) == ["LLB-L103"]
