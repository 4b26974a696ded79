"""Pages of the documentation that do what they say: their marked blocks, run one after the other.

A block of `bash` or `python` after a line `<!-- run -->` is run; all blocks of a page share a folder. A
block of `text` right after it is what the run prints: every line of it has to be among the lines printed, up
to numbers and blanks; `...` stands for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

__all__ = ["MARK", "Block", "blocks", "run_page"]

MARK = "<!-- run -->"
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")


@dataclass(frozen=True)
class Block:
    """A block that is run.

    Attributes:
        language: `bash` or `python`.
        text: what is run.
        printed: what the page says it prints; None if it says nothing.
        line: of the page where it begins, from 1.
    """

    language: str
    text: str
    printed: str | None
    line: int


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a page that are to be run, in their order.

    Raises:
        ValueError: a mark is followed by no block, or by one of another language.
    """
    tokens = MarkdownIt().parse(text)
    found: list[Block] = []
    for place, token in enumerate(tokens):
        if token.type == "html_block" and token.content.strip() == MARK:
            block, *after = [*tokens[place + 1 : place + 3]]
            line = (block.map or [0])[0] + 1
            if block.type != "fence" or block.info not in ("bash", "python"):
                raise ValueError(f"line {line}: nothing to run after {MARK}")
            shown = [item.content for item in after if item.type == "fence" and item.info == "text"]
            found.append(Block(block.info, block.content, shown[0] if shown else None, line))
    return tuple(found)


def run_page(path: Path, folder: Path, smaller: Mapping[str, str]) -> None:
    """Runs the blocks of a page.

    Args:
        path: the page.
        folder: where its commands run.
        smaller: pieces of its text, and what stands in their place so that it takes seconds.

    Raises:
        AssertionError: a piece is not in the page, a block fails, or it prints something else.
    """
    text = path.read_text(encoding="utf-8")
    for piece, replacement in smaller.items():
        assert piece in text, f"{path.name} has no {piece!r}"
        text = text.replace(piece, replacement)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in blocks(text):
        program = ["bash", "-eu", "-o", "pipefail"] if block.language == "bash" else [sys.executable]
        done = subprocess.run(
            [*program, "-c", block.text], cwd=folder, env=environment, capture_output=True, text=True
        )
        where = f"{path.name}:{block.line}"
        assert done.returncode == 0, f"{where}\n{done.stdout}\n{done.stderr}"
        missing = _missing(block.printed or "", done.stdout)
        assert not missing, f"{where} does not print {missing}\n{done.stdout}\n{done.stderr}"


def _missing(shown: str, printed: str) -> list[str]:
    """The lines of what is shown that are not printed."""
    there = {_shape(line) for line in printed.splitlines()}
    return [line for line in shown.splitlines() if _shape(line) not in there | {"...", ""}]


def _shape(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())
