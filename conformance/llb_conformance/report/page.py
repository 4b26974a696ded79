"""A run as one HTML page: nothing to fetch, readable on paper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape as escaped
from importlib import resources
from typing import Any

from llb_conformance.report.summary import Summary
from llb_conformance.report.text import shown

__all__ = ["page"]

_SHOWN_NUMBERS = 400


def _escape(text: str) -> str:
    """Anything that a loader said, as text of a page."""
    return escaped(shown(text))


def page(summary: Summary) -> str:
    """The page."""
    implementation = summary.run.header["implementation"]
    title = f"{implementation['name']} {implementation['version']}: LLB conformance"
    body = "\n".join(_body(summary, title))
    style = (resources.files("llb_conformance.report") / "page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _body(summary: Summary, title: str) -> Iterator[str]:
    header, footer = summary.run.header, summary.run.footer
    implementation = header["implementation"]
    yield f"<h1>{_escape(title)}</h1>"
    facts = [
        implementation["language"],
        f"suite {header['suite']}",
        f"format {header['format']}",
        f"{footer['cases']} cases in {footer['seconds']:.1f} s",
        header["started"],
        f"seed {header['seed']}",
    ]
    links = [
        f'<a href="{_escape(implementation[key])}">{_escape(key)}</a>'
        for key in ("homepage", "issues")
        if str(implementation.get(key, "")).startswith(("https://", "http://"))
    ]
    yield f'<p class="sub">{" · ".join([*(_escape(str(fact)) for fact in facts), *links])}</p>'
    yield _verdict(summary)
    yield "<h2>Classes</h2>"
    yield from _classes(summary)
    failed = [record for record in summary.run.results if record["outcome"] != "passed"]
    for heading, required in (("Cases that did not pass", True), ("Recommended, and not passed", False)):
        records = [item for item in failed if (item["class"] in header["required"]) == required]
        if records:
            yield f"<h2>{heading}</h2>"
            yield from (_failure(record, "bad" if required else "note") for record in records)
    if summary.no_longer_failing:
        cases = ", ".join(f"<code>{_escape(name)}</code>" for name in summary.no_longer_failing)
        yield f"<h2>Known to fail, and passed</h2><p>{cases}</p>"
    yield "<h2>Clauses of the specification</h2>"
    yield from _clauses(summary)
    yield "<h2>All cases</h2><details><summary>show</summary>"
    yield from _all(summary)
    yield "</details>"


def _verdict(summary: Summary) -> str:
    required = ", ".join(summary.run.header["required"])
    if summary.conforming:
        return f'<p class="verdict good">Conforming: {_escape(required)}</p>'
    if summary.run.footer["interrupted"]:
        return '<p class="verdict bad">Interrupted: not every case was asked</p>'
    note = " (as known)" if summary.as_known else ""
    return f'<p class="verdict bad">Not conforming: {_escape(required)}{note}</p>'


def _classes(summary: Summary) -> Iterator[str]:
    yield "<table><tr><th>class</th><th>passed</th><th></th><th></th></tr>"
    for name, item in summary.classes.items():
        share = 100.0 * item.passed / item.cases if item.cases else 0.0
        notes = [] if item.required else ["not required"]
        notes += [] if item.claimed else ["not claimed"]
        notes += [f"{item.known} known to fail"] if item.known else []
        colour = "good" if item.conforming else "bad" if item.required else "note"
        yield (
            f'<tr><td>{_escape(name)}</td><td class="n {colour}">{item.passed} of {item.cases}</td>'
            f'<td><span class="bar"><i style="width:{share:.1f}%"></i></span></td>'
            f"<td>{_escape(', '.join(notes))}</td></tr>"
        )
    yield "</table>"


def _failure(record: Mapping[str, Any], colour: str) -> str:
    known = f' <span class="note">known: {_escape(record["known"])}</span>' if record["known"] else ""
    parts = [f"<p>{_escape(record['description'])} {_escape(', '.join(record['requirements']))}</p>"]
    if record["step"] is not None:
        parts.append(f"<p>Step {record['step'] + 1} of its dialogue: {_escape(record['message'])}</p>")
    else:
        parts.append(f"<p>{_escape(record['message'])}</p>")
    if record.get("excess") is not None:
        parts.append(f"<p>Off by {_escape(str(record['excess']))} times its tolerance.</p>")
    parts += [
        f"<p>{key}</p><pre>{_escape(_shown(record[key]))}</pre>"
        for key in ("expected", "got")
        if record.get(key) is not None
    ]
    if record.get("log"):
        parts.append(f"<p>standard error</p><pre>{_escape(chr(10).join(record['log']))}</pre>")
    return (
        f'<details><summary><code>{_escape(record["case"])}</code> <span class="{colour}">'
        f"{_escape(record['outcome'])}</span>{known}</summary>{''.join(parts)}</details>"
    )


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > _SHOWN_NUMBERS:
        return f"{json.dumps(value[:_SHOWN_NUMBERS])} and {len(value) - _SHOWN_NUMBERS} more"
    return json.dumps(value)


def _clauses(summary: Summary) -> Iterator[str]:
    yield "<table><tr><th>clause</th><th>cases passed</th></tr>"
    for clause, (cases, passed) in summary.requirements.items():
        colour = "good" if passed == cases else "bad"
        yield f'<tr><td>{_escape(clause)}</td><td class="{colour}">{passed} of {cases}</td></tr>'
    yield "</table>"
    untested = ", ".join(_escape(clause) for clause in summary.untested)
    yield f"<p>About these no case was asked: {untested}.</p>"


def _all(summary: Summary) -> Iterator[str]:
    yield "<table><tr><th>case</th><th>class</th><th>outcome</th><th>what is asked</th></tr>"
    for record in summary.run.results:
        colour = "good" if record["outcome"] == "passed" else "bad"
        yield (
            f"<tr><td><code>{_escape(record['case'])}</code></td><td>{_escape(record['class'])}</td>"
            f'<td class="{colour}">{_escape(record["outcome"])}</td>'
            f"<td>{_escape(record['description'])}</td></tr>"
        )
    yield "</table>"
