"""What model cards of all families are made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llb.bundle.identity import Analysis

__all__ = ["card_head", "card_table", "card_text"]


def card_head(manifest: Mapping[str, Any], what: str) -> str:
    """Title and identity of a bundle, and in a few words what it is of its analysis."""
    analysis, teacher = Analysis.from_json(manifest["analysis"]), manifest["teacher"]
    lines = [
        f"# {card_text(manifest['title'])}",
        "",
        f"`{manifest['id']}` version {manifest['version']}, a Learned Likelihood Bundle "
        f"(format {manifest['format_version']}): {what} "
        f"{card_text(str(analysis))}, learned from the full statistical model.",
        "",
        f"- Authors: {', '.join(card_text(author['name']) for author in manifest['authors'])}",
        f"- Licence: {manifest['license']}",
        f"- Made: {manifest['created']}",
        f"- Teacher: {', '.join(card_text(item['name']) for item in teacher['files'])}, {_model(teacher)}",
    ]
    lines += [f"- Reference: {item['kind']} {card_text(item['value'])}" for item in manifest["references"]]
    if "supersedes" in manifest:
        lines.append(f"- Supersedes: {manifest['supersedes']}")
    return "\n".join(lines)


def _model(teacher: Mapping[str, Any]) -> str:
    """What kind of model the teacher is, and which part of it was used."""
    if teacher["kind"] == "histfactory":
        measurement, poi = card_text(teacher["measurement"]), card_text(teacher["poi"])
        return f"measurement {measurement}, parameter of interest {poi}"
    if teacher["kind"] == "other":
        return card_text(teacher["text"])
    return "a simplified likelihood" + (" with third moments" if teacher["third_moments"] else "")


def card_table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def card_text(text: str) -> str:
    """Free text of the manifest on one line, without what would be markup."""
    line = " ".join(text.split())
    for mark in "\\`|<>":
        line = line.replace(mark, "\\" + mark)
    return line
