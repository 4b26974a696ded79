"""Running cases against a loader: several processes, each restarted when it is lost, and always an end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from llb_conformance.harness.bench import Bench
from llb_conformance.harness.dialogue import Dialogue, Implementation, ProtocolError
from llb_conformance.harness.process import LoaderEndedError, LoaderProcess, NoReplyError
from llb_conformance.suite import PASSED, Case, Judgement, Outcome

__all__ = ["Result", "Settings", "converse", "run_cases", "start_loader"]


@dataclass(frozen=True)
class Settings:
    """How a loader is run.

    Attributes:
        command: program and arguments.
        timeout: seconds for a reply.
        start_timeout: seconds for the reply to `start`.
        restarts: how often loaders that were lost are started again, all together.
        jobs: loaders at a time.
        seed: of the order of the cases and of the names of the bundles.
    """

    command: tuple[str, ...]
    timeout: float = 10.0
    start_timeout: float = 30.0
    restarts: int = 20
    jobs: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Result:
    """How a case ended.

    Attributes:
        case: the case.
        judgement: of the first step that went wrong, or `PASSED`.
        step: number of that step, from 0; None if none was.
        seconds: wall time.
        log: the last lines of the loader's standard error, of a case that did not pass.
    """

    case: Case
    judgement: Judgement
    step: int | None
    seconds: float
    log: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.judgement.outcome is Outcome.PASSED


def converse(dialogue: Dialogue, bench: Bench, case: Case) -> tuple[Judgement, int | None, bool]:
    """Takes a case through its steps, up to the first that goes wrong.

    Returns:
        The judgement, the number of that step, and whether the loader is lost.
    """
    for number, step in enumerate(case.steps):
        request = dict(step.request)
        if request["cmd"] == "open":
            request["bundle"] = bench.path(request["bundle"])
        try:
            judgement = step.expected.judge(dialogue.ask(request))
        except NoReplyError as error:
            return Judgement(Outcome.TIMEOUT, str(error)), number, True
        except LoaderEndedError as error:
            return Judgement(Outcome.CRASHED, str(error)), number, True
        except ProtocolError as error:
            # What it says next may belong to anything.
            return Judgement(Outcome.PROTOCOL_ERROR, str(error)), number, True
        if judgement.outcome is not Outcome.PASSED:
            return judgement, number, False
    changed = bench.changed(case)
    if changed:
        return Judgement(Outcome.FAILED, f"it wrote into a bundle: {', '.join(changed)}"), None, False
    return PASSED, None, False


def start_loader(settings: Settings, bench: Bench) -> tuple[LoaderProcess, Dialogue, Implementation]:
    """Starts a loader and asks it who it is.

    Raises:
        NoReplyError, LoaderEndedError, ProtocolError: it does not say; it is ended then.
    """
    process = LoaderProcess(settings.command, bench.empty_folder())
    dialogue = Dialogue(process, settings.timeout)
    try:
        return process, dialogue, dialogue.start(settings.start_timeout)
    except BaseException as error:
        process.kill()
        if not isinstance(error, NoReplyError | LoaderEndedError | ProtocolError):
            raise
        log = "".join(f"\n  {line}" for line in list(process.log)[-5:])
        raise type(error)(f"{error}{log}") from error


class _Budget:
    """Restarts that are left, for all workers together."""

    def __init__(self, restarts: int) -> None:
        self._left = restarts
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Takes one, if there is one."""
        with self._lock:
            self._left -= 1
            return self._left >= 0


def run_cases(
    settings: Settings, bench: Bench, cases: Sequence[Case], finished: Callable[[Result], object]
) -> tuple[Result, ...]:
    """Runs cases, each by one of `settings.jobs` loaders, in an order that the seed decides.

    Args:
        settings: how the loader is run.
        bench: with the bundles of the cases.
        cases: to be run.
        finished: is called with every result as it comes, by one thread at a time.

    Returns:
        The results in the order of the cases.
    """
    order = list(range(len(cases)))
    random.Random(settings.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    jobs = max(1, min(settings.jobs, len(cases)))
    # Dealt out beforehand: a run can be repeated with the same cases before every case.
    hands = [order[start::jobs] for start in range(jobs)]
    results: dict[int, Result] = {}
    lock = threading.Lock()
    budget = _Budget(settings.restarts)

    ended = threading.Event()

    def work(hand: list[int]) -> None:
        found = _worker(settings, bench, [cases[number] for number in hand], budget)
        for number, result in zip(hand, found, strict=True):
            with lock:
                results[number] = result
                finished(result)
            if ended.is_set():
                found.close()
                return

    with ThreadPoolExecutor(jobs) as pool:
        working = [pool.submit(work, hand) for hand in hands]
        try:
            for one in working:
                one.result()
        except BaseException:
            # Nobody waits for more than the cases that are being asked.
            ended.set()
            raise
    return tuple(results[number] for number in range(len(cases)))


def _worker(
    settings: Settings, bench: Bench, cases: Iterable[Case], budget: _Budget
) -> Generator[Result, None, None]:
    """The results of one loader after the other."""
    process: LoaderProcess | None = None
    dialogue: Dialogue | None = None
    given_up = ""
    first = True
    try:
        for case in cases:
            begun = time.perf_counter()
            if dialogue is None and not given_up:
                if not first and not budget.take():
                    given_up = "the loader was lost too often"
                else:
                    try:
                        process, dialogue, _ = start_loader(settings, bench)
                    except (NoReplyError, LoaderEndedError, ProtocolError) as error:
                        given_up = f"it could not be started again: {error}"
                first = False
            if dialogue is None or process is None:
                yield Result(case, Judgement(Outcome.NOT_RUN, given_up), None, 0.0)
                continue
            judgement, step, lost = converse(dialogue, bench, case)
            if lost:
                process.kill()
            passed = judgement.outcome is Outcome.PASSED
            log = () if passed else tuple(process.log)[-20:]
            process.log.clear()
            yield Result(case, judgement, step, time.perf_counter() - begun, log)
            if lost:
                process, dialogue = None, None
    finally:
        if process is not None:
            process.end()
