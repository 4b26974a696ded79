"""Bundles as records of archives: submissions for HEPData, depositions for Zenodo. Nothing uploads.

The public names load on first use: what HEPData needs comes with the extra `hepdata`, Zenodo does without.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb.publish.archive import ResourceArchive, resource_archive
    from llb.publish.hepdata import publish_hepdata
    from llb.publish.publication import Publication
    from llb.publish.traps import check_submission
    from llb.publish.wording import Wording
    from llb.publish.zenodo import publish_zenodo

__all__ = [
    "Publication",
    "ResourceArchive",
    "Wording",
    "check_submission",
    "publish_hepdata",
    "publish_zenodo",
    "resource_archive",
]

# No module here may have the name of something public: importing it would put it in that name's place.
_HOMES = {
    **dict.fromkeys(("ResourceArchive", "resource_archive"), "archive"),
    "Publication": "publication",
    "Wording": "wording",
    "check_submission": "traps",
    "publish_hepdata": "hepdata",
    "publish_zenodo": "zenodo",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb.publish' has no attribute {name!r}")
    return getattr(import_module(f"llb.publish.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
