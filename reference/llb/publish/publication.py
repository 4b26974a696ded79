"""What publishing a bundle gave, and how that comes to lie on the disk: whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llb.bundle import Bundle, DensityBundle, check_folder, read_any_bundle
from llb.validation import DEFAULT_LEVEL, RunLimits, validate
from llb_schema import Finding, FindingError, Severity, finding, has_errors

__all__ = ["OnStage", "Publication", "built_beside", "checked", "no_progress", "outcome"]

OnStage = Callable[[str], object]
"""Takes the name of a stage when it begins."""

_PROFILE = "publishable"
_PROFILE_CODES = "LLB-M1"


def no_progress(_stage: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True)
class Publication:
    """The outcome of publishing.

    Attributes:
        folder: what was written; None where findings forbade it.
        files: names of the files in it, POSIX paths, sorted.
        findings: all findings.
    """

    folder: Path | None
    files: tuple[str, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """The outcome as a JSON object."""
        return {
            "written": None if self.folder is None else str(self.folder),
            "files": list(self.files),
            "findings": [item.to_json() for item in self.findings],
        }


def checked(sources: Sequence[Path]) -> tuple[list[Bundle | DensityBundle], tuple[Finding, ...]]:
    """The bundles, and what speaks against publishing them: faults, and what archives ask for besides.

    What the profile `publishable` misses is one warning for each bundle; a draft may be looked at on a
    sandbox.

    Raises:
        FindingError: one of them cannot be read.
    """
    bundles: list[Bundle | DensityBundle] = []
    findings: list[Finding] = []
    for source in sources:
        bundles.append(read_any_bundle(source))
        report = validate(source, DEFAULT_LEVEL, profile=_PROFILE, limits=RunLimits())
        missed = [item for item in report.findings if item.code.startswith(_PROFILE_CODES)]
        findings += [
            item for item in report.findings if item.severity is Severity.ERROR and item not in missed
        ]
        if missed:
            codes = ", ".join(sorted({item.code for item in missed}))
            message = f"{source} is valid but lacks what the profile publishable asks for: {codes}"
            hint = f"llb validate {source} --profile {_PROFILE} says what and where."
            findings.append(finding("LLB-H010", message, pointer=str(source), hint=hint))
    return bundles, tuple(findings)


@contextmanager
def built_beside(target: Path) -> Generator[Path]:
    """An empty folder beside the target, which becomes the target unless the block raises or removes it.

    Raises:
        FindingError: `LLB-X002`, there is something at the target; `LLB-X003`, it cannot be written there.
    """
    if target.exists() or target.is_symlink():
        raise FindingError(finding("LLB-X002", f"{target} exists already", pointer=str(target)))
    check_folder(target)
    try:
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            new = staging / "new"
            new.mkdir()
            yield new
            if new.exists():
                new.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(target))) from error


def outcome(target: Path, new: Path, findings: Sequence[Finding]) -> Publication:
    """The publication that a finished folder will be, or none where a finding is an error: it is removed."""
    ordered = tuple(findings)
    if has_errors(ordered):
        shutil.rmtree(new)
        return Publication(None, (), ordered)
    files = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    return Publication(target, tuple(files), ordered)
