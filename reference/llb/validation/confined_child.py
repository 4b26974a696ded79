"""The process in which a stranger's graph is audited and run: `python -m llb.validation.confined_child`.

It reads a request from its standard input, gives up what a graph does not need, and writes a line for each
level.
"""

from __future__ import annotations

import math
import os
import sys
from importlib import import_module
from typing import BinaryIO

from llb.validation.handover import Request, result_line
from llb.validation.results import LevelResult
from llb.validation.run_limits import RunLimits
from llb.validation.running import run_levels
from llb_schema import Finding, finding

__all__ = ["confine", "main"]


def main() -> None:
    """Answers one request."""
    answers = _own_output()
    # Loaded before the limits hold: what has to be written for it, byte code say, is not the graph's doing.
    for package in ("onnx", "onnxruntime"):
        import_module(package)
    request = Request.read(sys.stdin.buffer)
    unlimited = confine(request.limits)
    for result in run_levels(request.bundle, request.level, request.wanted):
        said = LevelResult(result.level, (*result.findings, *unlimited), result.fresh)
        unlimited = ()
        answers.write(result_line(said))
        answers.flush()


def _own_output() -> BinaryIO:
    """The pipe to the other side, which native code that prints can no longer write to."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), sys.stdout.fileno())
    return answers


def confine(limits: RunLimits) -> tuple[Finding, ...]:
    """Limits this process, for good; the finding says where its memory cannot be."""
    unlimited = (finding("LLB-G019", actual=sys.platform),)
    if sys.platform == "win32":
        return unlimited
    import resource

    for kind, wanted in (
        (resource.RLIMIT_AS, limits.memory),
        # The clock on the wall is the other side's; this one holds even if that is gone.
        (resource.RLIMIT_CPU, math.ceil(limits.seconds) + 1),
        # Nothing is written: no file, no core dump.
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):
            if kind != resource.RLIMIT_AS:
                raise
            return unlimited
    # macOS takes the limit and does not keep it.
    return unlimited if sys.platform == "darwin" else ()


if __name__ == "__main__":
    main()
