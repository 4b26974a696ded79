"""Statistical models among published files: background-only workspaces, and patchsets of their signals."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from llb.bundle import Container, parse_json
from llb_schema import Finding, FindingError, finding

__all__ = ["PublishedModel", "PublishedModels", "choose_model", "find_models"]

_WORKSPACE = {"channels", "observations", "measurements"}
_BACKGROUND = ("bkg", "background")


@dataclass(frozen=True)
class PublishedModel:
    """A workspace among published files.

    Attributes:
        region: what it is called: the folder that it lies in, or its file, without what all have in common.
        workspace: path of the workspace.
        patchset: path of its signals, or None.
    """

    region: str
    workspace: str
    patchset: str | None


@dataclass(frozen=True)
class PublishedModels:
    """What there is to choose from.

    Attributes:
        models: sorted by region.
        unclaimed: paths of patchsets that belong to no workspace here.
    """

    models: tuple[PublishedModel, ...]
    unclaimed: tuple[str, ...]


@dataclass(frozen=True)
class _Document:
    name: str
    content: Mapping[str, Any]

    @property
    def path(self) -> PurePosixPath:
        return PurePosixPath(self.name)

    @property
    def quoted(self) -> str:
        """The digest of its workspace that a patchset quotes, or ""."""
        digest: Any = self.content
        for key in ("metadata", "digests", "sha256"):
            digest = digest.get(key) if isinstance(digest, dict) else None
        return digest if isinstance(digest, str) else ""

    @property
    def digest(self) -> str:
        """pyhf's digest of a workspace."""
        text = json.dumps(self.content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def says_background(self) -> bool:
        return any(word in self.path.name.lower() for word in _BACKGROUND)


def find_models(container: Container) -> PublishedModels:
    """All models in a container.

    A patchset belongs to the workspace whose digest it quotes; one that quotes none, to the only workspace of
    its folder. Where a workspace of a folder is known as background-only, by its patchset or by its name, the
    others there hold signals already and are left out.

    Raises:
        FindingError: `LLB-D019`, there is none, with `LLB-P...` of the files that are not strict JSON.
    """
    documents, unread = _documents(container)
    workspaces = [item for item in documents if item.content.keys() >= _WORKSPACE]
    patchsets = [item for item in documents if isinstance(item.content.get("patches"), list)]
    if not workspaces:
        names = sorted(container.sizes)
        more = f" and {len(names) - 10} more files" if len(names) > 10 else ""
        actual = f"{', '.join(names[:10])}{more}"
        message = f"no pyhf workspace is in {container.location.name}"
        raise FindingError([finding("LLB-D019", message, actual=actual), *unread])
    signals = _belonging(workspaces, patchsets)
    chosen = [item for item in workspaces if _is_background(item, workspaces, signals)]
    regions = _regions([item.path for item in chosen])
    models = (
        PublishedModel(region, item.name, signals.get(item.name))
        for item, region in zip(chosen, regions, strict=True)
    )
    return PublishedModels(
        tuple(sorted(models, key=lambda model: model.region)),
        tuple(item.name for item in patchsets if item.name not in signals.values()),
    )


def choose_model(models: Sequence[PublishedModel], region: str | None = None) -> PublishedModel:
    """The model of a region, which may be left out where there is one only.

    Raises:
        FindingError: `LLB-D020`, several are there; `LLB-D021`, none is of that region.
    """
    listed = ", ".join(model.region for model in models)
    if region is None:
        if len(models) > 1:
            raise FindingError(finding("LLB-D020", f"{len(models)} models could be meant", actual=listed))
        return models[0]
    found = [model for model in models if model.region.lower() == region.lower()]
    if len(found) != 1:
        raise FindingError(finding("LLB-D021", f"there is no region {region!r}", expected=f"one of {listed}"))
    return found[0]


def _documents(container: Container) -> tuple[list[_Document], list[Finding]]:
    found: list[_Document] = []
    unread: list[Finding] = []
    for name in sorted(container.sizes):
        path = PurePosixPath(name)
        # Files that begin with a dot are what a desktop has left there.
        if path.suffix.lower() != ".json" or path.name.startswith("."):
            continue
        try:
            content = parse_json(container.read(name), name)
        except FindingError as error:
            unread.extend(error.findings)
            continue
        if isinstance(content, dict):
            found.append(_Document(name, content))
    return found, unread


def _belonging(workspaces: Sequence[_Document], patchsets: Iterable[_Document]) -> dict[str, str]:
    """Patchsets by their workspaces."""
    digests = {item.digest: item.name for item in workspaces}
    crowd = Counter(item.path.parent for item in workspaces)
    alone = {item.path.parent: item.name for item in workspaces if crowd[item.path.parent] == 1}
    found: dict[str, str] = {}
    for item in patchsets:
        own = digests.get(item.quoted) if item.quoted else alone.get(item.path.parent)
        if own is not None:
            found.setdefault(own, item.name)
    return found


def _is_background(item: _Document, workspaces: Sequence[_Document], signals: Mapping[str, str]) -> bool:
    beside = [other for other in workspaces if other.path.parent == item.path.parent]
    for known in (
        [other for other in beside if other.name in signals],
        [other for other in beside if other.says_background],
    ):
        if known:
            return item in known
    return True


def _regions(paths: Sequence[PurePosixPath]) -> list[str]:
    """A name for each: of its folder, or of the file where folders do not tell them apart."""
    parents = [path.parent for path in paths]
    if len(set(parents)) == len(paths):
        parts = [parent.parts for parent in parents]
    else:
        parts = [path.with_suffix("").parts for path in paths]
    shared = 0
    while len({item[: shared + 1] for item in parts}) == 1 and shared < len(parts[0]) - 1:
        shared += 1
    names = ["/".join(item[shared:]) for item in parts]
    return [name or path.stem for name, path in zip(names, paths, strict=True)]
