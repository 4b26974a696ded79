"""Reports of runs: kept line by line, summed up, and written for people and for programs."""

from llb_conformance.report.files import badge, junit, write_report
from llb_conformance.report.page import page
from llb_conformance.report.run import RESULTS, RunLog, RunRecord, read_run
from llb_conformance.report.summary import ClassCount, Summary, clauses, summarize

__all__ = [
    "RESULTS",
    "ClassCount",
    "RunLog",
    "RunRecord",
    "Summary",
    "badge",
    "clauses",
    "junit",
    "page",
    "read_run",
    "summarize",
    "write_report",
]
