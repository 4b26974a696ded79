"""The outcome of a validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llb.validation.profiles import Profile
from llb_schema import Finding, has_errors

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What a validation has found.

    Attributes:
        location: path of the bundle, as given.
        bundle_id: `id@version`, or None where the manifest could not be read.
        level: the level that was reached: the requested one, or the one whose errors ended the validation.
        findings: all findings, sorted by code and place.
        profile: what was asked of the bundle besides being valid.
    """

    location: Path
    bundle_id: str | None
    level: int
    findings: tuple[Finding, ...]
    profile: Profile = "draft"

    @property
    def status(self) -> Literal["ok", "invalid"]:
        """`invalid` when there is a finding of severity error."""
        return "invalid" if has_errors(self.findings) else "ok"

    def to_json(self) -> dict[str, Any]:
        """The report as the JSON object of `report.schema.json`."""
        return {
            "status": self.status,
            "level": self.level,
            "profile": self.profile,
            "findings": [item.to_json() for item in self.findings],
            "bundle": {"location": str(self.location), "id": self.bundle_id},
        }
