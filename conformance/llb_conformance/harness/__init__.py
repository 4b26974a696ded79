"""The harness: starts a loader, talks to it, and comes to an end whatever it does."""

from llb_conformance.harness.bench import Bench
from llb_conformance.harness.dialogue import PROTOCOL, Dialogue, Implementation, ProtocolError, Transport
from llb_conformance.harness.known import KnownFailure, read_known_failures
from llb_conformance.harness.process import LoaderEndedError, LoaderProcess, NoReplyError, split_command
from llb_conformance.harness.run import Result, Settings, converse, run_cases, start_loader
from llb_conformance.harness.smoke import Smoke, smoke

__all__ = [
    "PROTOCOL",
    "Bench",
    "Dialogue",
    "Implementation",
    "KnownFailure",
    "LoaderEndedError",
    "LoaderProcess",
    "NoReplyError",
    "ProtocolError",
    "Result",
    "Settings",
    "Smoke",
    "Transport",
    "converse",
    "read_known_failures",
    "run_cases",
    "smoke",
    "split_command",
    "start_loader",
]
