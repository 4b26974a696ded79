"""Talking to a loader: numbered requests, and replies that follow the protocol (PROTOCOL-1, PROTOCOL-2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from llb_conformance.suite.wire import decode, encode
from llb_schema import validate_document

__all__ = ["PROTOCOL", "Dialogue", "Implementation", "ProtocolError", "Transport"]

PROTOCOL = 1

# What a reply to a request may be, besides a refusal of one kind or another.
_ANSWERS = {
    "start": "started",
    "open": "opened",
    "describe": "described",
    "evaluate": "values",
    "gradient": "gradients",
    "limits": "limits",
    "log_prob": "log_probs",
    "sample": "samples",
    "close": "closed",
    "stop": "stopped",
}
_REFUSALS = frozenset({"rejected", "unsupported", "skipped", "errored"})


class Transport(Protocol):
    """Something that answers lines."""

    def ask(self, line: str, timeout: float) -> str:
        """The line that answers this one; raises `NoReplyError`, `LoaderEndedError` or ValueError."""
        ...


class ProtocolError(Exception):
    """A reply that does not follow the protocol."""


@dataclass(frozen=True)
class Implementation:
    """Who a loader is: its reply to `start`."""

    name: str
    version: str
    language: str
    format_versions: tuple[str, ...]
    classes: frozenset[str]
    homepage: str = ""
    issues: str = ""


class Dialogue:
    """One run of a loader.

    Args:
        transport: the loader.
        timeout: seconds that it has for a reply.
        good: replies, but for their `seq`, that are known to follow the schema; more are added. Who asks many
            loaders the same keeps one set for all.
    """

    def __init__(self, transport: Transport, timeout: float, good: set[str] | None = None) -> None:
        self._transport = transport
        self._timeout = timeout
        self._good: set[str] = set() if good is None else good
        self._seq = 0

    def start(self, timeout: float) -> Implementation:
        """Asks the loader who it is; `timeout` is longer than for the others, programs have to load.

        Raises:
            ProtocolError: the answer is another one.
            NoReplyError, LoaderEndedError: see `LoaderProcess`.
        """
        reply = self._exchange({"cmd": "start", "protocol": PROTOCOL}, timeout)
        if reply["reply"] != "started":
            raise ProtocolError(f"`start` was answered with `{reply['reply']}`")
        if reply["protocol"] != PROTOCOL:
            raise ProtocolError(f"it speaks protocol {reply['protocol']}, this harness {PROTOCOL}")
        said = reply["implementation"]
        return Implementation(
            said["name"],
            said["version"],
            said["language"],
            tuple(reply["format_versions"]),
            frozenset(reply["classes"]),
            said.get("homepage", ""),
            said.get("issues", ""),
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to a request, which is numbered here.

        Raises:
            ProtocolError: it does not follow the protocol.
            NoReplyError, LoaderEndedError: see `LoaderProcess`.
        """
        self._seq += 1
        reply = self._exchange({"cmd": request["cmd"], "seq": self._seq, **request}, self._timeout)
        if reply["seq"] != self._seq:
            raise ProtocolError(f"the reply has seq {reply['seq']}, the request {self._seq}")
        return reply

    def _exchange(self, message: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        try:
            line = self._transport.ask(encode(message), timeout)
            reply = decode(line)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"not the protocol: {str(error)[:500]}") from error
        self._check(reply)
        request = message["cmd"]
        if reply["reply"] not in {_ANSWERS[request], *(() if request == "start" else _REFUSALS)}:
            raise ProtocolError(f"`{request}` was answered with `{reply['reply']}`")
        return reply

    def _check(self, reply: Any) -> None:
        """Whether it is a reply by the schema, which takes longer than all else."""
        if not (isinstance(reply, dict) and _is_number(reply.get("seq", 1))):
            self._validate(reply)
            return
        said = json.dumps({**reply, "seq": "seq" in reply})
        if said not in self._good:
            self._validate(reply)
            self._good.add(said)

    def _validate(self, reply: Any) -> None:
        findings = validate_document(reply, "protocol")
        if findings:
            first = findings[0]
            raise ProtocolError(f"a reply against the schema: {first} (at {first.pointer or 'the top'})")
        if "reply" not in reply:
            raise ProtocolError("it sent a request")


def _is_number(value: Any) -> bool:
    """A number that any request could have."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53
