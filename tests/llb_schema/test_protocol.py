"""The messages of the conformance protocol: each can be said, and a wrong one is refused at its place."""

from __future__ import annotations

from typing import Any

import pytest
from messages import MESSAGES, REPLIES, REQUESTS

from llb_schema import load_schema, validate_document


def codes(message: Any) -> list[tuple[str, str]]:
    return [(item.code, item.pointer) for item in validate_document(message, "protocol")]


@pytest.mark.requirement("PROTOCOL-1", "PROTOCOL-2")
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: "-".join(map(str, [*message.values()][:1])))
def test_every_message_can_be_said_and_is_closed(message: dict[str, Any]) -> None:
    assert codes(message) == []
    assert codes({**message, "valid": True}) == [("LLB-S002", "/valid")]
    for key in ("seq", "protocol"):
        if key in message:
            assert codes({name: value for name, value in message.items() if name != key}) == [
                ("LLB-S001", f"/{key}")
            ]


def test_every_message_of_the_schema_is_tried() -> None:
    schema = load_schema("protocol")["$defs"]
    assert schema["request"]["properties"]["cmd"]["enum"] == list(REQUESTS)
    assert schema["reply"]["properties"]["reply"]["enum"] == list(REPLIES)


@pytest.mark.requirement("PROTOCOL-2", "PROTOCOL-3")
@pytest.mark.parametrize(
    ("message", "code", "pointer"),
    [
        ({"cmd": "run", "seq": 1}, "LLB-S004", "/cmd"),
        ({"reply": "fine", "seq": 1}, "LLB-S004", "/reply"),
        ({"seq": 1}, "LLB-S001", "/reply"),
        (["values"], "LLB-S003", ""),
        ({"cmd": "close", "seq": 0}, "LLB-S006", "/seq"),
        ({"cmd": "close", "seq": "1"}, "LLB-S003", "/seq"),
        ({"reply": "samples", "seq": 1, "samples": [["nan"]]}, "LLB-S004", "/samples/0/0"),
        ({"reply": "samples", "seq": 1, "samples": [[None]]}, "LLB-S003", "/samples/0/0"),
        ({"reply": "samples", "seq": 1, "samples": []}, "LLB-S007", "/samples"),
        ({"reply": "rejected", "seq": 1, "stage": "somewhere", "code": "LLB-A001"}, "LLB-S004", "/stage"),
        ({"reply": "rejected", "seq": 1, "stage": "graph", "code": "bad"}, "LLB-S005", "/code"),
        ({**MESSAGES[3], "curves": ["expected"]}, "LLB-S004", "/curves/0"),
        ({**MESSAGES[3], "points": [[1.0]]}, "LLB-S002", "/points"),
        ({"cmd": "limits", "seq": 1, "level": 0.95}, "LLB-S001", "/points"),
    ],
)
def test_wrong_messages_are_refused_at_their_place(message: Any, code: str, pointer: str) -> None:
    assert (code, pointer) in codes(message)


@pytest.mark.requirement("PROTOCOL-7", "CONFORM-6")
@pytest.mark.parametrize(
    "message",
    [
        {"reply": "opened", "seq": 1, "format_version": "1.1.0", "inputs": ["mu", "alpha"]},
        {
            "reply": "described",
            "seq": 2,
            "id": "flow",
            "version": "1.0.0",
            "inputs": ["mu", "alpha"],
            "lower": [0.0, -5.0],
            "upper": [10.0, 5.0],
        },
        {"cmd": "log_prob", "seq": 3, "points": [[1.0, 0.5], [11.0, 0.5]], "conditions": [[2.0], [2.0]]},
        {"reply": "log_probs", "seq": 3, "log_prob": [-2.5, "-Infinity"], "out_of_domain": [False, True]},
        {"cmd": "sample", "seq": 4, "noise": [[0.0, 1.0]]},
        {"reply": "samples", "seq": 4, "samples": [[1.0, 0.5]]},
        {"reply": "rejected", "seq": 5, "stage": "input", "code": "LLB-Y104", "message": "of three columns"},
        {"reply": "unsupported", "seq": 6, "what": "evaluate"},
    ],
    ids=lambda message: str(message.get("cmd", message.get("reply"))),
)
def test_a_dialogue_about_a_density_can_be_said(message: dict[str, Any]) -> None:
    assert validate_document(message, "protocol") == ()
