"""What the quickstart makes: a bundle in minutes on a laptop, named after its input."""

from __future__ import annotations

import json
import re
from pathlib import Path

from llb.bundle import Analysis, Author, Reference
from llb_trainer.export.emit import Identity
from llb_trainer.plan import Plan
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.histfactory import Workspace
from llb_trainer.teachers.simplified import SimplifiedLikelihood
from llb_trainer.training import Recipe

__all__ = ["quickstart_identity", "quickstart_plan", "simplified_identity"]

_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}")


def quickstart_plan(seed: int) -> Plan:
    """Enough labels and steps for limits good to a fraction of a percent on a small search."""
    return Plan(signals=3_072, sampling=Sampling(seed=seed), recipe=Recipe(steps=4_000, seed=seed))


def quickstart_identity(workspace: Workspace, patchset: Path | None, embedded: bool) -> Identity:
    """An identity for a bundle that nobody has published yet.

    Args:
        workspace: what it is learned from.
        patchset: its metadata name the analysis, where they do.
        embedded: whether this is the invented search that comes with llb.
    """
    if embedded:
        analysis = Analysis("LLB-QUICKSTART", "invented", 13.0, 139.0)
        return _identity("llb-quickstart", "The invented search of the LLB quickstart", analysis, ())
    metadata = _metadata(patchset)
    name = metadata.get("analysis_id")
    name = name if isinstance(name, str) and 0 < len(name) <= 200 else Path(workspace.name).stem
    title = f"Profile likelihood of {name}, {workspace.measurement}"
    return _identity(name, title[:200], Analysis(name), _references(metadata))


def simplified_identity(likelihood: SimplifiedLikelihood) -> Identity:
    """The same for a bundle of a simplified likelihood."""
    name = likelihood.id[:200] or Path(likelihood.name).stem
    found = _ARXIV.search(likelihood.arxiv)
    references = (Reference("arxiv", found[0]),) if found else ()
    title = f"Profile likelihood of {name}, simplified"
    return _identity(name, title[:200], Analysis(name), references)


def _identity(name: str, title: str, analysis: Analysis, references: tuple[Reference, ...]) -> Identity:
    slug = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100]
    author = (Author(name="llb quickstart"),)
    return Identity(
        id=slug or "bundle", title=title, authors=author, analysis=analysis, references=references
    )


def _metadata(patchset: Path | None) -> dict[str, object]:
    document = None if patchset is None else json.loads(patchset.read_bytes())
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _references(metadata: dict[str, object]) -> tuple[Reference, ...]:
    references = metadata.get("references")
    record = references.get("hepdata") if isinstance(references, dict) else None
    return (Reference("hepdata", record),) if isinstance(record, str) and record else ()
