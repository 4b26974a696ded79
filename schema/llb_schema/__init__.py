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
from llb_schema.migrations import migrate
from llb_schema.registry import DOCUMENT_KINDS, DocumentKind, load_schema, validate_document
from llb_schema.versions import FEATURES, FORMAT_VERSION, check_version

__all__ = [
    "DOCUMENT_KINDS",
    "FAMILIES",
    "FEATURES",
    "FORMAT_VERSION",
    "CatalogueEntry",
    "DocumentKind",
    "Finding",
    "FindingError",
    "Severity",
    "catalogue",
    "check_version",
    "finding",
    "has_errors",
    "load_schema",
    "migrate",
    "validate_document",
]
