"""Files of samples that lie, are damaged or mean harm end in findings."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import codes, small_samples

from llb_schema import FindingError
from llb_trainer.chains import Description, read_samples, write_samples

ONE = Description.from_json({"parameters": [{"name": "a"}]}, "here")
TABLE = Description.from_json({"array": "values", "parameters": [{"name": "a"}]}, "here")


class Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("exploded"),)  # pyright: ignore[reportReturnType]


def refused(path: Path, description: Description | None = ONE, **limits: int) -> list[str]:
    with pytest.raises(FindingError) as error:
        read_samples(path, description, **limits)
    return codes(error)


def found_in(path: Path) -> list[str]:
    """Codes of what is wrong with a file of ours, none if nothing is."""
    try:
        read_samples(path)
    except FindingError as error:
        return [item.code for item in error.findings]
    return []


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def npz(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def test_pickled_arrays_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    harmful = np.array([Bomb()] * 200, dtype=object)
    np.savez("chain.npz", a=harmful)
    np.save("chain.npy", harmful)
    assert refused(Path("chain.npz")) == ["LLB-L208"]
    assert refused(Path("chain.npy"), TABLE) in (["LLB-L202"], ["LLB-L208"])
    Path("raw.npz").write_bytes(pickle.dumps(Bomb()))
    assert refused(Path("raw.npz")) == ["LLB-L201"]
    # as its description, which is read before anything is known of the file
    npz(Path("own.npz"), {"llb": Path("chain.npy").read_bytes()})
    assert refused(Path("own.npz"), None) == ["LLB-L201"]
    assert not Path("exploded").exists()


HEADERS = {
    "more than there is": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}",
    "a negative length": "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
    "no shape": "{'descr': '<f8', 'fortran_order': False}",
    "a type that is none": "{'descr': 'what', 'fortran_order': False, 'shape': (2,)}",
    "no literal": "__import__('os').getcwd()",
    "not closed": "{'descr': '<f8', ",
    "deep": "[" * 5000,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=list(HEADERS))
def test_headers_that_lie(tmp_path: Path, header: str) -> None:
    assert refused(npz(tmp_path / "chain.npz", {"a": npy(header, bytes(16))})) == ["LLB-L201"]
    (tmp_path / "values.npy").write_bytes(npy(header, bytes(16)))
    assert refused(tmp_path / "values.npy", TABLE) == ["LLB-L201"]


def test_arrays_that_unpack_to_too_much(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros(1_000_000))
    path = npz(tmp_path / "chain.npz", {"a": stream.getvalue()})
    assert path.stat().st_size < 100_000
    assert refused(path, largest=1_000_000) == ["LLB-L209"]
    pq.write_table(pa.table({"a": np.zeros(1_000_000)}), tmp_path / "chain.parquet")
    assert refused(tmp_path / "chain.parquet", largest=1_000_000) == ["LLB-L209"]
    (tmp_path / "chain.csv").write_text("a\n" + "0\n" * 1000, encoding="utf-8")
    assert refused(tmp_path / "chain.csv", largest=1000) == ["LLB-L209"]


@pytest.mark.parametrize("ending", ["npz", "parquet", "h5"])
def test_damaged_files(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"chain.{ending}"
    write_samples(path, small_samples())
    whole = path.read_bytes()
    for length in (0, 1, 7, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert set(refused(path, None)) <= {"LLB-L201", "LLB-L202"}
    generator = np.random.default_rng(2)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in generator.integers(0, len(whole), 8):
            damaged[place] = generator.integers(256)
        path.write_bytes(damaged)
        assert all(code.startswith("LLB-L2") for code in found_in(path))


TYPES = {
    "complex numbers": np.zeros(200, dtype=complex),
    "truth values": np.zeros(200, dtype=bool),
    "text": np.array(["0.5"] * 200),
    "times": np.zeros(200, dtype="datetime64[s]"),
    "records": np.zeros(200, dtype=[("x", "f8")]),
    "long doubles": np.zeros(200, dtype=np.longdouble),
}


@pytest.mark.parametrize("array", TYPES.values(), ids=list(TYPES))
def test_what_is_no_number(tmp_path: Path, array: Any) -> None:
    np.savez(tmp_path / "chain.npz", a=array)
    assert refused(tmp_path / "chain.npz") == ["LLB-L208"]


def test_tables_of_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["0.5"] * 200}), tmp_path / "chain.parquet")
    assert refused(tmp_path / "chain.parquet") == ["LLB-L208"]
    (tmp_path / "chain.csv").write_text("a\n" + "word\n" * 200, encoding="utf-8")
    assert refused(tmp_path / "chain.csv") == ["LLB-L208"]
    (tmp_path / "chain.csv").write_text("a,b\n1\n1,2,3\n", encoding="utf-8")
    assert refused(tmp_path / "chain.csv") == ["LLB-L201"]
    (tmp_path / "chain.csv").write_text("a,a\n1,2\n", encoding="utf-8")
    assert refused(tmp_path / "chain.csv") == ["LLB-L201"]


def test_gaps_are_not_numbers(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, None] * 100}), tmp_path / "chain.parquet")
    assert refused(tmp_path / "chain.parquet") == ["LLB-L204"]


def test_chain_numbers_are_whole(tmp_path: Path) -> None:
    np.savez(tmp_path / "chain.npz", a=np.zeros(200), c=np.full(200, 0.5))
    description = Description.from_json({"chain": "c", "parameters": [{"name": "a"}]}, "here")
    assert refused(tmp_path / "chain.npz", description) == ["LLB-L208"]


def test_hdf5_files_lead_nowhere_else(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(np.ones(200).tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["a"] = np.zeros(200)
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["a"] = h5py.ExternalLink("other.h5", "a")
    with h5py.File(tmp_path / "soft.h5", "w") as file:
        file["a"] = h5py.SoftLink("/a")
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file.create_dataset("a", (200,), "f8", external=[(str(tmp_path / "secret"), 0, 1600)])
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((200,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (200,))
        file.create_virtual_dataset("a", layout)
    with h5py.File(tmp_path / "group.h5", "w") as file:
        file.create_group("a")
    for name in ("linked", "soft", "outside", "virtual", "group"):
        assert set(refused(tmp_path / f"{name}.h5")) <= {"LLB-L201", "LLB-L202"}
    with h5py.File(tmp_path / "huge.h5", "w") as file:
        file.create_dataset("a", (10**13,), "f8", chunks=(1024,))
    assert refused(tmp_path / "huge.h5") == ["LLB-L209"]


def test_unknown_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "chain.pkl").write_bytes(b"")
    assert refused(tmp_path / "chain.pkl") == ["LLB-L201"]
    assert refused(tmp_path / "chain.npz") == ["LLB-X003"]
    np.savez(tmp_path / "chain.npz", b=np.zeros(200))
    assert refused(tmp_path / "chain.npz") == ["LLB-L202"]
    assert refused(tmp_path / "chain.npz", None) == ["LLB-L202"]
