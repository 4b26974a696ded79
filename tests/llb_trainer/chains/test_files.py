"""Files of samples: what is written comes back bit by bit, and foreign columns get their meaning."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chains import codes, small_samples

from llb_schema import FindingError
from llb_trainer.chains import (
    Description,
    Parameter,
    ParameterSamples,
    read_description,
    read_samples,
    write_samples,
)
from llb_trainer.teachers.densities import samples_source

ENDINGS = ("npz", "parquet", "h5")

FOREIGN = """
log_density = "logprob"
chain = "walker"

[[parameters]]
name = "mass"
role = "poi"
unit = "GeV"
column = "m"
bounds = { lower = 0.0 }

[[parameters]]
name = "slope"
"""


def same(one: ParameterSamples, other: ParameterSamples) -> None:
    assert one.parameters == other.parameters
    for name in ("values", "log_density", "chain"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        if left is not None:
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)


def foreign_columns() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    n = 120
    return {
        "slope": generator.standard_normal(n),
        "m": generator.exponential(size=n),
        "logprob": generator.standard_normal(n),
        "walker": np.repeat(np.arange(4), n // 4),
        "something else": np.arange(n),
    }


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("full", [True, False])
def test_what_is_written_comes_back(tmp_path: Path, ending: str, full: bool) -> None:
    samples = small_samples(full=full)
    path = tmp_path / f"chain.{ending}"
    write_samples(path, samples)
    found = read_samples(path)
    same(found, ParameterSamples(tuple(labelled(p) for p in samples.parameters), *arrays(samples)))
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def labelled(parameter: Parameter) -> Parameter:
    """A label that is left out is the name, once written."""
    return Parameter.from_json(parameter.to_json())


def arrays(samples: ParameterSamples) -> tuple[Any, ...]:
    return samples.values, samples.log_density, samples.chain


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_the_same_samples_give_the_same_bytes(tmp_path: Path, ending: str) -> None:
    for name in ("one", "other"):
        write_samples(tmp_path / f"{name}.{ending}", small_samples())
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"other.{ending}").read_bytes()


def test_parquet_has_a_column_per_parameter(tmp_path: Path) -> None:
    write_samples(tmp_path / "chain.parquet", small_samples())
    table: Any = pq.read_table(tmp_path / "chain.parquet")
    assert table.column_names == ["mu", "asymmetry", "Δα [had]", "log_density", "chain"]


def test_numpy_reads_the_npz(tmp_path: Path) -> None:
    write_samples(tmp_path / "chain.npz", small_samples())
    with np.load(tmp_path / "chain.npz", allow_pickle=False) as found:
        np.testing.assert_array_equal(found["values"], small_samples().values)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_unsound_chain_is_not_written(tmp_path: Path, ending: str) -> None:
    samples = small_samples()
    samples.values[3, 1] = 7.0
    path = tmp_path / f"chain.{ending}"
    path.write_bytes(b"before")
    with pytest.raises(FindingError) as error:
        write_samples(path, samples)
    assert codes(error) == ["LLB-L205"]
    assert path.read_bytes() == b"before"


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "chain.npz").mkdir()
    with pytest.raises(FindingError) as error:
        write_samples(tmp_path / "chain.npz", small_samples())
    assert codes(error) == ["LLB-X003"]
    assert [item.name for item in tmp_path.iterdir()] == ["chain.npz"]
    with pytest.raises(FindingError) as error:
        write_samples(tmp_path / "chain.pkl", small_samples())
    assert codes(error) == ["LLB-X003"]


def test_a_parameter_may_not_be_called_like_another_column(tmp_path: Path) -> None:
    samples = small_samples()
    named = (Parameter("log_density"), *samples.parameters[1:])
    with pytest.raises(FindingError) as error:
        write_samples(tmp_path / "chain.parquet", ParameterSamples(named, *arrays(samples)))
    assert codes(error) == ["LLB-L206"]


@pytest.mark.parametrize("ending", ["parquet", "csv", "npz", "h5"])
def test_foreign_columns_get_their_meaning(tmp_path: Path, ending: str) -> None:
    columns, path = foreign_columns(), tmp_path / f"chain.{ending}"
    if ending == "parquet":
        pq.write_table(pa.table(columns), path)
    elif ending == "csv":
        rows = zip(*columns.values(), strict=True)
        lines = [",".join(columns), *(",".join(repr(float(x)) for x in row) for row in rows)]
        path.write_text("\n".join(lines), encoding="utf-8")
    elif ending == "npz":
        np.savez_compressed(path, **columns)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, array in columns.items():
                file[name] = array
    (tmp_path / "chain.toml").write_text(FOREIGN, encoding="utf-8")
    found = read_samples(path, read_description(tmp_path / "chain.toml"))
    assert found.parameters == (Parameter("mass", "poi", "GeV", (0.0, None)), Parameter("slope"))
    np.testing.assert_array_equal(found.values, np.stack([columns["m"], columns["slope"]], axis=1))
    np.testing.assert_array_equal(found.log_density, columns["logprob"])
    np.testing.assert_array_equal(found.chain, columns["walker"])


@pytest.mark.parametrize("order", ["C", "F"])
def test_columns_by_number(tmp_path: Path, order: Any) -> None:
    table = np.asarray(np.random.default_rng(0).standard_normal((150, 4)).astype(np.float32), order=order)
    np.save(tmp_path / "chain.npy", table)
    raw = {"log_density": 3, "parameters": [{"name": "a", "column": 2}, {"name": "b", "column": 0}]}
    (tmp_path / "chain.json").write_text(json.dumps(raw), encoding="utf-8")
    found = read_samples(tmp_path / "chain.npy", read_description(tmp_path / "chain.json"))
    np.testing.assert_array_equal(found.values, table[:, [2, 0]])
    np.testing.assert_array_equal(found.log_density, table[:, 3])
    raw["parameters"][0]["column"] = 4  # pyright: ignore[reportIndexIssue]
    with pytest.raises(FindingError) as error:
        read_samples(tmp_path / "chain.npy", Description.from_json(raw, "here"))
    assert codes(error) == ["LLB-L203"]


def test_a_group_of_an_hdf5_file(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    table = np.random.default_rng(0).standard_normal((150, 2))
    with h5py.File(tmp_path / "chain.h5", "w") as file:
        file["mcmc/chain"] = table
    raw = {"array": "mcmc/chain", "parameters": [{"name": "a"}, {"name": "b"}]}
    found = read_samples(tmp_path / "chain.h5", Description.from_json(raw, "here"))
    np.testing.assert_array_equal(found.values, table)


WRONG = {
    "no parameters": "",
    "no name": "[[parameters]]\nrole = 'poi'",
    "a role that is none": "[[parameters]]\nname = 'a'\nrole = 'boson'",
    "an unknown key": "logdensity = 'a'\n[[parameters]]\nname = 'a'",
    "an unknown key of a parameter": "[[parameters]]\nname = 'a'\nsize = 2",
    "bounds the wrong way round": "[[parameters]]\nname = 'a'\nbounds = {lower = 2, upper = 1}",
    "a bound that is no number": "[[parameters]]\nname = 'a'\nbounds = {lower = 'x'}",
    "a bound that is infinite": "[[parameters]]\nname = 'a'\nbounds = {lower = inf}",
    "a column that is neither": "[[parameters]]\nname = 'a'\ncolumn = 1.5",
    "a column before the first": "[[parameters]]\nname = 'a'\ncolumn = -1",
    "a name with a line break": '[[parameters]]\nname = "a\\nb"',
    "another format": "format = 'getdist'\n[[parameters]]\nname = 'a'",
    "no TOML": "[[parameters",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=list(WRONG))
def test_a_description_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "chain.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FindingError) as error:
        read_description(tmp_path / "chain.toml")
    assert codes(error) == ["LLB-L202"]


def test_an_unknown_key_is_told_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "chain.toml").write_text(WRONG["an unknown key"], encoding="utf-8")
    with pytest.raises(FindingError, match="did you mean log_density"):
        read_description(tmp_path / "chain.toml")


def test_the_files_are_known_by_their_digests(tmp_path: Path) -> None:
    write_samples(tmp_path / "chain.npz", small_samples())
    (file,) = samples_source(tmp_path / "chain.npz").files
    data = (tmp_path / "chain.npz").read_bytes()
    assert (file.name, file.bytes, file.sha256) == ("chain.npz", len(data), hashlib.sha256(data).hexdigest())
    with pytest.raises(FindingError, match="LLB-X003"):
        samples_source(tmp_path / "none.npz")


def test_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as error:
        Description.from_json({"weights": "w", "parameters": [{"name": "a"}]}, "here")
    assert codes(error) == ["LLB-L210"]
    pq.write_table(pa.table({"a": np.zeros(200), "Weights": np.ones(200)}), tmp_path / "chain.parquet")
    with pytest.raises(FindingError) as error:
        read_samples(tmp_path / "chain.parquet", Description.from_json({"parameters": [{"name": "a"}]}, ""))
    assert codes(error) == ["LLB-L210"]
