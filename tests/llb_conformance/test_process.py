"""Wrong loaders as real programs: each is told apart, never passes, ends and leaves nothing behind."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import run

from llb.loader import Loader
from llb_conformance.harness import (
    Bench,
    Dialogue,
    LoaderEndedError,
    LoaderProcess,
    NoReplyError,
    ProtocolError,
    Result,
    Settings,
    run_cases,
    smoke,
    split_command,
)
from llb_conformance.report import read_run
from llb_conformance.suite import Case, Judgement, Outcome, suite

# Two steps each, about one bundle: `open` and `evaluate`.
IDS = ("curve-observed", "curve-apriori", "curves-all")
CASES = tuple(case for case in suite() if case.id in IDS)
# Long enough for a busy machine, where nothing has to wait for it.
PATIENT = 30.0
SHORT = 0.5

# What every program below starts from. The lock shows who is alive: children inherit it.
HONEST = '''
import fcntl, json, os, resource, sys

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
here = os.path.dirname(os.path.abspath(__file__))
alive = os.open(os.path.join(here, "alive"), os.O_RDWR | os.O_CREAT)
fcntl.flock(alive, fcntl.LOCK_SH)
os.set_inheritable(alive, True)
with open(os.path.join(here, "starts"), "a+") as stream:
    stream.write("once\\n")
    stream.flush()
    stream.seek(0)
    starts = len(stream.readlines())
with open(os.path.join(here, "answers.json")) as stream:
    answers = json.load(stream)
state = {}


def answer(request):
    command, seq = request["cmd"], {"seq": request.get("seq")}
    if command == "start":
        return answers["start"]
    if command == "stop":
        return {"reply": "stopped", **seq}
    if command == "open":
        state["open"] = True
        state["path"] = request["bundle"]
        return {**answers["open"], **seq}
    if not state.get("open"):
        return {"reply": "errored", "context": {"message": "nothing is open"}, **seq}
    if command == "close":
        state["open"] = False
        return {"reply": "closed", **seq}
    return {**answers[" ".join(request["curves"])], **seq}


def say(reply):
    sys.stdout.write(json.dumps(reply) + "\\n")
    sys.stdout.flush()


def serve(at="", do=None):
    """Answers; before the requests `at`, does something, which may be the answer."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == at and do(request):
            continue
        say(answer(request))
        if request["cmd"] == "stop":
            return
