"""A bundle that is handed to the page is checked there, with the findings of `llb validate`."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from views import View, viewing, written

from llb.bundle import pack, read_any_bundle
from llb_conformance import counting_model, write_quadratic
from llb_conformance.corpus import Archive, Case, corpus, good_bundle
from llb_conformance.gaussian import conditional_model
from llb_conformance.gaussian_bundle import gaussian_files

# Of these stages everything that the corpus has, of the others what the page looks at: it knows neither the
# JSON Schemas nor the tables, and looks for no points of its own.
STAGES = ("archive", "graph")
CODES = {
    *(
        "LLB-I001",
        "LLB-I002",
        "LLB-I003",
        "LLB-I004",
        "LLB-M022",
        "LLB-M023",
        "LLB-M024",
        "LLB-M025",
        "LLB-M028",
    ),
    *("LLB-N001", "LLB-N002", "LLB-N003", "LLB-N006", "LLB-G015"),
}


@pytest.fixture(scope="module")
def view(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[View]:
    folder = tmp_path_factory.mktemp("view")
    bundle = read_any_bundle(write_quadratic(counting_model(), folder / "counting.llb"))
    with viewing(chromium, written(bundle, folder)) as opened:
        yield opened


def stored(files: Mapping[str, bytes]) -> bytes:
    """A zip without compression, so that no fault hides behind what is packed too well."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return content.getvalue()


def archived(case: Case) -> bytes | None:
    """The case as a zip, or None where it is something else."""
    made = case.build()
    if isinstance(made, Archive):
        return made.data if made.suffix == ".zip" else None
    return None if made.links else stored(made.files)


def test_a_good_bundle_is_shown(view: View, tmp_path: Path) -> None:
    path = tmp_path / "good.llb.zip"
    path.write_bytes(pack(good_bundle(), "zip"))
    assert view.check(path) == []
    result = view.visit.page.locator(".result")
    assert "good.llb.zip keeps what it says" in result.inner_text()
    assert "test vectors reproduced" in result.inner_text()
    name = view.visit.page.get_by_text(read_any_bundle(path).manifest.id)
    assert name.count() == 0
    result.get_by_role("button").click()
    name.wait_for()
    assert set(view.numbers) > {"cls_observed", "upper_limit_observed"}


def test_a_good_density_is_shown(view: View, tmp_path: Path) -> None:
    path = tmp_path / "density.llb.zip"
    path.write_bytes(pack(gaussian_files(conditional_model()), "zip"))
    assert view.check(path) == []
    view.visit.page.locator(".result").get_by_role("button").click()
    view.visit.page.get_by_label("scanned parameter").wait_for()
    assert view.numbers["log_prob"] < 0


def test_faults_are_those_of_the_corpus(view: View, tmp_path: Path) -> None:
    """One page, one case after the other: it has to survive them all."""
    wrong: dict[str, list[str]] = {}
    seen: set[str] = set()
    for case in corpus():
        data = archived(case)
        if data is None:
            continue
        path = tmp_path / "case.llb.zip"
        path.write_bytes(data)
        codes = view.check(path)
        if case.stage in STAGES or case.code in CODES:
            seen.add(case.code)
            if case.code not in codes:
                wrong[case.id] = codes
    assert wrong == {}
    assert seen >= CODES
    assert len(seen) > 35


def test_a_finding_says_what_and_where_and_what_to_do(view: View, tmp_path: Path) -> None:
    files = dict(good_bundle())
    files["LICENSE"] = bytes(reversed(files["LICENSE"]))
    path = tmp_path / "changed.llb.zip"
    path.write_bytes(pack(files, "zip"))
    assert view.check(path) == ["LLB-I001"]
    text = view.visit.page.locator(".result").inner_text()
    assert "changed.llb.zip does not keep what it says" in text
    assert "LICENSE" in text
    assert "The file was changed or damaged; fetch the bundle again." in text
    assert view.visit.page.locator(".result").get_by_role("button").count() == 0


def test_a_file_is_dropped(view: View) -> None:
    """As a browser does it: the event brings the file."""
    files = dict(good_bundle())
    del files["LICENSE"]
    view.visit.page.locator(".check").evaluate(
        """(element, data) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], "dropped.llb.zip"));
            for (const kind of ["dragover", "drop"]) {
                const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
                element.dispatchEvent(event);
                if (!event.defaultPrevented) throw new Error(`${kind} is left to the browser`);
            }
        }""",
        b64encode(pack(files, "zip")).decode(),
    )
    finding = view.visit.page.locator(".result[data-state=idle] li[data-code]")
    finding.wait_for()
    assert finding.get_attribute("data-code") == "LLB-I003"


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (b"null", "LLB-V003"),
        (b'{"files": []}', "LLB-I004"),
        (b'{"files": 3}', "LLB-V003"),
        (b'{"files": [null]}', "LLB-V003"),
    ],
)
def test_a_manifest_of_another_form(view: View, tmp_path: Path, manifest: bytes, code: str) -> None:
    path = tmp_path / "form.llb.zip"
    path.write_bytes(stored({**good_bundle(), "manifest.json": manifest}))
    assert code in view.check(path)


def test_a_tarball_is_for_the_command_line(view: View, tmp_path: Path) -> None:
    path = tmp_path / "good.llb.tar.gz"
    path.write_bytes(pack(good_bundle(), "tar"))
    assert view.check(path) == ["LLB-V004"]
    assert "llb pack" in view.visit.page.locator(".result").inner_text()
