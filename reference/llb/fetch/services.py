"""Where the services are that published files come from."""

from __future__ import annotations

import os
from dataclasses import dataclass

__all__ = ["Services"]


@dataclass(frozen=True)
class Services:
    """Base URLs, without a slash at the end.

    Attributes:
        doi: the resolver of DOIs.
        hepdata: HEPData.
        zenodo: Zenodo.
    """

    doi: str = "https://doi.org"
    hepdata: str = "https://www.hepdata.net"
    zenodo: str = "https://zenodo.org"

    @classmethod
    def from_environment(cls) -> Services:
        """Mirrors or test instances, where LLB_DOI_URL, LLB_HEPDATA_URL or LLB_ZENODO_URL names one."""
        usual = cls()
        return cls(
            doi=os.environ.get("LLB_DOI_URL", usual.doi).rstrip("/"),
            hepdata=os.environ.get("LLB_HEPDATA_URL", usual.hepdata).rstrip("/"),
            zenodo=os.environ.get("LLB_ZENODO_URL", usual.zenodo).rstrip("/"),
        )