'''
IMPORTS = (
    "import json, os, signal, subprocess, sys, time\nfrom honest import answer, say, serve, starts, state\n"
)
EXTRA = "nobody asked for|was answered with|the reply has seq"
SLEEPER = '[sys.executable, "-S", "-E", "-c", "import time; time.sleep(600)"]'


@dataclass(frozen=True)
class Wrong:
    """A wrong loader and what comes of it.

    Attributes:
        name: what it does.
        program: does it.
        outcomes: of the cases, in the order in which they are run.
        starts: how often it is started for them.
        says: a pattern in the first message.
        step: of the first case that does not pass.
        timeout: seconds for a reply.
        start_timeout: seconds for the first reply.
        smoke: a pattern in what smoke says; "" where it finds nothing; None: the same.
    """

    name: str
    program: str
    outcomes: tuple[str, ...]
    starts: int
    says: str
    step: int | None = None
    timeout: float = PATIENT
    start_timeout: float = PATIENT
    smoke: str | None = None

    @property
    def smoked(self) -> str:
        """What smoke says: the same, unless something else is given."""
        return self.says if self.smoke is None else self.smoke


def _always(outcome: str) -> tuple[str, ...]:
    return (outcome,) * 3


TOO_LARGE = (
    "def too_large(request):\n"
    "    reply = answer(request)\n"
    '    reply["delta_nll"] = {name: [10**400] * len(row) for name, row in reply["delta_nll"].items()}\n'
    "    say(reply)\n"
    "    return True\n"
)
WRONG = (
    Wrong(
        "hangs-at-start",
        "time.sleep(600)",
        _always("not_run"),
        1,
        "no reply within 0.5 s",
        start_timeout=SHORT,
    ),
    Wrong(
        "hangs-at-open",
        'serve("open", lambda request: time.sleep(600))',
        _always("timeout"),
        3,
        "no reply within 0.5 s",
        0,
        timeout=SHORT,
    ),
    Wrong(
        "hangs-at-evaluate",
        'serve("evaluate", lambda request: time.sleep(600))',
        _always("timeout"),
        3,
        "no reply within 0.5 s",
        1,
        timeout=SHORT,
    ),
    Wrong(
        "crashes-at-start",
        'sys.exit("no such library")',
        _always("not_run"),
        1,
        "it ended with status 1\n  no such library",
    ),
    Wrong(
        "crashes-at-open",
        'serve("open", lambda request: sys.exit(3))',
        _always("crashed"),
        3,
        "it ended with status 3",
        0,
    ),
    Wrong(
        "crashes-at-evaluate",
        'serve("evaluate", lambda request: 1 / 0)',
        _always("crashed"),
        3,
        "it ended with status 1",
        1,
    ),
    Wrong(
        "segmentation-fault",
        'serve("evaluate", lambda request: os.kill(os.getpid(), signal.SIGSEGV))',
        _always("crashed"),
        3,
        "it was ended by SIGSEGV",
        1,
    ),
    Wrong(
        "ends-with-0-after-start",
        'serve("start", lambda request: say(answer(request)) or sys.exit(0))',
        _always("crashed"),
        3,
        "it ended with status 0",
        0,
    ),
    Wrong(
        "ends-with-0-at-evaluate",
        'serve("evaluate", lambda request: sys.exit(0))',
        _always("crashed"),
        3,
        "it ended with status 0",
        1,
    ),
    Wrong(
        "ends-in-the-middle-of-a-line",
        'serve("open", lambda request: sys.stdout.write(json.dumps(answer(request))) and sys.exit(0))',
        _always("crashed"),
        3,
        "it ended with status 0",
        0,
    ),
    Wrong(
        "garbage",
        'serve("evaluate", lambda request: print("all fine", flush=True) or True)',
        _always("protocol_error"),
        3,
        "not the protocol: Expecting value",
        1,
    ),
    Wrong(
        "log-line-before-the-reply",
        'serve("open", lambda request: print("opening", request["bundle"], flush=True))',
        _always("protocol_error"),
        3,
        "not the protocol",
        0,
    ),
    Wrong(
        "log-line-at-start",
        'print("my-loader 1.0", flush=True)\nserve()',
        _always("not_run"),
        1,
        "not the protocol",
    ),
    Wrong(
        "empty-lines",
        'serve("evaluate", lambda request: print(flush=True))',
        _always("protocol_error"),
        3,
        "not the protocol",
        1,
    ),
    Wrong(
        "not-utf-8",
        'serve("open", lambda request: os.write(1, b\'{"reply": "opened\\xff"}\\n\'))',
        _always("protocol_error"),
        3,
        "a line is not UTF-8",
        0,
    ),
    Wrong(
        "line-without-end",
        "def flood(request):\n"
        "    while True:\n"
        "        os.write(1, b'x' * 1000)\n"
        "        time.sleep(0.01)\n"
        'serve("evaluate", flood)',
        _always("timeout"),
        3,
        "no reply within 0.5 s",
        1,
        timeout=SHORT,
    ),
    Wrong(
        "floods-standard-output",
        "def flood(request):\n    while True:\n        say(answer(request))\n        time.sleep(0.001)\n"
        'serve("open", flood)',
        _always("protocol_error"),
        3,
        EXTRA,
        1,
    ),
    Wrong(
        "two-replies",
        'serve("open", lambda request: say(answer(request)))',
        _always("protocol_error"),
        3,
        EXTRA,
        1,
    ),
    Wrong(
        "grandchild-keeps-the-pipe",
        "def leave(request):\n"
        f"    subprocess.Popen({SLEEPER}, close_fds=False)\n"
        "    os._exit(0)\n"
        'serve("evaluate", leave)',
        _always("timeout"),
        3,
        "no reply within 0.5 s",
        1,
        timeout=SHORT,
    ),
    Wrong(
        "another-protocol",
        'serve("start", lambda request: say({**answer(request), "protocol": 2}) or True)',
        _always("not_run"),
        1,
        "it speaks protocol 2, this harness 1",
    ),
    Wrong(
        "refuses-to-start",
        'serve("start", lambda request: say({"reply": "skipped", "seq": 1, "message": "no"}) or True)',
        _always("not_run"),
        1,
        "`start` was answered with `skipped`",
    ),
    Wrong(
        "says-nothing-of-itself",
        'serve("start", lambda request: say({"reply": "started", "protocol": 1}) or True)',
        _always("not_run"),
        1,
        "a reply against the schema",
    ),
    Wrong(
        "does-not-start-again",
        'starts > 1 and sys.exit(4)\nserve("evaluate", lambda request: sys.exit(3))',
        ("crashed", "not_run", "not_run"),
        2,
        "it ended with status 3",
        1,
    ),
    # These answer rightly, and are strange in other ways; the last ones are only noticed where they do it.
    Wrong(
        "floods-standard-error",
        'serve("evaluate", lambda request: sys.stderr.write((\'x\' * 99 + "\\n") * 10000) and None)',
        _always("passed"),
        1,
        "",
    ),
    Wrong(
        "floods-standard-error-without-lines",
        'serve("evaluate", lambda request: sys.stderr.write("\\xff" * 1000000) and None)',
        _always("passed"),
        1,
        "",
    ),
    Wrong(
        "grandchild-beside",
        f"subprocess.Popen({SLEEPER}, close_fds=False)\nserve()",
        _always("passed"),
        1,
        "",
    ),
    Wrong(
        "ignores-the-end",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nserve()\ntime.sleep(600)",
        _always("passed"),
        1,
        "",
        smoke="it said `stopped` and went on; it was killed",
    ),
    Wrong(
        "late-once",
        'serve("evaluate", lambda request: starts == 1 and time.sleep(2))',
        ("timeout", "passed", "passed"),
        2,
        "no reply within 1 s",
        1,
        timeout=1.0,
    ),
    Wrong(
        "crashes-once",
        'serve("open", lambda request: starts == 1 and sys.exit(1))',
        ("crashed", "passed", "passed"),
        2,
        "it ended with status 1",
        0,
    ),
    # Smoke does not look at the bundle.
    Wrong(
        "writes-into-the-bundle",
        'serve("evaluate", lambda request: open(os.path.join(state["path"], "x"), "a").close())',
        _always("failed"),
        1,
        "^it wrote into a bundle: counting$",
        smoke="",
    ),
    # What it says after the last reply of a case is noticed by the next case.
    Wrong(
        "two-last-replies",
        'serve("evaluate", lambda request: say(answer(request)))',
        ("passed", "protocol_error", "passed"),
        2,
        EXTRA,
        0,
    ),
    Wrong(
        "nested-too-deeply",
        'serve("evaluate", lambda request: print("[" * 100000 + "]" * 100000, flush=True) or True)',
        _always("protocol_error"),
        3,
        "not the protocol",
        1,
    ),
    Wrong(
        "integers-beyond-a-double",
        f'{TOO_LARGE}serve("evaluate", too_large)',
        _always("protocol_error"),
        3,
        "too large",
        1,
    ),
    Wrong(
        "deletes-the-bundle",
        'import shutil\nserve("open", lambda request: shutil.rmtree(request["bundle"], ignore_errors=True))',
        _always("failed"),
        1,
        "it wrote into a bundle",
        smoke="",
    ),
    Wrong(
        "signal-without-a-name",
        'serve("evaluate", lambda request: os.kill(os.getpid(), 40))',
        _always("crashed"),
        3,
        "it was ended by signal 40",
        1,
    ),
)


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """Right answers, by the reference loader."""
    loader, found = Loader(), {}
    found["start"] = {**loader.start(), "classes": ["core"]}
    with Bench(CASES, 0) as bench:
        for case in CASES:
            for step in case.steps:
                request = {**step.request, "seq": 1}
                if request["cmd"] == "open":
                    request["bundle"] = bench.path(request["bundle"])
                reply = loader.answer(request)
                assert step.expected.judge(reply).outcome == "passed"
                found[" ".join(request.get("curves", ["open"]))] = reply
    return found


@pytest.fixture
def written(tmp_path: Path, answers: dict[str, Any]) -> Callable[[str], tuple[str, ...]]:
    """Writes a program that starts from `HONEST`; returns its command."""

    def write(program: str) -> tuple[str, ...]:
        (tmp_path / "honest.py").write_text(HONEST, encoding="utf-8")
        (tmp_path / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
        path = tmp_path / "loader.py"
        path.write_text(f"{IMPORTS}{program}\n", encoding="utf-8")
        # Without packages: it starts in no time.
        return (sys.executable, "-S", "-E", "-B", str(path))

    return write


def starts(folder: Path) -> int:
    """How often the program was started."""
    path = folder / "starts"
    return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


def nobody_is_left(folder: Path) -> bool:
    """Whether all that the program has started comes to an end at once, as the killed do."""
    with (folder / "alive").open("a") as stream:
        for _ in range(200):
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
            else:
                return True
    return False


def ran(settings: Settings, cases: Sequence[Case] = CASES) -> list[Result]:
    """Results in the order in which they came."""
    came: list[Result] = []
    with Bench(cases, settings.seed) as bench:
        results = run_cases(settings, bench, cases, came.append)
    assert [result.case for result in results] == list(cases)
    assert sorted(map(id, came)) == sorted(map(id, results))
    return came


def in_time(action: Callable[[], object], folder: Path, seconds: float = 8.0) -> bool:
    """Whether something comes to an end by itself; it is brought to one by killing what the program noted."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(seconds)
    ended = not thread.is_alive()
    noted = folder / "pids"
    # A program that was given up at once has noted nothing.
    for line in noted.read_text(encoding="utf-8").splitlines() if noted.is_file() else ():
        with suppress(ProcessLookupError):
            os.kill(int(line), signal.SIGKILL)
    thread.join()
    return ended


@pytest.mark.requirement("PROTOCOL-1", "PROTOCOL-3")
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_a_wrong_loader_is_classified_and_ends(
    wrong: Wrong, written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    command = written(wrong.program)
    results = ran(Settings(command, wrong.timeout, wrong.start_timeout, jobs=1))
    assert tuple(result.judgement.outcome.value for result in results) == wrong.outcomes
    assert starts(tmp_path) == wrong.starts
    assert nobody_is_left(tmp_path)
    failed = [result for result in results if not result.passed]
    if failed:
        assert re.search(wrong.says, failed[0].judgement.message)
        assert failed[0].step == wrong.step
    assert all(result.judgement.message for result in failed)
    assert all(result.step is None and not result.log for result in results if result.passed)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.name)
def test_smoke_says_what_is_wrong(
    wrong: Wrong, written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    found = smoke(Settings(written(wrong.program), wrong.timeout, wrong.start_timeout))
    assert nobody_is_left(tmp_path)
    assert starts(tmp_path) == 1
    assert (found.implementation is None) == (wrong.outcomes[0] == "not_run")
    faults = [fault for _, fault in found.steps]
    # What follows the first fault would fail for its sake.
    assert not any(faults[:-1])
    if wrong.smoked:
        assert not found.passed
        assert re.search(wrong.smoked, faults[-1])
    else:
        assert found.passed
        assert [name for name, _ in found.steps][::5] == ["start", "stop"]


def test_smoke_ends_a_loader_that_does_not_answer_stop(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    program = 'signal.signal(signal.SIGTERM, signal.SIG_IGN)\nserve("stop", lambda request: time.sleep(600))'
    assert smoke(Settings(written(program), 1.0)).steps[-1] == ("stop", "no reply within 1 s")
    assert nobody_is_left(tmp_path)


def test_the_log_of_a_failure_is_kept(written: Callable[[str], tuple[str, ...]]) -> None:
    command = written('sys.stderr.write("loading\\n")\nserve("evaluate", lambda request: 1 / 0)')
    results = ran(Settings(command, PATIENT, jobs=1))
    for result in results:
        assert result.log[0] == "loading"
        assert result.log[-1] == "ZeroDivisionError: division by zero"
    found = smoke(Settings(command, PATIENT))
    assert found.log[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize(("restarts", "crashed"), [(0, 1), (1, 2), (2, 3), (5, 3)])
def test_a_loader_that_is_lost_too_often_is_given_up(
    restarts: int, crashed: int, written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    command = written('serve("open", lambda request: sys.exit(1))')
    results = ran(Settings(command, PATIENT, restarts=restarts, jobs=1))
    outcomes = ["crashed"] * crashed + ["not_run"] * (3 - crashed)
    assert [result.judgement.outcome.value for result in results] == outcomes
    assert starts(tmp_path) == crashed
    assert {result.judgement.message for result in results[crashed:]} <= {"the loader was lost too often"}


def test_restarts_are_counted_for_all_loaders_together(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    command = written('serve("open", lambda request: sys.exit(1))')
    results = ran(Settings(command, PATIENT, restarts=2, jobs=2), CASES * 3)
    outcomes = sorted(result.judgement.outcome.value for result in results)
    assert outcomes == ["crashed"] * 4 + ["not_run"] * 5
    assert starts(tmp_path) == 4
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize("jobs", [1, 2, 3, 50])
def test_any_number_of_loaders_gives_the_same_results(
    jobs: int, written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    results = ran(Settings(written("serve()"), PATIENT, jobs=jobs))
    assert all(result.passed for result in results)
    assert starts(tmp_path) == min(jobs, len(CASES))
    assert nobody_is_left(tmp_path)


def test_the_order_of_the_cases_is_that_of_the_seed(written: Callable[[str], tuple[str, ...]]) -> None:
    command = written("serve()")
    orders = {
        tuple(result.case.id for result in ran(Settings(command, PATIENT, jobs=1, seed=seed)))
        for seed in (0, 1, 2, 3, 4, 0, 1, 2, 3, 4)
    }
    assert 1 < len(orders) <= 5


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("/nonexistent/loader",), "/nonexistent/loader cannot be started: No such file or directory"),
        (("no-such-loader",), "no-such-loader cannot be started: No such file or directory"),
        (("/",), "/ cannot be started: Permission denied"),
    ],
)
def test_what_is_no_program_is_not_run(command: tuple[str, ...], says: str) -> None:
    results = ran(Settings(command, PATIENT, jobs=1))
    assert [result.judgement.outcome.value for result in results] == ["not_run"] * 3
    assert {result.judgement.message for result in results} == {f"it could not be started again: {says}"}
    assert smoke(Settings(command, PATIENT)).steps == (("start", says),)


def test_a_command_is_split_as_a_shell_does() -> None:
    assert split_command("python -m 'my loader' a\\ b") == ("python", "-m", "my loader", "a b")
    for bad in ("", "   ", "'", 'python "'):
        with pytest.raises(ValueError, match=r"empty|No closing quotation"):
            split_command(bad)


@pytest.mark.requirement("PROTOCOL-2", "PROTOCOL-3")
def test_a_late_answer_is_not_taken_for_that_to_the_next_request(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    program = 'serve("close", lambda request: request["seq"] == 2 and time.sleep(1.0))'
    for pause in (0.0, 1.0):
        process = LoaderProcess(written(program), tmp_path)
        try:
            hasty, patient = Dialogue(process, SHORT), Dialogue(process, PATIENT)
            hasty.start(PATIENT)
            assert hasty.ask({"cmd": "open", "bundle": "x"})["reply"] == "opened"
            with pytest.raises(NoReplyError):
                hasty.ask({"cmd": "close"})
            time.sleep(pause)
            # The late answer has the number of its own request, or is there before anything was asked.
            with pytest.raises(ProtocolError, match=r"has seq 2|nobody asked for"):
                patient.ask({"cmd": "close"})
        finally:
            process.kill()
    assert nobody_is_left(tmp_path)


def test_a_closed_output_is_the_end(written: Callable[[str], tuple[str, ...]], tmp_path: Path) -> None:
    program = 'serve("open", lambda request: os.close(1) or time.sleep(600))'
    (result,) = ran(Settings(written(program), PATIENT), CASES[:1])
    assert result.judgement == Judgement(Outcome.CRASHED, "it closed its standard output")
    assert nobody_is_left(tmp_path)


def test_a_process_that_has_ended_says_nothing(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    process = LoaderProcess(written("serve()"), tmp_path)
    Dialogue(process, PATIENT).start(PATIENT)
    assert process.end() == 0
    # Once more changes nothing.
    process.kill()
    with pytest.raises(LoaderEndedError, match="it ended with status 0"):
        process.ask("{}", SHORT)
    assert nobody_is_left(tmp_path)


def test_a_loader_runs_in_an_empty_folder_of_its_own(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    program = (
        'open(os.path.join(os.path.dirname(__file__), "seen"), "a").write('
        'json.dumps([os.getcwd(), os.listdir()]) + "\\n")\n'
        'serve("open", lambda request: starts < 3 and sys.exit(1))'
    )
    ran(Settings(written(program), PATIENT, jobs=1))
    seen = [json.loads(line) for line in (tmp_path / "seen").read_text(encoding="utf-8").splitlines()]
    assert len({folder for folder, _ in seen}) == 3
    assert [inside for _, inside in seen] == [[], [], []]
    assert not any(Path(folder).exists() for folder, _ in seen)


def test_the_log_has_an_end(written: Callable[[str], tuple[str, ...]], tmp_path: Path) -> None:
    program = 'print("\\n".join(map(str, range(5000))), "x" * 5000, file=sys.stderr, flush=True)\nserve()'
    process = LoaderProcess(written(program), tmp_path)
    Dialogue(process, PATIENT).start(PATIENT)
    process.end()
    assert len(process.log) == 200
    assert process.log[0] == "4800"
    assert len(process.log[-1]) == 2000


NOTE = 'note = lambda pid: open(os.path.join(os.path.dirname(__file__), "pids"), "a").write(f"{pid}\\n")\n'


def test_a_request_that_nobody_reads_is_given_up(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    command = written(f"{NOTE}note(os.getpid())\ntime.sleep(600)")
    process = LoaderProcess(command, tmp_path)
    raised: list[Exception] = []

    def ask() -> None:
        try:
            process.ask("x" * 1_000_000, SHORT)
        except (NoReplyError, LoaderEndedError) as error:
            raised.append(error)

    ended = in_time(ask, tmp_path)
    process.kill()
    assert ended
    assert isinstance(raised[0], NoReplyError)
    assert nobody_is_left(tmp_path)


def test_a_grandchild_of_another_session_does_not_hold_the_run_up(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path
) -> None:
    program = (
        f"{NOTE}child = subprocess.Popen({SLEEPER}, start_new_session=True)\nnote(child.pid)\n"
        'serve("evaluate", lambda request: time.sleep(600))'
    )
    settings = Settings(written(program), SHORT, PATIENT, jobs=1)
    outcomes: list[str] = []
    assert in_time(
        lambda: outcomes.extend(result.judgement.outcome for result in ran(settings, CASES[:1])), tmp_path
    )
    assert outcomes == ["timeout"]


# The command line.

FEW = tuple(f"--cases={name}" for name in IDS)


def test_a_right_loader_conforms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loader = shlex.join([sys.executable, "-m", "llb.loader"])
    options = ("--class", "core", "--jobs", 1, "--report", tmp_path / "report")
    code, out, _ = run(capsys, "conform", "run", "--loader", loader, *FEW, *options)
    assert code == 0
    assert "core: 3 of 3" in out.splitlines()
    assert [record["outcome"] for record in read_run(tmp_path / "report").results] == ["passed"] * 3


def test_smoke_of_a_right_loader(capsys: pytest.CaptureFixture[str]) -> None:
    loader = shlex.join([sys.executable, "-m", "llb.loader"])
    code, out, err = run(capsys, "conform", "smoke", "--loader", loader)
    assert (code, err) == (0, "")
    assert [line[:4] for line in out.splitlines()[1:]] == ["ok  "] * 6


BY_NAME = {wrong.name: wrong for wrong in WRONG}


@pytest.mark.parametrize(
    ("name", "code", "smoke_code"),
    [
        ("hangs-at-start", 2, 2),
        ("crashes-at-start", 2, 2),
        ("another-protocol", 2, 2),
        ("log-line-at-start", 2, 2),
        ("crashes-at-open", 1, 2),
        ("garbage", 1, 2),
        ("crashes-once", 0, 2),
        ("grandchild-beside", 0, 0),
    ],
)
def test_exit_codes(
    name: str,
    code: int,
    smoke_code: int,
    written: Callable[[str], tuple[str, ...]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wrong = BY_NAME[name]
    loader = shlex.join(written(wrong.program))
    times = ("--timeout", wrong.timeout, "--start-timeout", wrong.start_timeout)
    report = tmp_path / "report"
    found, out, err = run(
        capsys, "conform", "run", "--loader", loader, *FEW, *times, "--jobs", 1, "--report", report
    )
    assert found == code, out + err
    if code == 2:
        assert "the loader does not start" in err
        assert out == ""
        assert not report.exists()
    else:
        # The first start only asked who it is.
        assert starts(tmp_path) >= 2
        outcomes = [record["outcome"] for record in read_run(report).results]
        assert (outcomes.count("passed") == 3) == (code == 0)
    (tmp_path / "starts").unlink()
    found, out, err = run(capsys, "conform", "smoke", "--loader", loader, *times)
    assert found == smoke_code, out + err
    assert any(line.startswith("no ") for line in out.splitlines()) == (smoke_code != 0)
    assert nobody_is_left(tmp_path)


@pytest.mark.parametrize("command", ["/nonexistent/loader --fast", "", "  ", "'"])
def test_what_is_no_command_is_unusable(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("run", "smoke"):
        code, _, err = run(capsys, "conform", name, "--loader", command)
        assert code == 2
        assert command.strip() in ("", "'") or name == "smoke" or "cannot be started" in err


def test_known_failures_are_no_findings(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = 'serve("evaluate", lambda request: request["curves"] == ["apriori"] and sys.exit(1))'
    loader = shlex.join(written(program))
    known = tmp_path / "known.toml"
    for cases, code in (
        (["curve-apriori"], 0),
        (["curve-observed"], 1),
        (["curve-apriori", "curves-all"], 1),
    ):
        known.write_text(
            "".join(f'[[failure]]\ncase = "{case}"\nreason = "test"\n' for case in cases), encoding="utf-8"
        )
        options = ("--jobs", 1, "--known-failures", known)
        assert run(capsys, "conform", "run", "--loader", loader, *FEW, *options)[0] == code


def test_a_known_failure_that_passes_is_a_finding(
    written: Callable[[str], tuple[str, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = tmp_path / "known.toml"
    known.write_text('[[failure]]\ncase = "curve-apriori"\nreason = "test"\n', encoding="utf-8")
    options = ("--loader", shlex.join(written("serve()")), "--jobs", 1, "--known-failures", known)
    code, out, _ = run(capsys, "conform", "run", *FEW, *options)
    assert "known to fail, and passed: curve-apriori" in out
    assert code == 1


@pytest.mark.parametrize("command", ["./my-loader", "{python} -S -E -B loader.py"])
def test_a_loader_is_found_from_where_the_command_is_given(
    command: str,
    written: Callable[[str], tuple[str, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "my-loader"
    program.write_text(f"#!/bin/sh\nexec {shlex.join(written('serve()'))}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    loader = command.format(python=sys.executable)
    code, out, err = run(capsys, "conform", "smoke", "--loader", loader)
    assert code == 0, out + err


def test_an_interrupted_run_ends(written: Callable[[str], tuple[str, ...]], tmp_path: Path) -> None:
    loader = shlex.join(written('serve("evaluate", lambda request: time.sleep(600))'))
    report = tmp_path / "report"
    options = ["--loader", loader, *FEW, "--timeout", "1.5", "--jobs", "1", "--report", str(report)]
    # What runs in the background of a shell ignores the signal, and so would its children.
    handler = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{handler}; from llb.cli.main import main; main()"
    with subprocess.Popen([sys.executable, "-c", program, "conform", "run", *options], text=True) as process:
        # The first start only asks who it is.
        while starts(tmp_path) < 2 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
    assert read_run(report).footer["interrupted"] is True
    # All three cases would have been asked.
    assert starts(tmp_path) < 4
    assert nobody_is_left(tmp_path)
