"""Fuzzing, for as long as a test may take: nothing that reads what somebody else wrote breaks."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_targets import TARGETS

RUN = Path(__file__).parent / "fuzz" / "run.py"
# Inputs of each target, so many that it takes three or four seconds.
RUNS = {
    "strict-json": 4000,
    "manifest": 1000,
    "vectors": 1500,
    "zip": 800,
    "tar": 400,
    "tables": 3000,
    "graph": 3000,
    "patchset": 1500,
    "signals": 1500,
    "bundle": 100,
}


@pytest.fixture(scope="module", autouse=True)
def atheris() -> None:
    if importlib.util.find_spec("atheris") is None:
        reason = "atheris, the fuzzer, has no wheel for this machine"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; CI may not skip this")
        pytest.skip(reason)


def test_every_target_is_fuzzed() -> None:
    assert set(RUNS) == set(TARGETS)


@pytest.mark.parametrize("name", list(RUNS))
def test_nothing_crashes(name: str, tmp_path: Path) -> None:
    amount = ["--runs", str(RUNS[name]), "--seconds", "600"]
    done = subprocess.run(
        [sys.executable, str(RUN), "--target", name, *amount, "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)[name]
    assert result["crashes"] == []
    assert (done.returncode, result["inputs"]) == (0, RUNS[name])
    # Else no input came past the front door.
    assert result["findings"]
