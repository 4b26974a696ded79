"""`llb label`: the labels of a file, the refusals, and stores that are the same however they came about."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dasks import running_dask, until

from llb.cli.main import main
from llb_trainer.labels import open_store, read_labels
from llb_trainer.quickstart import load_workspace, patchset_path, workspace_path

WORKSPACE = workspace_path()
PROGRAM = [sys.executable, "-c", "from llb.cli.main import main; main()", "label"]
CURVES = ["observed", "observed_asimov", "apriori", "apriori_asimov"]
DRAWN = ("--points", "300", "--chunk", "16", "--seed", "7", "--patchset", str(patchset_path()))


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, str]]:
    """Environment in which the many processes of these tests compile the same functions only once."""
    folder = str(tmp_path_factory.mktemp("compiled"))
    settings = {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    return lambda: {**os.environ, **settings}


@pytest.fixture(scope="module")
def llb_label(compiled: Callable[[], dict[str, str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=compiled())

    return run


@pytest.fixture(scope="module")
def made(
    llb_label: Callable[..., subprocess.CompletedProcess[str]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """A store that one process has made without being disturbed, and what it said about it."""
    path = tmp_path_factory.mktemp("made") / "store"
    ended = llb_label(WORKSPACE, "--out", path, "--processes", "0", *DRAWN, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    return path, json.loads(ended.stdout)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: object, lines: int = 1) -> str:
        with pytest.raises(SystemExit) as end:
            main(["label", *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == 2
        assert captured.out == ""
        assert captured.err.count("\n") == lines
        return captured.err

    return run


def test_a_store_says_what_was_done(made: tuple[Path, dict[str, Any]]) -> None:
    path, said = made
    assert said["status"] == "ok"
    assert (said["signals"], said["made"], said["failed"]) == (300, 300, 0)
    assert said["chunks"] == 19
    assert said["signals_per_second"] > 0
    assert Path(said["labels"]).is_file()
    assert [item["name"] for item in said["curves"]] == CURVES
    labels = read_labels(path)
    assert labels.signals.shape == (300, 7)
    assert labels.usable.all()
    assert [curve.name for curve in labels.curves] == ["observed", "observed_asimov", "apriori"]
    assert (labels.signals[0] == 0).all()
    assert abs(labels.curves[0].delta[0]) < 1e-9


def test_two_dask_workers_one_of_them_killed(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, compiled: Callable[[], dict[str, str]]
) -> None:
    """Bit for bit the labels of one undisturbed process, and nothing said about the dead worker."""
    path = tmp_path / "store"
    # An empty XLA_FLAGS, as strangers' workers have it: one thread is the engine's own doing.
    with running_dask(tmp_path / "dask", 2, **_cache(compiled)) as dask:
        command = [*PROGRAM, str(WORKSPACE), "--out", str(path), "--scheduler", dask.address, *DRAWN]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=compiled()
        ) as run:
            until(lambda: _lines(path) >= 3)
            dask.workers[0].send_signal(signal.SIGKILL)
            assert _lines(path) < 19, "killed too late to mean anything"
            out, err = run.communicate()
        assert dask.workers[0].wait() == -signal.SIGKILL
        assert dask.workers[1].poll() is None
    assert run.returncode == 0, err
    assert "19 chunks" in out
    assert [line.split(":")[0] for line in err.splitlines() if " of " not in line] == [
        "Reading the statistical model",
        "Looking for minima",
        "Fitting signals",
        "Merging the chunks",
    ]
    assert (path / "labels.parquet").read_bytes() == (made[0] / "labels.parquet").read_bytes()


def test_a_killed_run_goes_on_where_it_was(
    made: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    compiled: Callable[[], dict[str, str]],
    llb_label: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """Killed with its two workers, resumed without any: the same file, and only the rest is done again."""
    path = tmp_path / "store"
    command = [*PROGRAM, str(WORKSPACE), "--out", str(path), "--processes", "2", *DRAWN]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=compiled(), start_new_session=True
    ) as run:
        until(lambda: _lines(path) >= 2)
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    done = open_store(path).records
    assert 2 <= len(done) < 19
    assert not (path / "labels.parquet").exists()
    ended = llb_label(WORKSPACE, "--out", path, "--resume", "--processes", "0", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["made"] == 300 - sum(record.rows for record in done.values())
    assert (path / "labels.parquet").read_bytes() == (made[0] / "labels.parquet").read_bytes()

    # A truncated chunk is dropped, made again, and said.
    chunk = path / "chunks" / "000005.parquet"
    chunk.write_bytes(chunk.read_bytes()[:-100])
    ended = llb_label(WORKSPACE, "--out", path, "--resume", "--processes", "0", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["made"] == 16
    assert [item["code"] for item in said["findings"]] == ["LLB-L106"]
    assert "[LLB-L106] chunk 5 is damaged" in ended.stderr
    assert (path / "labels.parquet").read_bytes() == (made[0] / "labels.parquet").read_bytes()


def test_labels_of_a_file(tmp_path: Path, llb_label: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    bins = [
        f"{channel['name']}[{index}]"
        for channel in load_workspace()["channels"]
        for index in range(len(channel["samples"][0]["data"]))
    ]
    path = tmp_path / "signals.json"
    signals = {"zero": {}, "some": {bins[0]: 3.5, bins[-1]: 1.25}, "all": dict.fromkeys(bins, 2.0)}
    path.write_text(json.dumps(signals))
    ended = llb_label(WORKSPACE, "--signals", path, "--format", "json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert [entry["name"] for entry in found] == ["zero", "some", "all"]
    for entry in found:
        assert list(entry["curves"]) == CURVES
        for curve in entry["curves"].values():
            assert curve["converged"] is True
            assert curve["edm"] < 1e-8
            assert sorted(curve["gradient"]) == sorted(bins)
        owner, alias = entry["curves"]["apriori"], entry["curves"]["apriori_asimov"]
        assert alias.pop("alias_of") == "apriori"
        assert alias["delta_nll"] == owner["delta_nll"]
        assert alias["gradient"] == owner["gradient"]
    zero, some, whole = (entry["curves"]["observed"] for entry in found)
    assert abs(zero["delta_nll"]) < 1e-9
    # The slope at zero is the derivative: the labels of one call belong together.
    assert some["nll"] - some["delta_nll"] == pytest.approx(zero["nll"], abs=1e-8)
    assert whole["delta_nll"] != some["delta_nll"]

    table = tmp_path / "signals.csv"
    rows = [f"{name},{bin_id},{value}" for name in ("some", "all") for bin_id, value in signals[name].items()]
    table.write_text("\n".join(["name,bin,yield", *rows]))
    ended = llb_label(WORKSPACE, "--signals", table, "--signal-modifiers", "none", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    plain = json.loads(ended.stdout)
    assert [entry["name"] for entry in plain] == ["some", "all"]
    # Without the luminosity uncertainty the likelihood is another one.
    difference = plain[1]["curves"]["observed"]["delta_nll"] - whole["delta_nll"]
    assert 1e-6 < abs(difference) < 0.5

    ended = llb_label(WORKSPACE, "--signals", path, "--signal-uncertainty", "0.2", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    uncertain = {entry["name"]: entry["curves"]["observed"] for entry in json.loads(ended.stdout)}
    # A signal that may be smaller is less in the way; none at all is none, and its term costs a constant.
    assert whole["delta_nll"] - uncertain["all"]["delta_nll"] > 1e-6
    assert uncertain["zero"]["nll"] - zero["nll"] == pytest.approx(0.5 * math.log(2.0 * math.pi), abs=1e-8)

    ended = llb_label(WORKSPACE, "--signals", path)
    assert ended.returncode == 0, ended.stderr
    assert f"{whole['delta_nll']:.6f}" in ended.stdout


def _lines(store: Path) -> int:
    index = store / "chunks.jsonl"
    return index.read_bytes().count(b"\n") if index.exists() else 0


def _cache(compiled: Callable[[], dict[str, str]]) -> dict[str, str]:
    return {name: value for name, value in compiled().items() if name.startswith("JAX_")}


def test_signals_that_cannot_be_labelled(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    name = load_workspace()["channels"][0]["name"]
    for text, code, lines in (
        (json.dumps({"a": {"nowhere[0]": 1.0}}), "LLB-Y001", 1),
        (f'{{"a": {{"{name}[0]": NaN}}}}', "LLB-P", 1),
        (json.dumps({"a": {f"{name}[0]": "x"}, "b": {"nowhere": 1.0}}), "LLB-Y004", 2),
        (json.dumps({"a": {f"{name}[0]": None}}), "LLB-Y004", 1),
        (json.dumps([1.0, 2.0]), "LLB-Y006", 1),
        ("{", "LLB-P", 1),
    ):
        path.write_text(text)
        assert f"[{code}" in refused(WORKSPACE, "--signals", path, lines=lines)


def test_bad_usage(refused: Callable[..., str], tmp_path: Path) -> None:
    signals = tmp_path / "s.json"
    signals.write_text("{}")
    assert "LLB-X901" in refused(WORKSPACE)
    assert "LLB-X901" in refused(WORKSPACE, "--signals", signals, "--points", 5)
    assert "LLB-X901" in refused(WORKSPACE, "--signals", signals, "--resume")
    assert "LLB-X901" in refused(
        WORKSPACE, "--out", tmp_path / "o", "--processes", 2, "--scheduler", "tcp://x:1"
    )
    assert "LLB-X003" in refused(tmp_path / "no.json", "--out", tmp_path / "o")
    assert "LLB-X003" in refused(WORKSPACE, "--signals", tmp_path / "no.json")
    assert "LLB-X003" in refused(WORKSPACE, "--out", tmp_path / "no" / "o")
    assert "LLB-T030" in refused(WORKSPACE, "--out", tmp_path / "o", "--strategy", "guess")
    assert "LLB-W003" in refused(WORKSPACE, "--out", tmp_path / "o", "--measurement", "no")
    assert "LLB-L110" in refused(WORKSPACE, "--out", tmp_path / "o", "--scheduler", "tcp://127.0.0.1:9")
    assert not (tmp_path / "o").exists()


def test_a_store_is_not_mixed_with_another(
    refused: Callable[..., str], made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    path = made[0]
    assert "LLB-X002" in refused(WORKSPACE, "--out", path)
    assert "--resume" in refused(WORKSPACE, "--out", path)
    assert "LLB-L103" in refused(WORKSPACE, "--out", path, "--resume", "--points", 301)
    assert "another seed" in refused(WORKSPACE, "--out", path, "--resume", "--seed", 8)
    assert "LLB-L103" in refused(WORKSPACE, "--out", path, "--resume", "--strategy", "sobol")
    assert "LLB-L103" in refused(WORKSPACE, "--out", path, "--resume", "--chunk", 17)

    workspace = load_workspace()
    workspace["observations"][0]["data"][0] += 1.0
    other = tmp_path / "other.json"
    other.write_text(json.dumps(workspace))
    assert "LLB-L101" in refused(other, "--out", path, "--resume")

    signals = tmp_path / "s.json"
    signals.write_text(json.dumps({"zero": {}}))
    assert "LLB-L103" in refused(WORKSPACE, "--out", path, "--resume", "--signals", signals)


@pytest.mark.parametrize("part", ["version", "software"])
def test_a_store_of_another_engine_is_refused(
    refused: Callable[..., str], made: tuple[Path, dict[str, Any]], tmp_path: Path, part: str
) -> None:
    document = json.loads((made[0] / "store.json").read_text())
    older = {"version": "llb 0.0.1 engine 1", "software": {"jax": "0.0.1"}}
    document["engine"][part] = older[part]
    path = tmp_path / "store"
    path.mkdir()
    (path / "store.json").write_text(json.dumps(document))
    for name in ("signals.parquet", "pilot.parquet"):
        (path / name).write_bytes((made[0] / name).read_bytes())
    line = refused(WORKSPACE, "--out", path, "--resume")
    assert "LLB-L102" in line
    assert "0.0.1" in line


def test_a_teacher_with_other_numbers_is_refused(
    made: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    llb_label: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    document = json.loads((made[0] / "store.json").read_text())
    document["teacher"]["fingerprint"] = "0" * 64
    path = tmp_path / "store"
    path.mkdir()
    (path / "store.json").write_text(json.dumps(document))
    for name in ("signals.parquet", "pilot.parquet"):
        (path / name).write_bytes((made[0] / name).read_bytes())
    ended = llb_label(WORKSPACE, "--out", path, "--resume")
    assert ended.returncode == 2
    assert "[LLB-L104]" in ended.stderr
    for option in (("--signal-modifiers", "none"), ("--signal-uncertainty", "0.1")):
        ended = llb_label(WORKSPACE, "--out", path, "--resume", *option)
        assert ended.returncode == 2
        assert "[LLB-L101]" in ended.stderr
