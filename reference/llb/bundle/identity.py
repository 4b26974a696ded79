"""Who made a bundle, for which analysis and from which teacher: the descriptive half of the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Analysis", "Author", "Reference", "Software", "Teacher", "TeacherChannel", "TeacherFile"]


@dataclass(frozen=True)
class Author:
    """A person or collaboration; `orcid` and `affiliation` are None where not given."""

    name: str
    orcid: str | None = None
    affiliation: str | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Author:
        """The author in a schema-valid JSON object."""
        return cls(raw["name"], raw.get("orcid"), raw.get("affiliation"))


@dataclass(frozen=True)
class Reference:
    """A pointer into the literature; `kind` is doi, arxiv, inspire, hepdata or url."""

    kind: str
    value: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Reference:
        """The reference in a schema-valid JSON object."""
        return cls(raw["kind"], raw["value"])


@dataclass(frozen=True)
class Software:
    """A program and the version that was used."""

    name: str
    version: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Software:
        """The program in a schema-valid JSON object."""
        return cls(raw["name"], raw["version"])


@dataclass(frozen=True)
class Analysis:
    """The measurement behind the likelihood; what a draft does not say is None.

    Attributes:
        name: name that the experiment gave it.
        experiment: experiment or collaboration.
        sqrt_s: centre-of-mass energy in TeV.
        luminosity: integrated luminosity in fb^-1.
    """

    name: str
    experiment: str | None = None
    sqrt_s: float | None = None
    luminosity: float | None = None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Analysis:
        """The analysis in a schema-valid JSON object."""
        return cls(raw["name"], raw.get("experiment"), raw.get("sqrt_s"), raw.get("luminosity"))

    def to_json(self) -> dict[str, str | float]:
        """The JSON object, without what is not said."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        """In a line, e.g. `ATLAS-SUSY-2018-04 (ATLAS, 13 TeV, 139 fb^-1)`."""
        said = (
            self.experiment,
            None if self.sqrt_s is None else f"{self.sqrt_s:g} TeV",
            None if self.luminosity is None else f"{self.luminosity:g} fb^-1",
        )
        details = ", ".join(item for item in said if item is not None)
        return f"{self.name} ({details})" if details else self.name


@dataclass(frozen=True)
class TeacherFile:
    """A file of the full statistical model, by its digest; it is not part of the bundle."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TeacherFile:
        """The file in a schema-valid JSON object."""
        return cls(raw["name"], int(raw["bytes"]), raw["sha256"])


@dataclass(frozen=True)
class TeacherChannel:
    """A channel of the workspace; `samples` in the workspace's own order, which JSON patches count by.

    A region of a simplified likelihood is a channel of one bin without samples.
    """

    name: str
    bins: int
    samples: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TeacherChannel:
        """The channel in a schema-valid JSON object."""
        return cls(raw["name"], int(raw["bins"]), tuple(raw["samples"]))


@dataclass(frozen=True)
class Teacher:
    """The full statistical model that labelled the training points.

    Attributes:
        kind: `histfactory`, `simplified_likelihood` or, of densities only, `other`.
        files: the model's files by digest.
        channels: all channels, in the order of the workspace document, or the regions; none of `other`.
        software: programs that evaluated it.
        pyhf_digest: pyhf's own digest of the workspace, which patchsets quote; "" if it is none.
        measurement: name of the measurement used; "" without a workspace.
        poi: parameter of interest; "" without a workspace.
        interpolation: interpolation code by modifier type; empty without a workspace.
        third_moments: whether third moments bend the rates of a simplified likelihood.
        text: what `other` is; "" of the other kinds.
    """

    kind: str
    files: tuple[TeacherFile, ...]
    channels: tuple[TeacherChannel, ...]
    software: tuple[Software, ...]
    pyhf_digest: str = ""
    measurement: str = ""
    poi: str = ""
    interpolation: Mapping[str, str] = field(default_factory=dict[str, str])
    third_moments: bool = False
    text: str = ""

    @property
    def is_workspace(self) -> bool:
        """Whether it is a HistFactory workspace, to which patchsets may belong."""
        return self.kind == "histfactory"

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Teacher:
        """The teacher in a schema-valid JSON object."""
        return cls(
            kind=raw["kind"],
            files=tuple(TeacherFile.from_json(item) for item in raw["files"]),
            channels=tuple(TeacherChannel.from_json(item) for item in raw.get("channels", ())),
            software=tuple(Software.from_json(item) for item in raw["software"]),
            pyhf_digest=raw.get("pyhf_digest", ""),
            measurement=raw.get("measurement", ""),
            poi=raw.get("poi", ""),
            interpolation=dict(raw.get("interpolation", {})),
            third_moments=raw.get("third_moments", False),
            text=raw.get("text", ""),
        )
