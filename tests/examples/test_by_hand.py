"""The tutorial does what it says: its blocks, run in a fresh folder, write the files that are shipped."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import llb
from llb.bundle import content_id, file_digests, open_container
from llb.validation import DEFAULT_LEVEL, validate

TUTORIAL = Path(__file__).resolve().parents[2] / "examples" / "by_hand"
BUNDLE = "two-bins.llb"


def blocks(language: str) -> list[str]:
    text = (TUTORIAL / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder after the blocks were run in it, and what they printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copy(TUTORIAL / "make_graph.py", folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", "".join(blocks("sh"))],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return folder, run.stdout


def test_the_blocks_write_the_files_that_are_shipped(done: tuple[Path, str]) -> None:
    folder, _ = done
    assert contents(folder / BUNDLE) == contents(TUTORIAL / BUNDLE)
    assert (folder / "workspace.json").read_bytes() == (TUTORIAL / "workspace.json").read_bytes()


def test_the_shipped_bundle_has_no_findings() -> None:
    report = validate(TUTORIAL / BUNDLE)
    assert (report.level, report.findings) == (DEFAULT_LEVEL, ())


def test_the_text_shows_what_is_printed(done: tuple[Path, str]) -> None:
    _, printed = done
    (counts,) = blocks("text")
    assert counts in printed
    assert f"{BUNDLE.removesuffix('.llb')}@1.0.0: ok (level {DEFAULT_LEVEL}, 0 findings)" in printed
    # Once by the tools of the shell, once by llb.
    assert printed.count(content_id(file_digests(open_container(TUTORIAL / BUNDLE)))) == 2


def test_it_answers_with_the_closed_form() -> None:
    model = llb.load(TUTORIAL / BUNDLE)
    signals = model.signal({"SR[0]": 2.5, "SR[1]": 0.75})[np.newaxis]
    gains = [math.log1p(2.5 / 4.0), math.log1p(0.75 / 2.0)]
    delta = {name: float(values[0]) for name, values in model.delta_nll(signals).items()}
    asimov = 3.25 - 4.0 * gains[0] - 2.0 * gains[1]
    assert delta == pytest.approx(
        {
            "observed": 3.25 - 5.0 * gains[0] - gains[1],
            "observed_asimov": asimov,
            "apriori": asimov,
            "apriori_asimov": asimov,
        },
        rel=1e-13,
    )


def test_no_program_of_the_project_takes_part_before_the_check() -> None:
    assert [block.splitlines()[0] for block in blocks("sh") if re.search(r"^llb ", block, re.MULTILINE)] == [
        f"llb validate {BUNDLE}",
        f"(cd {BUNDLE} && find . -type f | cut -c 3- | LC_ALL=C sort | xargs sha256sum) | sha256sum",
        """echo '{"SR[0]": 4.0, "SR[1]": 0.0}' > signal.json""",
    ]
    for text in (*blocks("sh"), (TUTORIAL / "make_graph.py").read_text(encoding="utf-8")):
        assert not re.search(r"import llb|from llb", text)
