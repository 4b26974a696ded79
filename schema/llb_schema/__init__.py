"""The LLB standard as a package: JSON Schemas, findings catalogue, format versions. Imports nothing of ours."""

from llb_schema.findings import (
    CatalogueEntry,
    Finding,
    FindingError,
    Severity,
    catalogue,
    finding,
    has_errors,
)

__all__ = ["CatalogueEntry", "Finding", "FindingError", "Severity", "catalogue", "finding", "has_errors"]
