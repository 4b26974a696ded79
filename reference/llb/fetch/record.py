"""What a record offers: its resources, and which of them is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llb_schema import Finding, FindingError, finding

__all__ = ["Record", "Resource", "Wanted", "choose"]

Wanted = Literal["bundle", "workspace"]

_ARCHIVES = (".zip", ".tar.gz", ".tgz")
_BUNDLES = tuple(f".llb{suffix}" for suffix in _ARCHIVES)
_KINDS = ("llb", "learnedlikelihoodbundle")
_SAYS_BUNDLE = re.compile(r"\bllb\b|learned likelihood bundle", re.IGNORECASE)
_SAYS_WORKSPACE = re.compile(r"histfactory|pyhf|likelihood|workspace|bkg_?only", re.IGNORECASE)


@dataclass(frozen=True)
class Resource:
    """A file that a service offers.

    Attributes:
        number: its place in the record, from 1.
        name: name of the file.
        url: where it is.
        kind: what the service calls it, such as `HistFactory`, or "".
        description: what its authors say of it, or "".
        bytes: its size, where the service tells.
        md5: its digest, where the service tells, or "".
    """

    number: int
    name: str
    url: str
    kind: str = ""
    description: str = ""
    bytes: int | None = None
    md5: str = ""


@dataclass(frozen=True)
class Record:
    """What there is to choose from.

    Attributes:
        title: of the record; "" of a file.
        url: where people read about it.
        resources: in the service's order.
        keywords: what its authors say of the whole.
        is_file: whether a file was named, not a record: then nothing is left to choose.
    """

    title: str
    url: str
    resources: tuple[Resource, ...]
    keywords: str = ""
    is_file: bool = False

    def likeness(self, item: Resource, wanted: Wanted) -> int:
        """How much a resource looks like what is wanted: 2 says that it is, 1 may be, 0 is not."""
        name, text = item.name.lower(), f"{item.name} {item.description}"
        archive, model = name.endswith(_ARCHIVES), _SAYS_WORKSPACE.search(text)
        bundle = 2 if name.endswith(_BUNDLES) or item.kind.lower() in _KINDS else 0
        if archive and not bundle:
            # Zenodo has words about the whole record only.
            bundle = int(bool(_SAYS_BUNDLE.search(text if model else f"{text} {self.keywords}")))
        if wanted == "bundle":
            return bundle
        if bundle:
            return 0
        return 2 if item.kind == "HistFactory" else int(bool(model) and (archive or name.endswith(".json")))


def choose(record: Record, wanted: Wanted, asked: str | None = None) -> Resource:
    """The resource that is meant.

    Args:
        record: what there is.
        wanted: what it should be, where nobody says which one.
        asked: its name or its number.

    Raises:
        FindingError: `LLB-D015`, none looks like it; `LLB-D016`, several do; `LLB-D017`, there is none
            of that name or number.
    """
    if asked is not None:
        found = [item for item in record.resources if asked == item.name] or [
            item for item in record.resources if asked == str(item.number)
        ]
        if len(found) == 1:
            return found[0]
        code = "LLB-D016" if found else "LLB-D017"
        message = f"{record.url} has {'several resources' if found else 'no resource'} {asked!r}"
        raise FindingError(_listing(code, message, record.resources))
    if record.is_file:
        return record.resources[0]
    likeness = {item: record.likeness(item, wanted) for item in record.resources}
    best = max(likeness.values(), default=0)
    found = [item for item in record.resources if best and likeness[item] == best]
    what = "a bundle" if wanted == "bundle" else "a statistical model"
    if not found:
        message = f"none of the {len(record.resources)} resources of {record.url} looks like {what}"
        hint = ""
        if wanted == "bundle" and any(record.likeness(item, "workspace") for item in record.resources):
            hint = "It has statistical models: --workspace fetches one. --resource takes any resource."
        raise FindingError(_listing("LLB-D015", message, record.resources, hint))
    if len(found) > 1:
        message = f"{len(found)} resources of {record.url} look like {what}"
        raise FindingError(_listing("LLB-D016", message, found))
    return found[0]


def _listing(code: str, message: str, resources: Sequence[Resource], hint: str = "") -> Finding:
    shown = ", ".join(f"{item.number} {item.name}" for item in resources[:10])
    more = f" and {len(resources) - 10} more" if len(resources) > 10 else ""
    return finding(code, message, actual=f"{shown}{more}", hint=hint)
