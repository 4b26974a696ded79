"""An index of a folder: what can be used is listed, what cannot is said, and the page finds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bundles
import pytest
from browser import visiting
from commands import run
from html_pages import parse
from playwright.sync_api import Browser

from llb.bundle import copy_bundle, read_bundle
from llb.index import analyses_document, index_folder, index_page
from llb_conformance.gaussian import mixed_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import FindingError

URL = "https://example.org/{name}"


def known(number: str, kind: str = "inspire") -> Any:
    def change(document: dict[str, Any]) -> None:
        document["id"] = f"search-{number}"
        document["references"].append({"kind": kind, "value": number})
        document["analysis"]["name"] = f"SEARCH-{number}"

    return change


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bundles")
    (root / "more").mkdir()
    (root / ".git").mkdir()
    bundles.write(root / "a.llb", known("1234567"))
    bundles.write(root / "more" / "b.llb", known("ins2222222", "hepdata"))
    bundles.write(root / ".git" / "hidden.llb")
    write_gaussian(mixed_model(), root / "density.llb")
    copy_bundle(read_bundle(root / "a.llb"), root / "more" / "a.llb.zip")
    broken = bundles.write(root / "broken.llb")
    (broken / bundles.GRAPH).write_bytes(bytes((broken / bundles.GRAPH).stat().st_size))
    (root / "cut.llb.tar.gz").write_bytes(b"\x1f\x8bnothing")
    return root


def test_good_bundles_are_listed_and_broken_ones_said(folder: Path) -> None:
    index = index_folder(folder, 2)
    assert [item.path for item in index.entries] == ["a.llb", "more/a.llb.zip", "more/b.llb", "density.llb"]
    assert index.left_out == ("broken.llb", "cut.llb.tar.gz")
    assert {item.code for item in index.findings["broken.llb"]} == {"LLB-I001"}
    assert [item.code for item in index.findings["more/a.llb.zip"]] == ["LLB-R003"]
    assert str(folder) not in json.dumps(index.to_json())
    first, *_, density = index.entries
    assert first.inspire_id == 1234567
    assert first.functions == (*bundles.CURVES, "apriori_asimov")
    assert [item.function for item in first.errors] == list(bundles.CURVES)
    assert density.functions == ("log_prob",)
    assert density.inspire_id is None


def test_the_document_for_hepdata_has_what_its_schema_asks_for(folder: Path) -> None:
    document, missing = analyses_document(index_folder(folder, 2).entries, URL, "0.1.0")
    assert [item.code for item in missing] == ["LLB-R004"]
    assert document is not None
    assert {"tool", "version", "date_created", "implementations_description"} <= set(document)
    assert document["schema_version"] == "1.0.0"
    assert document["url_templates"] == {"main_url": URL}
    assert document["date_created"] == "2026-11-21T23:00:00+00:00"
    assert document["implementations_license"]["name"] == "CC0-1.0"
    analyses = {item["inspire_id"]: item["implementations"] for item in document["analyses"]}
    assert analyses[1234567] == [{"name": "a.llb"}, {"name": "more/a.llb.zip"}]
    assert analyses[2222222] == [{"name": "more/b.llb"}]
    assert analyses_document([], URL, "0.1.0") == (None, ())


def test_the_page_is_well_formed_and_loads_nothing(folder: Path) -> None:
    index = index_folder(folder, 1)
    page = parse(index_page(index, "<b>Ours</b>"))
    assert page.loaded == []
    assert page.all("h1")[0].text == "<b>Ours</b>"
    links = [item.attributes["href"] for item in page.all("a")]
    assert links == [f"./{item.path}" for item in index.entries]
    assert index_page(index_folder(folder, 1), "<b>Ours</b>") == index_page(index, "<b>Ours</b>")


def test_the_page_is_searched_without_a_server(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], chromium: Browser
) -> None:
    code, out, err = run(capsys, "index", folder, "--out", tmp_path, "--url", URL)
    assert code == 1
    assert "4 bundles, 2 not listed" in out
    assert "LLB-R004" in err
    assert {item.name for item in tmp_path.iterdir()} == {"index.json", "index.html", "analyses.json"}
    with visiting(chromium, (tmp_path / "index.html").as_uri()) as visit:
        page = visit.page

        def left() -> int:
            return page.locator("#bundles tbody tr:visible").count()

        assert left() == 4
        page.fill("input[name=words]", "search-1234567 developers")
        assert left() == 2
        page.select_option("select[name=family]", "full_likelihood")
        assert left() == 0
        assert page.inner_text("#count") == "0 of 4 bundles"
        page.click("button[type=reset]")
        page.wait_for_function("document.getElementById('count').textContent === '4 bundles'")
        page.select_option("select[name=curve]", "log_prob")
        assert left() == 1
        page.click("button[type=reset]")
        page.fill("input[name=most]", "1e-16")
        assert left() == 3
        assert (visit.complaints, len(visit.requests)) == ([], 1)
    with visiting(chromium, (tmp_path / "index.html").as_uri(), javascript=False) as visit:
        assert visit.page.locator("#bundles tbody tr:visible").count() == 4
        assert not visit.page.locator("form").is_visible()


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    text = '</script><script>alert(1)</script>" onclick="alert(1)'

    def change(document: dict[str, Any]) -> None:
        document["title"] = document["analysis"]["name"] = text
        document["authors"] = [{"name": text}]

    bundles.write(tmp_path / "javascript:alert(1).llb", change)
    page = parse(index_page(index_folder(tmp_path, 1), text))
    assert len(page.all("script")) == 1
    assert "alert" not in page.all("script")[0].text
    assert not any(name.startswith("on") for item in page.elements for name in item.attributes)
    assert page.all("a")[0].attributes["href"].startswith("./")


def test_a_folder_without_bundles_and_a_bundle_are_no_folders_of_bundles(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path, folder / "a.llb"):
        with pytest.raises(FindingError, match="LLB-R002"):
            index_folder(place, 1)
    assert run(capsys, "index", tmp_path / "none")[0] == 2
    assert run(capsys, "index", folder, "--url", "example.org")[0] == 2


def test_programs_read_the_document_and_nothing_is_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles.write(tmp_path / "x.llb")
    code, out, _ = run(capsys, "index", tmp_path, "--format", "json")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "index.json").read_text())
    code, _, err = run(capsys, "index", tmp_path)
    assert code == 2
    assert "LLB-X002" in err
    assert run(capsys, "index", tmp_path, "--overwrite")[0] == 0
