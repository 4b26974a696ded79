"""A report as files: summary.json, junit.xml, badge.json and a page, all made from results.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

from llb_conformance.report.page import page
from llb_conformance.report.summary import Summary
from llb_conformance.report.text import shown

__all__ = ["badge", "junit", "write_report"]


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
    if summary.run.footer["interrupted"]:
        message, colour = f"interrupted {version}", "lightgrey"
    elif summary.conforming:
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
    _whole(summary, root)
    for name, count in summary.classes.items():
        records = [record for record in summary.run.results if record["class"] == name]
        group = Xml.SubElement(root, "testsuite", name=name, tests=str(len(records)))
        failures = skipped = 0
        for record in records:
            seconds = f"{record['seconds']:.3f}"
            test = Xml.SubElement(group, "testcase", classname=name, name=record["case"], time=seconds)
            if record["outcome"] == "passed":
                continue
            message = shown(f"{record['outcome']}: {record['message']}")
            if record["known"] or not count.required:
                Xml.SubElement(test, "skipped", message=shown(record["known"]) or message)
                skipped += 1
            else:
                failure = Xml.SubElement(test, "failure", type=record["outcome"], message=message)
                failure.text = shown("\n".join(_details(record)))
                failures += 1
        group.set("failures", str(failures))
        group.set("skipped", str(skipped))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _whole(summary: Summary, root: Xml.Element) -> None:
    """A test of the run itself: without it, cases that were never asked would look like success."""
    missing = [name for name, item in summary.classes.items() if item.required and not item.cases]
    faults = ["it was interrupted"] if summary.run.footer["interrupted"] else []
    faults += [f"no case of class {name} was asked" for name in missing]
    count = {"tests": "1", "failures": str(int(bool(faults))), "skipped": "0"}
    group = Xml.SubElement(root, "testsuite", {"name": "run", **count})
    test = Xml.SubElement(group, "testcase", classname="run", name="every required class was asked", time="0")
    if faults:
        Xml.SubElement(test, "failure", type="not_run", message="; ".join(faults))


def _details(record: Any) -> Iterable[str]:
    yield record["description"]
    if record["step"] is not None:
        yield f"step {record['step']}"
    for key in ("expected", "got"):
        if record.get(key) is not None:
            yield f"{key}: {json.dumps(record[key])[:4000]}"
    yield from record.get("log", ())
