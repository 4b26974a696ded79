"""Opening a bundle with every check that there is, and the reason if it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llb.bundle import Bundle, read_any_bundle
from llb.runtime import ProfileLikelihood, load
from llb.validation import validate
from llb_schema import Severity, finding

__all__ = ["Refusal", "open_bundle"]

_LEVEL = 5
_STAGES = ("archive", "manifest", "integrity", "graph", "numbers", "claims")


@dataclass(frozen=True)
class Refusal:
    """Why a bundle is refused: stage of the protocol, code of the first finding, its place and sentence."""

    stage: str
    code: str
    pointer: str
    message: str


def open_bundle(path: str) -> ProfileLikelihood | Refusal:
    """The bundle, ready to be evaluated, if it passes validation to level 5.

    The graph runs in this process: whoever gives the loader strangers' bundles gives it limits as well.

    Raises:
        FindingError: the file system refuses what validation could read a moment ago.
    """
    report = validate(Path(path), _LEVEL, limits=None)
    errors = [item for item in report.findings if item.severity is Severity.ERROR]
    if errors:
        first = errors[0]
        return Refusal(_STAGES[report.level], first.code, first.pointer, first.message)
    bundle = read_any_bundle(path)
    if not isinstance(bundle, Bundle):
        # The library has densities; this program answers nothing about them (FAMILY-2, CONFORM-6).
        said = finding("LLB-S018", pointer="/family", actual=bundle.manifest.family)
        return Refusal("manifest", said.code, said.pointer, said.message)
    return load(bundle)
