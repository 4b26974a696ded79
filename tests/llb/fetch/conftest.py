"""The local service and a bundle to publish, for all tests of fetching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bundles
import pytest
from publisher import Publisher

from llb.bundle import copy_bundle, read_any_bundle


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as service:
        yield service


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The small good bundle as archives, by suffix."""
    folder = tmp_path_factory.mktemp("archives")
    bundle = read_any_bundle(bundles.write(folder / "x.llb"))
    return {suffix: copy_bundle(bundle, folder / f"x{suffix}").read_bytes() for suffix in (".zip", ".tar.gz")}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A target in a folder of its own, so that whatever is left beside it is seen."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "x.llb"
