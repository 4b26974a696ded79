"""What a person may say about a submission that no bundle knows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Wording"]


@dataclass(frozen=True)
class Wording:
    """Words of a submission.

    Attributes:
        name: in the names of files and tables, in place of the bundle's id; of one bundle only.
        description: of the bundle on the record, in place of its title; of one bundle only.
        comment: abstract of the record; the bundles' titles if None.
        reactions: in HEPData's notation, e.g. `P P --> STAU STAU`.
        phrases: further keywords.
        points: rows of a table of validation points, at most.
    """

    name: str | None = None
    description: str | None = None
    comment: str | None = None
    reactions: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    points: int = 200
