"""A case of the negative corpus: a bundle with one fault, and the finding in which it has to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llb_schema import catalogue

__all__ = ["STAGES", "Archive", "Build", "Case", "Folder", "case", "write_bundle", "write_case"]

STAGES = ("archive", "manifest", "integrity", "graph", "numerics", "claims")
"""What validates a bundle, in this order: levels 0 to 5 of the specification, section 9."""


@dataclass(frozen=True)
class Folder:
    """A bundle as a directory: contents by path, and targets of symbolic links by path."""

    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Archive:
    """A bundle as one file; `suffix` is `.zip`, `.tar.gz`, or what somebody took for a bundle."""

    data: bytes
    suffix: str


Build = Callable[[], Folder | Archive]


@dataclass(frozen=True)
class Case:
    """A bundle with one fault.

    Attributes:
        id: name of the fault, stable and never given to another one.
        requirement: clause of the specification that it breaks.
        stage: the one of `STAGES` that has to refuse it; all before accept it.
        code: catalogue code of the finding, of severity error.
        pointer: JSON pointer or path of the culprit, "" for the bundle as a whole.
        build: makes the bundle, the same bytes every time.
        note: why further findings of severity error follow on this one; "" if it has to be the only one.
    """

    id: str
    requirement: str
    stage: str
    code: str
    pointer: str
    build: Build
    note: str = ""

    @property
    def level(self) -> int:
        """The validation level of the stage."""
        return STAGES.index(self.stage)


def case(
    name: str,
    stage: str,
    code: str,
    pointer: str,
    build: Build,
    *,
    requirement: str = "",
    note: str = "",
) -> Case:
    """A case; it breaks the catalogue's requirement for its code, unless another one is named."""
    return Case(name, requirement or catalogue()[code].requirement, stage, code, pointer, build, note)


def write_case(item: Case, directory: Path) -> Path:
    """Writes the bundle of a case into a directory, under the name of the case, and returns its path.

    Raises:
        FileExistsError: it was written there before.
        OSError: the file system refuses (Windows wants a privilege for symbolic links).
    """
    return write_bundle(item.build(), directory / item.id)


def write_bundle(made: Folder | Archive, target: Path) -> Path:
    """Writes a bundle as `target.llb`, or `target.llb.zip` and the like, and returns its path.

    Raises:
        FileExistsError: there is one.
        OSError: the file system refuses (Windows wants a privilege for symbolic links).
    """
    if isinstance(made, Archive):
        path = target.with_name(f"{target.name}.llb{made.suffix}")
        with path.open("xb") as stream:
            stream.write(made.data)
        return path
    path = target.with_name(f"{target.name}.llb")
    path.mkdir()
    for name, data in made.files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    for name, link in made.links.items():
        (path / name).symlink_to(link)
    return path
