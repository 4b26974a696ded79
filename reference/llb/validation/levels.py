"""The validation levels in their order; each builds on the ones before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llb.bundle import (
    Bundle,
    Container,
    DensityBundle,
    check_manifest,
    checked_bundle,
    open_container,
    read_raw_manifest,
)
from llb.validation.guard import guarded
from llb.validation.profiles import Profile, check_profile
from llb.validation.report import Report
from llb.validation.results import FIRST_LEVEL, LAST_LEVEL, FreshPoints, LevelResult, Wanted
from llb.validation.run_limits import RunLimits
from llb.validation.running import run_levels
from llb.validation.semantics import check_documents, check_integrity
from llb_schema import Finding, finding, has_errors

if TYPE_CHECKING:
    from llb.validation.teacher import Relabelling

__all__ = ["DEFAULT_LEVEL", "MAX_LEVEL", "validate"]

MAX_LEVEL = LAST_LEVEL
"""The highest level; it needs the teacher."""

DEFAULT_LEVEL = MAX_LEVEL - 1
"""The highest level for which a bundle is enough."""


@dataclass
class _Reading:
    """What the levels that only read hand on to each other."""

    location: Path
    container: Container | None = None
    raw: Any = None
    bundle: Bundle | DensityBundle | None = None

    @property
    def opened(self) -> Bundle | DensityBundle:
        """The bundle; levels from 2 on run only where level 1 has made one."""
        if self.bundle is None:
            raise RuntimeError("level 1 has not run")
        return self.bundle

    def archive(self) -> tuple[Finding, ...]:
        self.container = open_container(self.location)
        self.raw = read_raw_manifest(self.container)
        return ()

    def manifest(self) -> tuple[Finding, ...]:
        findings = check_manifest(self.raw)
        if self.container is not None and not has_errors(findings):
            self.bundle = checked_bundle(self.raw, self.container)
        return findings

    def integrity(self) -> tuple[Finding, ...]:
        findings = check_integrity(self.opened)
        return findings if has_errors(findings) else (*findings, *check_documents(self.opened))


def validate(
    path: str | Path,
    level: int = DEFAULT_LEVEL,
    *,
    profile: Profile = "draft",
    relabelling: Relabelling | None = None,
    limits: RunLimits | None = RunLimits(),  # noqa: B008 - frozen
) -> Report:
    """Checks a bundle and reports everything that is found; never raises for what is in it.

    Args:
        path: directory or archive.
        level: highest level to check: 0 archive and parse, 1 schema and meaning of the manifest,
            2 integrity and documents, 3 graphs, 4 numbers, 5 claims, 6 teacher. A level with errors ends the
            validation, because the next ones rely on it.
        profile: what is asked of the manifest besides being valid, from level 1 on; no level relies on it.
        relabelling: how level 6 asks the teacher.
        limits: of the process of its own in which graphs are audited and run. None runs them in this one,
            without limits: for graphs that the caller has made.

    Returns:
        The report, with the findings of all levels that were run.

    Raises:
        ValueError: there is no such level, it does not reach the profile, or there is nothing to ask the
            teacher with.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"levels are 0 to {MAX_LEVEL}, not {level}")
    if level == MAX_LEVEL and relabelling is None:
        raise ValueError(f"level {level} needs the teacher")
    if level < 1 and profile != "draft":
        raise ValueError(f"the profile {profile} reads the manifest, which level 1 opens")
    reading = _Reading(Path(path))
    checks: tuple[Callable[[], tuple[Finding, ...]], ...] = (
        reading.archive,
        reading.manifest,
        reading.integrity,
    )
    findings: list[Finding] = []
    reached = -1
    for check in checks[: level + 1]:
        reached += 1
        findings += guarded(check)
        if has_errors(findings):
            break
    if level >= FIRST_LEVEL and not has_errors(findings):
        for result in _run(reading.opened, level, relabelling, limits):
            reached = result.level
            findings += result.findings
    if reading.bundle is not None:
        findings += check_profile(reading.bundle.manifest, profile)
    ordered = sorted(set(findings), key=lambda item: (item.code, item.pointer, item.message))
    return Report(reading.location, _identity(reading.raw), reached, tuple(ordered), profile)


def _run(
    bundle: Bundle | DensityBundle, level: int, relabelling: Relabelling | None, limits: RunLimits | None
) -> Iterator[LevelResult]:
    """The levels from 3 on, with what the teacher says on the last one."""
    result: LevelResult | None = None
    if isinstance(bundle, DensityBundle):
        for result in _graphs(bundle, min(level, DEFAULT_LEVEL), None, limits):
            yield result
        if level == MAX_LEVEL and result is not None and not has_errors(result.findings):
            said = finding("LLB-C108", "level 6 is for profile likelihoods, not for densities")
            yield LevelResult(MAX_LEVEL, (said,))
        return
    wanted = None
    if level == MAX_LEVEL and relabelling is not None:
        wanted = Wanted(relabelling.points, relabelling.seed)
    for result in _graphs(bundle, level, wanted, limits):
        yield result
        if result.fresh is not None and relabelling is not None:
            yield LevelResult(result.level, _asked(bundle, relabelling, result.fresh))


def _graphs(
    bundle: Bundle | DensityBundle, level: int, wanted: Wanted | None, limits: RunLimits | None
) -> Iterable[LevelResult]:
    """The levels that run graphs, here or in a process with limits."""
    if limits is None:
        return run_levels(bundle, level, wanted)
    # Imported here: nobody else needs to know how processes are started.
    from llb.validation.confined import run_confined

    return run_confined(bundle, level, limits, wanted)


def _asked(bundle: Bundle, relabelling: Relabelling, fresh: FreshPoints) -> tuple[Finding, ...]:
    """What the teacher says. It is asked in this process, which holds it; nothing here runs the graph."""
    from llb.validation.teacher import check_teacher

    return guarded(lambda: check_teacher(bundle, relabelling, fresh))


def _identity(raw: Any) -> str | None:
    if not isinstance(raw, dict):
        return None
    name, version = raw.get("id"), raw.get("version")
    return f"{name[:100]}@{version[:100]}" if isinstance(name, str) and isinstance(version, str) else None
