"""Level 3: every graph passes the audit, has the declared signature, and onnxruntime takes it."""

from __future__ import annotations

from llb.bundle import AnyBundle
from llb.runtime import GraphSession, open_session
from llb_schema import Finding, FindingError

__all__ = ["check_graphs"]


def check_graphs(bundle: AnyBundle) -> tuple[dict[str, GraphSession], tuple[Finding, ...]]:
    """The graphs that can be run, by role, and the findings about the others.

    The sessions are made anew: what is found may not depend on what this process has opened before.
    """
    sessions: dict[str, GraphSession] = {}
    findings: list[Finding] = []
    for spec in bundle.manifest.graphs:
        try:
            sessions[spec.role] = GraphSession(spec, open_session(bundle.read(spec.path), spec))
        except FindingError as error:
            findings += error.findings
    return sessions, tuple(findings)
