"""Fuzzes one target in this process until its inputs or its time are used up; `run.py` starts it.

python worker.py SETTINGS, a file with the JSON object that `run.py` writes; it says where the result goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import atheris

with atheris.instrument_imports(include=["llb", "llb_schema", "tarfile", "zipfile"]):
    import fuzz_targets

__all__ = ["main"]

# So often what is known so far is written down: the process may not live to say more.
_SAVE_EVERY = 500
# Of so many inputs one is examined twice, whether the findings are the same.
_REPEAT = 16


class _Loop:
    """What libFuzzer calls for every input."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.target = fuzz_targets.TARGETS[settings["target"]]
        self.settings = settings
        self.start = time.monotonic()
        self.inputs = 0
        self.codes: Counter[str] = Counter()
        self.crashes: dict[str, dict[str, str]] = {}
        self.slowest: tuple[float, bytes] = (0.0, b"")

    def __call__(self, data: bytes) -> None:
        begin = time.monotonic()
        try:
            found = fuzz_targets.examine(self.target, data)
            if int(hashlib.sha256(data).hexdigest(), 16) % _REPEAT == 0 and found != fuzz_targets.examine(
                self.target, data
            ):
                raise AssertionError("the findings are others the second time")
            self.codes.update({item.code for item in found})
        # A crash of one kind is kept once, and the search goes on.
        except Exception as error:
            self._crashed(error, data)
        seconds = time.monotonic() - begin
        self.slowest = max(self.slowest, (seconds, data), key=lambda item: item[0])
        self.inputs += 1
        elapsed = time.monotonic() - self.start
        done = self.inputs == self.settings["runs"] or elapsed > self.settings["seconds"]
        if done or self.inputs % _SAVE_EVERY == 0:
            self.save(elapsed)
        if done:
            # libFuzzer would end the process too, but without a word of ours.
            os._exit(0)

    def _crashed(self, error: Exception, data: bytes) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
        if str(error).startswith("[LLB-X900]"):
            kind = str(error)[:200]
        if kind not in self.crashes:
            self.crashes[kind] = {
                "kind": kind,
                "input": self.keep("crash", data),
                "message": str(error)[:500],
            }

    def keep(self, what: str, data: bytes) -> str:
        """Writes an input down and says where."""
        name = f"{what}-{hashlib.sha256(data).hexdigest()[:16]}"
        path = Path(self.settings["artifacts"]) / name
        path.write_bytes(data)
        return str(path)

    def save(self, elapsed: float) -> None:
        """Writes the result so far."""
        seconds, data = self.slowest
        result = {
            "inputs": self.inputs,
            "seconds": round(elapsed, 1),
            "findings": dict(sorted(self.codes.items())),
            "crashes": list(self.crashes.values()),
            "slowest": {"seconds": round(seconds, 3), "input": self.keep("slowest", data)},
        }
        Path(self.settings["result"]).write_text(json.dumps(result), encoding="utf-8")


def main(path: Path) -> None:
    """Fuzzes as the settings say; does not return."""
    settings = json.loads(path.read_text(encoding="utf-8"))
    loop = _Loop(settings)

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)  # noqa: S311 - nothing is kept secret
        if random.random() < 0.1:
            return atheris.Mutate(data, max_size)
        return loop.target.mutate(data, random)[:max_size]

    seeds = Path(settings["corpus"]) / "seeds"
    seeds.mkdir(exist_ok=True)
    for number, data in enumerate(loop.target.seeds()):
        (seeds / f"{number:03}").write_bytes(data)
    options = {
        "seed": settings["seed"],
        "timeout": settings["timeout"],
        "rss_limit_mb": 4096,
        "max_len": 2**18,
        "len_control": 0,
        "mutate_depth": 2,
        "verbosity": 0,
        "artifact_prefix": f"{settings['artifacts']}/",
    }
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup(
        [sys.argv[0], *arguments, settings["corpus"], str(seeds)],
        loop,
        custom_mutator=mutate,
        enable_python_coverage=True,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
