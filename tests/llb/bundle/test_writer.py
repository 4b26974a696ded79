from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.bundle import read_bundle, write_bundle
from llb_schema import FindingError

NAMES = ["x.llb", "x.llb.zip", "x.llb.tar.gz"]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def write(target: Path, title: str = "new", **options: Any) -> Path:
    return write_bundle(target, {**bundles.manifest(), "title": title}, bundles.files(), **options)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / name)
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_card_and_licence_are_added_unless_given(tmp_path: Path) -> None:
    path = write(tmp_path / "x.llb", title="Pipes | and <tags>\nand lines")
    card = (path / "README.md").read_text()
    assert card.startswith("# Pipes \\| and \\<tags\\> and lines\n")
    for word in (
        "`SR[0]`",
        "observed_asimov",
        "alias of apriori",
        "CC0-1.0",
        "-1 to 20",
        "llb limit",
        "onnxruntime",
    ):
        assert word in card
    assert "CC0-1.0" in (path / "LICENSE").read_text()
    assert {entry.path: entry.role for entry in read_bundle(path).manifest.files}["README.md"] == "card"
    own = {"CARD.md": bundles.BundleFile(b"mine", "card", "text/markdown")}
    path = bundles.write(tmp_path / "y.llb", replace=own)
    assert not (path / "README.md").exists()


def test_keys_are_in_reading_order(tmp_path: Path) -> None:
    document = json.loads((write(tmp_path / "x.llb") / "manifest.json").read_text())
    keys = list(document)
    assert keys[:3] == ["format", "format_version", "id"]
    assert keys[-3:] == ["files", "required_features", "extensions"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": 3}, "LLB-S003"),
        ({"domain": {"lower": [float("nan")], "upper": [1.0]}}, "LLB-P004"),
        ({"domain": {"lower": [0.0], "upper": [1.0]}}, "LLB-M008"),
        ({"colour": "red"}, "LLB-S002"),
        ({"title": "\ud800"}, "LLB-P001"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_an_invalid_manifest_writes_nothing(
    tmp_path: Path, name: str, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(FindingError, match=code):
        write_bundle(tmp_path / name, {**bundles.manifest(), **change}, bundles.files())
    assert list(tmp_path.iterdir()) == []


def test_unsafe_paths_are_refused(tmp_path: Path) -> None:
    stray = {"../stray.txt": bundles.BundleFile(b"", "figure", "text/plain")}
    with pytest.raises(FindingError, match="LLB-S005"):
        bundles.write(tmp_path / "x.llb", replace=stray)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", NAMES)
def test_existing_targets_stay_unless_overwritten(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "old")
    with pytest.raises(FindingError, match="LLB-X002"):
        write(tmp_path / name)
    assert read_bundle(tmp_path / name).manifest.title == "old"
    write(tmp_path / name, overwrite=True)
    assert read_bundle(tmp_path / name).manifest.title == "new"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_only_bundles_and_empty_folders_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("x")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "manifest.json").write_text('{"name": "an app"}')
    write(tmp_path / "real.llb")
    (tmp_path / "link.llb").symlink_to(tmp_path / "real.llb")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    before = snapshot(tmp_path)
    for name in ("folder", "file", "foreign", "link.llb", "broken"):
        with pytest.raises(FindingError, match="LLB-A012"):
            write(tmp_path / name, overwrite=True)
    assert snapshot(tmp_path) == before
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", overwrite=True)
    # A bundle with a fault, say a half-copied one, may be replaced.
    (tmp_path / "real.llb" / bundles.GRAPH).unlink()
    write(tmp_path / "real.llb", overwrite=True)
    assert read_bundle(tmp_path / "real.llb").manifest.title == "new"


def test_a_missing_folder_is_a_finding(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="LLB-X003"):
        write(tmp_path / "nowhere" / "x.llb")


class Interruption:
    """Raises at the n-th call of a function that touches the disk."""

    def __init__(self, countdown: int, error: type[BaseException], *, after: bool) -> None:
        self.countdown, self.error, self.after, self.fired = countdown, error, after, False

    def around(self, function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            self.countdown -= 1
            if self.countdown != 0:
                return function(*arguments, **options)
            self.fired = True
            if self.after:
                function(*arguments, **options)
            raise self.error("stop")

        return call


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_an_interruption_anywhere_leaves_old_or_new_and_no_debris(
    tmp_path: Path, name: str, old: bool, error: type[BaseException], after: bool
) -> None:
    for countdown in itertools.count(1):
        folder = tmp_path / str(countdown)
        folder.mkdir()
        if old:
            write(folder / name, "old")
        before = snapshot(folder)
        stop = Interruption(countdown, error, after=after)
        with pytest.MonkeyPatch.context() as patch:
            for function in ("write_bytes", "mkdir", "rename", "replace"):
                patch.setattr(Path, function, stop.around(getattr(Path, function)))
            if not write_interrupted(folder / name, error):
                assert not stop.fired
                break
        published = after and (folder / name).exists() and read_bundle(folder / name).manifest.title == "new"
        assert snapshot(folder) == before or published
        assert {path.name for path in folder.iterdir()} <= {name}
    assert countdown > (8 if name == "x.llb" else 2)


def write_interrupted(target: Path, error: type[BaseException]) -> bool:
    try:
        write(target, overwrite=True)
    except error:
        return True
    return False


def test_control_c_from_outside_leaves_no_debris(tmp_path: Path) -> None:
    # A shell's background jobs ignore Ctrl-C, and what they start does too unless it is told.
    program = """
import signal, sys, pathlib
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
import bundles
target = pathlib.Path(sys.argv[2]) / "x.llb"
bundles.write_bundle(target, bundles.manifest(), bundles.files(), overwrite=True)
print("ready", flush=True)
while True:
    bundles.write_bundle(target, bundles.manifest(), bundles.files(), overwrite=True)
"""
    tests = str(Path(bundles.__file__).parent)
    for attempt in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", program, tests, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.1 + 0.037 * attempt)
            process.send_signal(signal.SIGINT)
        assert process.returncode != 0
        assert [path.name for path in tmp_path.iterdir()] == ["x.llb"]
        assert read_bundle(tmp_path / "x.llb").manifest.id == "three-bins"


def test_the_card_says_how_well_the_stated_error_covers(tmp_path: Path) -> None:
    plain = (bundles.write(tmp_path / "plain.llb") / "README.md").read_text()
    assert "## Uncertainty" not in plain
    stated = bundles.write(tmp_path / "x.llb", bundles.stating, {bundles.GRAPH: bundles.stating_graph()})
    card = (stated / "README.md").read_text()
    assert "The output `sigma` of the graph is one standard deviation" in card
    assert "| observed | 11 | 100.0% | 100.0% |" in card
