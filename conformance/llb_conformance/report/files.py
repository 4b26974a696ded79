"""A report as files: summary.json, junit.xml, badge.json and a page, all made from results.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from llb_conformance.report.page import page
from llb_conformance.report.summary import Summary

__all__ = ["badge", "junit", "write_report"]

_NEUTRAL = ("recommended",)


def write_report(summary: Summary, folder: Path) -> tuple[Path, ...]:
    """Writes everything but results.jsonl into the folder; returns the paths."""
    contents = {
        "summary.json": json.dumps(summary.to_json(), indent=2, ensure_ascii=False) + "\n",
        "junit.xml": junit(summary),
        "badge.json": json.dumps(badge(summary), indent=2) + "\n",
        "report.html": page(summary),
    }
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in contents)


def badge(summary: Summary) -> dict[str, Any]:
    """A badge in the endpoint format of shields: what the loader conforms to, or how far it is."""
    version = ".".join(str(summary.run.header["format"]).split(".")[:2])
    core = summary.classes.get("core")
    if summary.conforming:
        names = [name for name, item in summary.classes.items() if item.required and item.conforming]
        message, colour = f"{', '.join(names)} {version}", "brightgreen"
    elif core is not None and core.cases:
        message, colour = f"core {100 * core.passed // core.cases} % {version}", "red"
    else:
        message, colour = f"not tested {version}", "lightgrey"
    return {"schemaVersion": 1, "label": "LLB loader", "message": message, "color": colour}


def junit(summary: Summary) -> str:
    """The run for continuous integration: a suite for each class, a test for each case.

    Failures that are known, and cases of classes that need not pass, are skipped tests with a reason.
    """
    root = Xml.Element("testsuites", name="llb-conformance")
    for name, count in summary.classes.items():
        records = [record for record in summary.run.results if record["class"] == name]
        group = Xml.SubElement(root, "testsuite", name=name, tests=str(len(records)))
        failures = skipped = 0
        for record in records:
            seconds = f"{record['seconds']:.3f}"
            test = Xml.SubElement(group, "testcase", classname=name, name=record["case"], time=seconds)
            if record["outcome"] == "passed":
                continue
            message = _xml_text(f"{record['outcome']}: {record['message']}")
            if record["known"] or not count.required:
                Xml.SubElement(test, "skipped", message=_xml_text(record["known"]) or message)
                skipped += 1
            else:
                failure = Xml.SubElement(test, "failure", type=record["outcome"], message=message)
                failure.text = _xml_text("\n".join(_details(record)))
                failures += 1
        group.set("failures", str(failures))
        group.set("skipped", str(skipped))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _details(record: Any) -> Iterable[str]:
    yield record["description"]
    if record["step"] is not None:
        yield f"step {record['step']}"
    for key in ("expected", "got"):
        if record.get(key) is not None:
            yield f"{key}: {json.dumps(record[key])[:4000]}"
    yield from record.get("log", ())


def _xml_text(text: str) -> str:
    """The text without characters that XML has no place for."""
    return "".join(
        mark if mark in "\t\n" or (mark.isprintable() and mark not in "\ufffe\uffff") else ascii(mark)[1:-1]
        for mark in text
    )
