"""The LLB standard as a package: JSON Schemas, findings catalogue, versions. Imports nothing of ours."""

from llb_schema.findings import (
    FAMILIES,
    CatalogueEntry,
    Finding,
    FindingError,
    Severity,
    catalogue,
    finding,
    has_errors,
)
from llb_schema.json_numbers import number_from_json, number_to_json
from llb_schema.migrations import migrate
from llb_schema.registry import DOCUMENT_KINDS, DocumentKind, load_schema, validate_document
from llb_schema.versions import (
    DENSITY_VERSION,
    FAMILIES_OF_FORMAT,
    FORMAT_VERSION,
    LINES,
    NEWEST_VERSION,
    READER,
    Reader,
    check_version,
    line_of,
)

__all__ = [
    "DENSITY_VERSION",
    "DOCUMENT_KINDS",
    "FAMILIES",
    "FAMILIES_OF_FORMAT",
    "FORMAT_VERSION",
    "LINES",
    "NEWEST_VERSION",
    "READER",
    "CatalogueEntry",
    "DocumentKind",
    "Finding",
    "FindingError",
    "Reader",
    "Severity",
    "catalogue",
    "check_version",
    "finding",
    "has_errors",
    "line_of",
    "load_schema",
    "migrate",
    "number_from_json",
    "number_to_json",
    "validate_document",
]
