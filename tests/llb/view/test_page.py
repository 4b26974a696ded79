"""The page as such: served or from a file, alone or in another page, on screens of any kind."""

from __future__ import annotations

import http.client
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import PHONE, visiting
from commands import run
from playwright.sync_api import Browser
from views import built, viewing, written

from llb.bundle import read_any_bundle
from llb.page_policy import page_policy
from llb.view import page as pages
from llb.view.page import fragment, page
from llb.view.server import PageServer
from llb_conformance import counting_model, write_quadratic
from llb_schema import FindingError


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    built()
    return write_quadratic(counting_model(), tmp_path / "counting.llb")


@contextmanager
def serving(content: bytes) -> Iterator[PageServer]:
    with PageServer(content) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_served_it_asks_for_nothing_else(bundle: Path, chromium: Browser) -> None:
    with serving(page(read_any_bundle(bundle)).encode()) as server, viewing(chromium, server.url) as view:
        assert view.numbers["cls_observed"] > 0


def test_only_its_own_name_and_path_are_served() -> None:
    with serving(b"<p>page</p>") as server:

        def answer(path: str, host: str) -> int:
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
            connection.request("GET", path, headers={"Host": host})
            return connection.getresponse().status

        port = server.server_port
        assert server.url == f"http://127.0.0.1:{port}/"
        assert [answer("/", f"{name}:{port}") for name in ("127.0.0.1", "localhost")] == [200, 200]
        assert answer("/manifest.json", f"127.0.0.1:{port}") == 404
        assert answer("/", "a-page-of-somebody.example") == 421
        with pytest.raises(FindingError, match="LLB-V002"):
            PageServer(b"", port)


def test_what_a_bundle_says_is_only_text(bundle: Path, chromium: Browser, tmp_path: Path) -> None:
    """Whatever stands in the title: markup of its own would be an element, or an error of the policy."""
    opened = read_any_bundle(bundle)
    title = "</title><script>alert(1)</script><b>bold</b>{{script}}"
    object.__setattr__(opened.manifest, "title", title)
    assert "<b>bold" not in page(opened)
    with viewing(chromium, written(opened, tmp_path)) as view:
        assert view.visit.page.title() == title


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone_nothing_sticks_out(
    scheme: str, bundle: Path, chromium: Browser, tmp_path: Path
) -> None:
    url = written(read_any_bundle(bundle), tmp_path)
    with viewing(chromium, url, PHONE, "dark" if scheme == "dark" else "light") as view:
        width, background = view.visit.page.evaluate(
            "[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]"
        )
        assert width == PHONE["width"]
        red = int(background.split("(")[1].split(",")[0])
        assert (red < 64) == (scheme == "dark")


def test_in_another_page_styles_do_not_meet(bundle: Path, chromium: Browser, tmp_path: Path) -> None:
    """A page with a policy and rules for all elements: neither changes the panel, nor the panel the page."""
    piece = fragment(read_any_bundle(bundle), heading=False)
    assert "<script" not in piece.markup
    path = tmp_path / "report.html"
    path.write_text(
        f"""<!doctype html><meta charset="utf-8"><title>Report</title><link rel="icon" href="data:,">
        <meta http-equiv="Content-Security-Policy" content="{page_policy(piece.script, wasm=True)}">
        <style>section, h3, input {{ display: none }} p {{ color: rgb(1, 2, 3) }}</style>
        <p id="around">Around it.</p>{piece.markup}{piece.markup}<script>{piece.script}</script>""",
        encoding="utf-8",
    )
    with viewing(chromium, path.as_uri()) as view:
        around = view.visit.page
        assert around.locator(".panel").count() == 2
        around.locator('output[data-name="mu_hat"][data-value]').nth(1).wait_for()
        assert around.locator("h2").count() == 0
        assert around.locator(".numbers h3").first.is_visible()
        colour = "(element) => getComputedStyle(element).color"
        assert around.locator("#around").evaluate(colour) == "rgb(1, 2, 3)"
        assert around.locator(".check p").first.evaluate(colour) != "rgb(1, 2, 3)"


def test_where_no_script_runs_it_says_so(bundle: Path, chromium: Browser, tmp_path: Path) -> None:
    with visiting(chromium, written(read_any_bundle(bundle), tmp_path), javascript=False) as visit:
        assert visit.page.get_by_text("Where scripts run").is_visible()


def test_the_command_serves_until_it_is_interrupted(bundle: Path) -> None:
    command = [
        sys.executable,
        "-c",
        # A shell that runs this in the background has told its children to ignore Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from llb.cli.main import main; main()",
        "view",
        str(bundle),
        "--no-open",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[0]
        with urllib.request.urlopen(url) as response:  # noqa: S310 - our own
            assert b'class="llb-view"' in response.read()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


def test_without_its_script_the_command_says_what_to_do(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "is_built", lambda: False)
    code, out, err = run(capsys, "view", bundle, "--no-open")
    assert (code, out) == (2, "")
    assert err.startswith("[LLB-V001]")
    assert "python -m llb.view.build" in err


def test_no_bundle_no_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = run(capsys, "view", tmp_path / "none.llb", "--no-open")
    assert code == 2
    assert err.startswith("[LLB-A001]")


def test_a_changed_file_is_not_shown(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = bundle / "graphs" / "delta_nll.onnx"
    data = bytearray(graph.read_bytes())
    data[-1] ^= 1
    graph.write_bytes(data)
    code, _, err = run(capsys, "view", bundle, "--no-open")
    assert code == 2
    assert err.startswith("[LLB-I001]")
