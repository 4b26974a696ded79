"""`llb fetch`, and the commands that begin with it, against a service on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import bundles
import pytest
from commands import run
from publisher import Publisher, Reply

from llb.bundle import copy_bundle, read_any_bundle
from llb_trainer.plan import Plan
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.sampling import Sampling
from llb_trainer.training import Recipe

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    with Publisher() as service:
        for name in ("doi", "hepdata", "zenodo"):
            monkeypatch.setenv(f"LLB_{name.upper()}_URL", f"{service.url}/{name}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield service


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return lambda *arguments: run(capsys, *arguments)


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    bundle = read_any_bundle(bundles.write(tmp_path / "source.llb"))
    return copy_bundle(bundle, tmp_path / "source.zip").read_bytes()


def test_a_bundle(publisher: Publisher, command: Command, archive: bytes, tmp_path: Path) -> None:
    doi = publisher.zenodo("7", {"x.llb.zip": archive})
    out = tmp_path / "x.llb"
    code, text, err = command("fetch", doi, "--out", out)
    assert code == 0
    assert text.startswith(f"{out}: valid to level 2, from {publisher.url}/zenodo/api/records/7/files/")
    assert "Downloading x.llb (MB)" in err
    code, text, _ = command("fetch", doi, "--out", out, "--force", "--level", 4, "--format", "json")
    document = json.loads(text)
    assert (code, document["bundle"], document["level"]) == (0, str(out), 4)
    assert (document["resource"], document["bytes"], document["findings"]) == ("x.llb.zip", len(archive), [])
    assert command("validate", out)[0] == 0


def test_a_list(publisher: Publisher, command: Command, archive: bytes) -> None:
    files = {"x.llb.zip": archive, "w.tar.gz": b"", "figure.png": b""}
    doi = publisher.hepdata("9", files, {"w.tar.gz": "HistFactory"})
    code, text, err = command("fetch", doi, "--list")
    assert (code, err) == (0, "")
    assert [line.split()[:3] for line in text.splitlines()[2:]] == [
        ["1", "x.llb.zip", "bundle"],
        ["2", "w.tar.gz", "workspace"],
        ["3", "figure.png", "File"],
    ]
    listed = json.loads(command("fetch", doi, "--list", "--format", "json")[1])
    assert listed["title"] == "A search"
    assert [item["looks_like"] for item in listed["resources"]] == ["bundle", "workspace", None]


def test_a_model(publisher: Publisher, command: Command, tmp_path: Path) -> None:
    doi = publisher.hepdata("9", {"workspace.json": workspace_path().read_bytes()})
    code, text, _ = command("fetch", doi, "--workspace", "--out", tmp_path / "a")
    assert code == 0
    assert text.startswith(f"{tmp_path / 'a'}: workspace.json, without a patchset, from ")
    arguments = ("--workspace", "--region", "workspace", "--out", tmp_path / "b", "--format", "json")
    document = json.loads(command("fetch", doi, *arguments)[1])
    assert document["workspace"] == str(tmp_path / "b" / "BkgOnly.json")
    assert (document["patchset"], document["regions"]) == (None, ["workspace"])


def test_a_fault_is_one_line(publisher: Publisher, command: Command, tmp_path: Path) -> None:
    publisher.routes["/x"] = lambda _: Reply.page()
    code, text, err = command("fetch", f"{publisher.url}/x", "--out", tmp_path / "x.llb")
    assert (code, text) == (2, "")
    assert err.startswith("[LLB-D013]")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--list", "--out", "x"),
        ("--out", "x", "--region", "A"),
        ("--out", "x", "--workspace", "--level", "2"),
        ("--out", "x", "--sha256", "abc"),
    ],
)
def test_what_does_not_go_together(command: Command, arguments: tuple[str, ...]) -> None:
    code, _, err = command("fetch", "10.5281/zenodo.7", *arguments)
    assert (code, err[:10]) == (2, "[LLB-X901]")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--doi", "10.5281/zenodo.7", "--workspace", "BkgOnly.json"),
        ("--doi", "10.5281/zenodo.7", "--patchset", "patchset.json"),
        ("--region", "A"),
        ("--resource", "1"),
    ],
)
def test_what_a_quickstart_refuses(command: Command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, _, err = command("quickstart", "--out", tmp_path / "q.llb", *arguments)
    assert (code, err[:10]) == (2, "[LLB-X901]")


def test_a_quickstart_on_a_published_search(
    publisher: Publisher, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way, with a training too short for good numbers."""

    def short(seed: int) -> Plan:
        recipe = Recipe(width=8, depth=1, members=2, steps=60, batch=64, seed=seed)
        return Plan(signals=256, sampling=Sampling(seed=seed), recipe=recipe, processes=0)

    monkeypatch.setattr("llb_trainer.quickstart.plan.quickstart_plan", short)
    files = {"workspace.json": workspace_path().read_bytes()}
    doi = publisher.hepdata("9", files, {"workspace.json": "HistFactory"})
    out = tmp_path / "q.llb"
    arguments = ("--out", out, "--points", 1, "--format", "json")
    code, text, err = command("quickstart", "--doi", doi, *arguments)
    assert code in {0, 1}, err
    assert json.loads(text)["bundle"] == str(out)
    assert (tmp_path / "q-model" / "BkgOnly.json").read_bytes() == workspace_path().read_bytes()
    teacher = read_any_bundle(out).manifest.teacher
    assert [item.name for item in teacher.files] == ["BkgOnly.json"]
    assert patchset_path().name not in [item.name for item in tmp_path.iterdir()]
