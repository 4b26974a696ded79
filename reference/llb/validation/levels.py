"""The validation levels in their order; each builds on the ones before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llb.bundle import Bundle, Container, Manifest, check_manifest, open_container, read_raw_manifest
from llb.validation.report import Report
from llb.validation.semantics import check_documents, check_integrity, read_vectors
from llb_schema import Finding, FindingError, finding, has_errors

if TYPE_CHECKING:
    from llb.runtime import ProfileLikelihood
    from llb.validation.teacher import Relabelling

__all__ = ["DEFAULT_LEVEL", "MAX_LEVEL", "validate"]


@dataclass
class _Run:
    """What the levels hand on to each other."""

    location: Path
    container: Container | None = None
    raw: Any = None
    bundle: Bundle | None = None
    sessions: dict[str, Any] = field(default_factory=dict[str, Any])
    relabelling: Relabelling | None = None

    @property
    def opened(self) -> Bundle:
        """The bundle; levels from 2 on run only where level 1 has made one."""
        if self.bundle is None:
            raise RuntimeError("level 1 has not run")
        return self.bundle

    @property
    def model(self) -> ProfileLikelihood:
        """The bundle with its graph; levels from 4 on run only where level 3 has opened it."""
        from llb.runtime import ProfileLikelihood

        return ProfileLikelihood(self.opened, self.sessions["delta_nll"])


def _archive(run: _Run) -> tuple[Finding, ...]:
    run.container = open_container(run.location)
    run.raw = read_raw_manifest(run.container)
    return ()


def _manifest(run: _Run) -> tuple[Finding, ...]:
    findings = check_manifest(run.raw)
    if run.container is not None and not has_errors(findings):
        run.bundle = Bundle(Manifest.from_json(run.raw), run.raw, run.container)
    return findings


def _integrity(run: _Run) -> tuple[Finding, ...]:
    findings = check_integrity(run.opened)
    return findings if has_errors(findings) else (*findings, *check_documents(run.opened))


def _graph(run: _Run) -> tuple[Finding, ...]:
    # Imported here, like below: onnx and onnxruntime take longer to load than the lower levels to run.
    from llb.validation.graph import check_graphs

    run.sessions, findings = check_graphs(run.opened)
    return findings


def _numerics(run: _Run) -> tuple[Finding, ...]:
    from llb.validation.numerics import check_numerics
    from llb.validation.vectors import TestVectors

    vectors = TestVectors.from_json(read_vectors(run.opened), run.opened.manifest)
    return check_numerics(run.model, vectors)


def _claims(run: _Run) -> tuple[Finding, ...]:
    from llb.validation.claims import check_claims

    return check_claims(run.model)


def _teacher(run: _Run) -> tuple[Finding, ...]:
    from llb.validation.teacher import check_teacher

    if run.relabelling is None:
        raise RuntimeError("nobody opens the teacher")
    return check_teacher(run.model, run.relabelling)


_LEVELS: tuple[Callable[[_Run], tuple[Finding, ...]], ...] = (
    _archive,
    _manifest,
    _integrity,
    _graph,
    _numerics,
    _claims,
    _teacher,
)
MAX_LEVEL = len(_LEVELS) - 1
"""The highest level; it needs the teacher."""

DEFAULT_LEVEL = MAX_LEVEL - 1
"""The highest level for which a bundle is enough."""


def validate(
    path: str | Path, level: int = DEFAULT_LEVEL, *, relabelling: Relabelling | None = None
) -> Report:
    """Checks a bundle and reports everything that is found; never raises for what is in it.

    Args:
        path: directory or archive.
        level: highest level to check: 0 archive and parse, 1 schema and meaning of the manifest,
            2 integrity and documents, 3 graphs, 4 numbers, 5 claims, 6 teacher. A level with errors ends the
            validation, because the next ones rely on it.
        relabelling: how level 6 asks the teacher.

    Returns:
        The report, with the findings of all levels that were run.

    Raises:
        ValueError: there is no such level, or nothing to ask the teacher with.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"levels are 0 to {MAX_LEVEL}, not {level}")
    if level == MAX_LEVEL and relabelling is None:
        raise ValueError(f"level {level} needs the teacher")
    run = _Run(Path(path), relabelling=relabelling)
    findings: list[Finding] = []
    reached = 0
    for reached in range(level + 1):
        findings += _guarded(_LEVELS[reached], run)
        if has_errors(findings):
            break
    ordered = sorted(set(findings), key=lambda item: (item.code, item.pointer, item.message))
    return Report(run.location, _identity(run.raw), reached, tuple(ordered))


def _guarded(check: Callable[[_Run], tuple[Finding, ...]], run: _Run) -> tuple[Finding, ...]:
    try:
        return check(run)
    except FindingError as error:
        return error.findings
    # The last line of defence: whatever a hostile bundle breaks is reported, not raised.
    except Exception as error:
        return (finding("LLB-X900", f"the check failed with {type(error).__name__}: {str(error)[:200]}"),)


def _identity(raw: Any) -> str | None:
    if not isinstance(raw, dict):
        return None
    name, version = raw.get("id"), raw.get("version")
    return f"{name[:100]}@{version[:100]}" if isinstance(name, str) and isinstance(version, str) else None
