"""Statistical models that arrive: found in archives as experiments pack them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from publisher import IMPATIENT, Publisher

from llb.fetch import Demands, FetchedModel, Request, fetch_model
from llb_schema import FindingError
from llb_trainer.quickstart import load_patchset, load_workspace, patchset_path, workspace_path

WORKSPACE, PATCHSET = workspace_path().read_bytes(), patchset_path().read_bytes()


def other(name: str) -> bytes:
    """The workspace as that of another region, with a digest of its own."""
    document = load_workspace()
    document["measurements"][0]["name"] = name
    return json.dumps(document).encode()


def unnamed() -> bytes:
    """The patchset without the digest of its workspace."""
    document = load_patchset()
    document["metadata"]["digests"] = {}
    return json.dumps(document).encode()


def tarred(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def folder(out: Path) -> Path:
    return out.with_name("model")


def fetched(publisher: Publisher, body: bytes, folder: Path, **more: Any) -> FetchedModel:
    doi = publisher.hepdata("9", {"likelihoods.tar.gz": body}, {"likelihoods.tar.gz": "HistFactory"})
    request = Request(f"{doi}", None, Demands(), publisher.services, IMPATIENT)
    return fetch_model(request, folder, **more)


@pytest.mark.parametrize(
    ("files", "region"),
    [
        pytest.param({"BkgOnly.json": WORKSPACE, "patchset.json": PATCHSET}, "BkgOnly", id="flat"),
        pytest.param(
            {"a/b/BkgOnly.json": WORKSPACE, "a/b/patchset.json": unnamed()}, "b", id="nested, no digest"
        ),
        pytest.param(
            {"./w/bkg.json": WORKSPACE, "./p/signals.json": PATCHSET, "./._x": b"\0", "a b/Read me": b""},
            "w",
            id="names that no bundle may have",
        ),
        pytest.param(
            {"w.json": WORKSPACE, "full.json": other("full"), "patchset.json": PATCHSET},
            "w",
            id="a full workspace beside it",
        ),
        pytest.param(
            {
                "BkgOnly.json": WORKSPACE,
                "patchset.json": PATCHSET,
                "patch.X.json": b"[]",
                "bad.json": b"{NaN",
            },
            "BkgOnly",
            id="patches and broken files beside it",
        ),
    ],
)
@pytest.mark.parametrize("pack", [tarred, zipped])
def test_one_model(
    publisher: Publisher, folder: Path, files: dict[str, bytes], region: str, pack: Any
) -> None:
    result = fetched(publisher, pack(files), folder)
    assert result.workspace == folder / "BkgOnly.json"
    assert result.workspace.read_bytes() == WORKSPACE
    assert result.patchset == folder / "patchset.json"
    assert json.loads(result.patchset.read_text())["patches"] == load_patchset()["patches"]
    assert (result.model.region, result.regions, result.findings) == (region, (region,), ())
    assert [item.name for item in folder.parent.iterdir()] == ["model"]


def test_a_workspace_by_itself(publisher: Publisher, folder: Path) -> None:
    doi = publisher.hepdata("9", {"workspace.json": WORKSPACE})
    result = fetch_model(Request(doi, services=publisher.services, patience=IMPATIENT), folder)
    assert result.patchset is None
    assert [item.name for item in folder.iterdir()] == ["BkgOnly.json"]
    assert result.workspace.read_bytes() == WORKSPACE


REGIONS = {
    "top/RegionA/BkgOnly.json": WORKSPACE,
    "top/RegionA/patchset.json": PATCHSET,
    "top/RegionC/BkgOnly.json": other("C"),
    "top/RegionC/patchset.json": unnamed(),
    "top/README.md": b"Two regions",
}


def test_several_regions(publisher: Publisher, folder: Path) -> None:
    with pytest.raises(FindingError, match="LLB-D020") as error:
        fetched(publisher, tarred(REGIONS), folder)
    assert error.value.findings[0].actual == "RegionA, RegionC"
    with pytest.raises(FindingError, match="LLB-D021"):
        fetched(publisher, tarred(REGIONS), folder, region="RegionB")
    assert list(folder.parent.iterdir()) == []
    result = fetched(publisher, tarred(REGIONS), folder, region="regionc")
    assert (result.model.region, result.regions) == ("RegionC", ("RegionA", "RegionC"))
    assert json.loads(result.workspace.read_text())["measurements"][0]["name"] == "C"
    assert result.patchset is not None
    assert json.loads(result.patchset.read_text())["metadata"]["digests"] == {}


def test_regions_in_one_folder(publisher: Publisher, folder: Path) -> None:
    """Digests tell which signals belong to which; a patchset of none of them belongs to none."""
    files = {"A_bkg.json": other("A"), "B_bkg.json": WORKSPACE, "A.json": unnamed(), "B.json": PATCHSET}
    assert fetched(publisher, tarred(files), folder, region="B_bkg").model.patchset == "B.json"


def test_signals_of_another_workspace_are_left_out(publisher: Publisher, folder: Path) -> None:
    files = {"BkgOnly.json": other("A"), "patchset.json": PATCHSET}
    result = fetched(publisher, tarred(files), folder)
    assert result.patchset is None
    assert [(item.code, item.pointer) for item in result.findings] == [("LLB-D022", "patchset.json")]


def test_no_model(publisher: Publisher, folder: Path) -> None:
    files = {"patchset.json": PATCHSET, "broken.json": b"{", "hs3.json": b"{}", "README.md": b""}
    with pytest.raises(FindingError, match="LLB-D019") as error:
        fetched(publisher, tarred(files), folder)
    assert [item.code[:5] for item in error.value.findings] == ["LLB-D", "LLB-P"]
    with pytest.raises(FindingError, match="LLB-D018"):
        fetched(publisher, b"\xfd7zXZ", folder)
    with pytest.raises(FindingError, match="LLB-A004"):
        fetched(publisher, tarred({"../BkgOnly.json": WORKSPACE}), folder)
    assert list(folder.parent.iterdir()) == []


def test_which_resource(publisher: Publisher, folder: Path) -> None:
    body = tarred({"BkgOnly.json": WORKSPACE})
    doi = publisher.zenodo("7", {"search.llb.zip": b"", "likelihoods.tar.gz": body, "notes.pdf": b""})
    result = fetch_model(Request(doi, services=publisher.services, patience=IMPATIENT), folder)
    assert result.resource.number == 2
    none = publisher.zenodo("8", {"notes.pdf": b"", "search.llb.zip": b""})
    with pytest.raises(FindingError, match="LLB-D015"):
        fetch_model(Request(none, services=publisher.services, patience=IMPATIENT), folder.with_name("x"))


def test_targets(publisher: Publisher, folder: Path) -> None:
    body = tarred({"BkgOnly.json": WORKSPACE})
    fetched(publisher, body, folder)
    with pytest.raises(FindingError, match="LLB-X002"):
        fetched(publisher, body, folder)
    fetched(publisher, tarred({"BkgOnly.json": other("A")}), folder, overwrite=True)
    assert (folder / "BkgOnly.json").read_bytes() == other("A")
    (folder / "thesis.tex").write_text("years of work")
    with pytest.raises(FindingError, match="LLB-X002"):
        fetched(publisher, body, folder, overwrite=True)
    assert (folder / "thesis.tex").read_text() == "years of work"
    for bad in (folder.with_name("x.zip"), folder / "no" / "x"):
        with pytest.raises(FindingError, match="LLB-X003"):
            fetched(publisher, body, bad)


def test_the_archive_of_a_real_search(publisher: Publisher, folder: Path, shared_data: Path) -> None:
    source = shared_data / "ATLAS-SUSY-2018-04"
    names = ("BkgOnly", "patchset")
    files = {
        f"SUSY-2018-04/Region-combined/{name}.json": (source / f"Region-combined_{name}.json").read_bytes()
        for name in names
    }
    result = fetched(publisher, tarred(files), folder)
    assert result.model.region == "Region-combined"
    assert [(folder / f"{name}.json").read_bytes() for name in names] == list(files.values())
