"""The script of the page is built once, of these sources, and whole or not at all."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from views import built

from llb.view import build as original

ROOT = Path(__file__).resolve().parents[3]
LOADER = ROOT / "conformance" / "loaders" / "javascript"


@pytest.fixture
def copied(tmp_path: Path) -> ModuleType:
    """Laid out as in a wheel: the modules of the loader are beside the page. The results come along."""
    built()
    folder = tmp_path / "view"
    shutil.copytree(ROOT / "reference" / "llb" / "view", folder)
    (folder / "loader").mkdir()
    for name in original.SHARED:
        shutil.copy(LOADER / f"{name}.mjs", folder / "loader")
    spec = importlib.util.spec_from_file_location("build_of_a_copy", folder / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wheel_has_the_shared_modules() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines = [
        f'"{LOADER.relative_to(ROOT)}/{name}.mjs" = "llb/view/loader/{name}.mjs"' for name in original.SHARED
    ]
    assert [line for line in text.splitlines() if "llb/view/loader" in line] == lines


def test_it_is_built_once() -> None:
    built()
    script = original.ASSETS / original.SCRIPT
    before = script.stat().st_mtime_ns
    original.build()
    assert script.stat().st_mtime_ns == before


def test_in_a_wheel_the_results_are_those_of_the_sources(copied: ModuleType) -> None:
    assert copied.is_built()
    page = copied.ASSETS.parent / "page"
    for name in ("main.mjs", "page.css", "package-lock.json"):
        text = (page / name).read_text(encoding="utf-8")
        (page / name).write_text(f"{text}\n", encoding="utf-8")
        assert not copied.is_built()
        (page / name).write_text(text, encoding="utf-8")
        assert copied.is_built()


def test_without_a_registry_what_was_built_stays(
    copied: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    (copied.ASSETS.parent / "page" / "page.css").write_text("p { margin: 0 }", encoding="utf-8")
    before = sorted(path.name for path in copied.ASSETS.parent.iterdir())
    with pytest.raises(copied.BuildError, match="npm fails"):
        copied.build()
    assert (copied.ASSETS / copied.SCRIPT).is_file()
    assert sorted(path.name for path in copied.ASSETS.parent.iterdir()) == before


def test_without_node(copied: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "nowhere"))
    (copied.ASSETS.parent / "page" / "page.css").write_text("p { margin: 0 }", encoding="utf-8")
    with pytest.raises(copied.BuildError, match="npm is not installed"):
        copied.build()
