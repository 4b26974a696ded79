"""A validation report in the XML that continuous integration reads (JUnit)."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from llb.cli.failure import as_line, printable
from llb.validation import Report
from llb_schema import Severity

__all__ = ["junit_xml"]


def junit_xml(report: Report) -> str:
    """One test case for the validation as a whole and one for each finding; errors are failures.

    Findings of lower severity are passed cases with their text as output.
    """
    errors = sum(item.severity is Severity.ERROR for item in report.findings)
    name = printable(f"llb validate {report.bundle_id or report.location}")
    suites = Element("testsuites")
    counts = {"tests": 1 + len(report.findings), "failures": errors, "errors": 0, "skipped": 0}
    attributes = {"name": name} | {key: str(count) for key, count in counts.items()}
    suite = SubElement(suites, "testsuite", attributes)
    SubElement(suite, "testcase", classname="llb.validate", name=f"level {report.level} reached")
    for item in report.findings:
        title = printable(f"{item.code} {item.pointer}".rstrip())
        case = SubElement(suite, "testcase", classname=f"llb.validate.{item.severity}", name=title)
        if item.severity is Severity.ERROR:
            failure = SubElement(case, "failure", type=item.code, message=printable(item.message))
            failure.text = as_line(item)
        else:
            SubElement(case, "system-out").text = as_line(item)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True)
