"""`llb fetch`, and the commands that begin with it, against a service on this machine."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import bundles
import pytest
from commands import run
from publisher import Publisher, Reply

from llb.bundle import copy_bundle, read_any_bundle
from llb.cli.failure import EXIT_INTERRUPTED
from llb.runtime import Signals
from llb_trainer.quickstart import patchset_path, workspace_path

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
    assert code == 0
    assert err.startswith(f"Asking for {doi}: ")
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
    """Up to the training, which test_pipeline.py has: it gets the search and its signals."""
    handed: dict[str, Any] = {}

    def stop(open_teacher: partial[Any], published: Signals, *_: object, **__: object) -> None:
        handed.update(search=open_teacher.args[0], published=published)
        raise KeyboardInterrupt

    monkeypatch.setattr("llb_trainer.pipeline.run", stop)
    doi = publisher.hepdata("9", {"likelihoods.zip": zipped(workspace_path(), patchset_path())})
    out = tmp_path / "q.llb.zip"
    code, _, err = command("quickstart", "--doi", f"{doi}/r1", "--out", out)
    assert code == EXIT_INTERRUPTED, err
    search = handed["search"]
    assert (search.name, search.sha256) == (
        "BkgOnly.json",
        hashlib.sha256(workspace_path().read_bytes()).hexdigest(),
    )
    assert len(handed["published"].names) == 24
    assert sorted(item.name for item in tmp_path.iterdir()) == ["q-model"]
    # The same again needs leave.
    again = command("quickstart", "--doi", f"{doi}/r1", "--out", out)
    assert (again[0], again[2].splitlines()[-1][:10]) == (2, "[LLB-X002]")


def test_a_quickstart_on_what_is_not_there(publisher: Publisher, command: Command, tmp_path: Path) -> None:
    code, _, err = command("quickstart", "--doi", "10.17182/hepdata.9", "--out", tmp_path / "q.llb")
    assert (code, err.splitlines()[-1][:10]) == (2, "[LLB-D002]")
    assert list(tmp_path.iterdir()) == []
    assert publisher.asked


def zipped(*files: Path) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, f"likelihoods/{file.name}")
    return data.getvalue()
