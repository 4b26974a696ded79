"""A bundle as one HTML page: what it is, how good it is, and how to use it."""

from llb.report.blocks import Panel
from llb.report.page import Page, report_page

__all__ = ["Page", "Panel", "report_page"]
