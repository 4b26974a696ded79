"""Opening a bundle with every check that there is, and the reason if it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llb.bundle import Bundle, read_any_bundle
from llb.runtime import Density, ProfileLikelihood, load, load_density
from llb.validation import validate
from llb_schema import Severity

__all__ = ["Opened", "Refusal", "open_bundle"]

_LEVEL = 5
_STAGES = ("archive", "manifest", "integrity", "graph", "numbers", "claims")


@dataclass(frozen=True)
class Refusal:
    """Why a bundle is refused: stage of the protocol, code of the first finding, its place and sentence."""

    stage: str
    code: str
    pointer: str
    message: str


Opened = ProfileLikelihood | Density | Refusal
"""What comes of opening a bundle: a function of one family or the other, or a refusal."""


def open_bundle(path: str) -> Opened:
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
    return load(bundle) if isinstance(bundle, Bundle) else load_density(bundle)
