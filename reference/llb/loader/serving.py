"""The loader at the end of a pipe: a line in, a line out."""

from __future__ import annotations

import json
import sys
from typing import BinaryIO

from llb.bundle import parse_json
from llb.loader.answers import Loader
from llb_schema import FindingError

__all__ = ["serve"]


def serve(requests: BinaryIO, replies: BinaryIO, loader: Loader | None = None) -> int:
    """Answers every line of `requests` until `stop` or its end.

    Returns:
        0, or 2 after a line that is no JSON object: there is no reply to that.
    """
    answering = Loader() if loader is None else loader
    for line in requests:
        try:
            request = parse_json(line, "request")
        except FindingError as error:
            print(error, file=sys.stderr)  # noqa: T201 - the log
            return 2
        reply = answering.answer(request)
        replies.write(json.dumps(reply, allow_nan=False, ensure_ascii=False).encode() + b"\n")
        replies.flush()
        if reply["reply"] == "stopped":
            return 0
    return 0
