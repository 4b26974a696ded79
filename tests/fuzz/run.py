"""Coverage-guided fuzzing of everything that reads what somebody else wrote.

python tests/fuzz/run.py --seconds 600 --corpus DIR [--target NAME] [--jobs N]

Prints a JSON object by target: inputs tried, how many had a finding of each code, crashes, the slowest input.
Exit code 1 if anything crashed. DIR keeps what was learned for the next time: inputs that reach further, and
those that crash.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fuzz_targets

__all__ = ["fuzz", "main"]

_WORKER = Path(__file__).with_name("worker.py")
_MAX_STARTS = 20
# Below this a worker would spend its time on starting.
_SHORTEST = 1.0


def fuzz(name: str, corpus: Path, *, seconds: float, runs: int, seed: int, timeout: int) -> dict[str, Any]:
    """Fuzzes one target in worker processes, of which the next one starts when one has died.

    Args:
        name: of the target.
        corpus: folder that keeps what was learned.
        seconds: how long.
        runs: how many inputs at most, 0 for any number.
        seed: where the random numbers start.
        timeout: seconds after which one input hangs.

    Returns:
        What `run.py` prints of a target.
    """
    learned, artifacts = corpus / name / "learned", corpus / name / "found"
    learned.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(exist_ok=True)
    settings_path, result_path = corpus / name / "settings.json", corpus / name / "result.json"
    total: dict[str, Any] = {
        "inputs": 0,
        "seconds": 0.0,
        "findings": {},
        "crashes": [],
        "slowest": {"seconds": 0.0},
    }
    end = time.monotonic() + seconds
    for start in range(_MAX_STARTS):
        settings = {
            "target": name,
            "corpus": str(learned),
            "artifacts": str(artifacts),
            "result": str(result_path),
            "seconds": end - time.monotonic(),
            "runs": runs - total["inputs"] if runs else 0,
            "seed": seed + start,
            "timeout": timeout,
        }
        settings_path.write_text(json.dumps(settings), encoding="utf-8")
        result_path.unlink(missing_ok=True)
        before = set(artifacts.iterdir())
        done = subprocess.run(
            [sys.executable, str(_WORKER), str(settings_path)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        _add(total, json.loads(result_path.read_text(encoding="utf-8")) if result_path.exists() else {})
        if done.returncode == 0:
            break
        # libFuzzer writes down the input of a crash, a hang or a shortage of memory before it ends.
        found = sorted(
            str(path) for path in set(artifacts.iterdir()) - before if not path.name.startswith("slowest")
        )
        total["crashes"].append(
            {
                "kind": f"the process ended with {done.returncode}",
                "input": found[0] if found else "",
                "message": done.stderr[-2000:],
            }
        )
        if end - time.monotonic() < _SHORTEST or not found:
            break
    return total


def _add(total: dict[str, Any], part: dict[str, Any]) -> None:
    total["inputs"] += part.get("inputs", 0)
    total["seconds"] += part.get("seconds", 0.0)
    for code, count in part.get("findings", {}).items():
        total["findings"][code] = total["findings"].get(code, 0) + count
    total["crashes"] += part.get("crashes", [])
    total["slowest"] = max(
        total["slowest"], part.get("slowest", total["slowest"]), key=lambda item: item["seconds"]
    )


def main() -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, required=True, help="for each target, of each job")
    parser.add_argument("--corpus", type=Path, required=True, help="folder that keeps what was learned")
    parser.add_argument("--target", action="append", choices=list(fuzz_targets.TARGETS), help="default: all")
    parser.add_argument("--jobs", type=int, default=1, help="targets at a time")
    parser.add_argument("--runs", type=int, default=0, help="inputs of each target at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=30, help="seconds after which one input hangs")
    given = parser.parse_args()
    names: list[str] = given.target or list(fuzz_targets.TARGETS)
    with ThreadPoolExecutor(given.jobs) as pool:
        results = pool.map(
            lambda name: fuzz(
                name,
                given.corpus.resolve(),
                seconds=given.seconds,
                runs=given.runs,
                seed=given.seed,
                timeout=given.timeout,
            ),
            names,
        )
        report = dict(zip(names, results, strict=True))
    print(json.dumps(report, indent=2))
    return 1 if any(result["crashes"] for result in report.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
