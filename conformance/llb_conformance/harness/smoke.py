"""Does the loader speak the protocol at all? Faults of the plumbing, told from faults of the loader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llb_conformance.harness.bench import Bench
from llb_conformance.harness.dialogue import Dialogue, Implementation, ProtocolError
from llb_conformance.harness.process import LoaderEndedError, LoaderProcess, NoReplyError
from llb_conformance.harness.run import Settings, start_loader
from llb_conformance.suite import Case, suite

__all__ = ["Smoke", "smoke"]

_CASE = "curves-all"


@dataclass(frozen=True)
class Smoke:
    """What came of a short talk.

    Attributes:
        implementation: who the loader is, or None: it did not say.
        steps: what was tried, and "" or what went wrong with it.
        log: the last lines of its standard error.
    """

    implementation: Implementation | None
    steps: tuple[tuple[str, str], ...]
    log: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything went well."""
        return all(not fault for _, fault in self.steps)


def smoke(settings: Settings) -> Smoke:
    """Starts the loader, opens a good bundle, evaluates it, closes it, asks for nonsense, and stops.

    Only the first step that fails is reported; what follows would fail for its sake.
    """
    case = next(item for item in suite() if item.id == _CASE)
    steps: list[tuple[str, str]] = []
    with Bench([case], settings.seed) as bench:
        try:
            process, dialogue, implementation = start_loader(settings, bench)
        except (NoReplyError, LoaderEndedError, ProtocolError) as error:
            return Smoke(None, (("start", str(error)),), ())
        steps.append(("start", ""))
        try:
            for what, fault in _talk(dialogue, bench, case, process):
                steps.append((what, fault))
                if fault:
                    break
        except (NoReplyError, LoaderEndedError, ProtocolError) as error:
            done = len(steps) - 1
            steps.append((_TRIED[done], str(error)))
        finally:
            process.kill()
        return Smoke(implementation, tuple(steps), tuple(process.log)[-20:])


_TRIED = (
    "open a good bundle",
    "evaluate four curves at sixteen signals",
    "close it",
    "evaluate with nothing open",
    "stop",
)


def _talk(dialogue: Dialogue, bench: Bench, case: Case, process: LoaderProcess) -> Iterator[tuple[str, str]]:
    opening, evaluating = case.steps
    request = {**opening.request, "bundle": bench.path(opening.request["bundle"])}
    yield _TRIED[0], opening.expected.judge(dialogue.ask(request)).message
    yield _TRIED[1], evaluating.expected.judge(dialogue.ask(evaluating.request)).message
    closed = dialogue.ask({"cmd": "close"})
    yield _TRIED[2], "" if closed["reply"] == "closed" else f"answered `{closed['reply']}`"
    nothing = dialogue.ask(evaluating.request)
    yield _TRIED[3], "" if nothing["reply"] == "errored" else f"answered `{nothing['reply']}`, not `errored`"
    stopped = dialogue.ask({"cmd": "stop"})
    fault = "" if stopped["reply"] == "stopped" else f"answered `{stopped['reply']}`"
    if not fault and process.end() is None:
        fault = "it said `stopped` and went on; it was killed"
    yield _TRIED[4], fault
