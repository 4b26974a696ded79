"""Other people's formats, both ways: OLLL v0.1 files to bundles and back (docs/incumbent.md)."""

from llb.interop.olll_choices import ImportChoices, OffsetRule
from llb.interop.olll_export import ExportReport, export_olll
from llb.interop.olll_export_metadata import ChannelShape, ExportChoices
from llb.interop.olll_import import CLOSURE_LIMIT, CLOSURE_WARNING, ImportReport, import_olll
from llb.interop.olll_pipelines import TransformSource
from llb.interop.teacher_facts import DataSet, TeacherFacts

__all__ = [
    "CLOSURE_LIMIT",
    "CLOSURE_WARNING",
    "ChannelShape",
    "DataSet",
    "ExportChoices",
    "ExportReport",
    "ImportChoices",
    "ImportReport",
    "OffsetRule",
    "TeacherFacts",
    "TransformSource",
    "export_olll",
    "import_olll",
]
