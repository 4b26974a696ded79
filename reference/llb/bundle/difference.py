"""What differs between two bundles: values of the manifest by JSON pointer, files by digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from llb.bundle.content import content_id, file_digests
from llb.bundle.head import FileEntry
from llb.bundle.reader import AnyBundle

__all__ = ["BundleDifference", "FileChange", "ValueChange", "compare_bundles"]

Kind = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class ValueChange:
    """A value of the manifest that differs.

    Attributes:
        pointer: JSON pointer; entries of lists are compared by position.
        kind: whether the second manifest has it alone (`added`), the first alone (`removed`), or another.
        first, second: the JSON values; None where there is none.
    """

    pointer: str
    kind: Kind
    first: Any = None
    second: Any = None

    def to_json(self) -> dict[str, Any]:
        """The change as a JSON object; a value that is not there is left out."""
        return _change({"pointer": self.pointer}, self.kind, self.first, self.second)


@dataclass(frozen=True)
class FileChange:
    """A file, other than the manifest, that differs in bytes, role or media type.

    Attributes:
        path: its path.
        kind: as in `ValueChange`.
        first, second: entries of the closed lists, None where the file is not there.
    """

    path: str
    kind: Kind
    first: FileEntry | None
    second: FileEntry | None

    def to_json(self) -> dict[str, Any]:
        """The change as a JSON object; an entry that is not there is left out."""
        first, second = (entry and asdict(entry) for entry in (self.first, self.second))
        return _change({"path": self.path}, self.kind, first, second)


@dataclass(frozen=True)
class BundleDifference:
    """What differs between two bundles.

    Attributes:
        content_ids: of both bundles.
        values: changes of the manifest but of its list of files, in the order of the manifests.
        files: changes of files, by path.
    """

    content_ids: tuple[str, str]
    values: tuple[ValueChange, ...]
    files: tuple[FileChange, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same files, byte by byte, whatever their forms.

        If not, `values` and `files` are still empty where one manifest is the other written differently.
        """
        return self.content_ids[0] == self.content_ids[1]


def compare_bundles(first: AnyBundle, second: AnyBundle) -> BundleDifference:
    """What differs from the first bundle to the second; reads all files of both.

    Raises:
        FindingError: `LLB-I...`, a file is not what its manifest says; `LLB-X003`, it cannot be read.
    """
    for bundle in (first, second):
        for entry in bundle.manifest.files:
            bundle.read(entry.path)
    ids = (content_id(file_digests(first.container)), content_id(file_digests(second.container)))
    one, two = ({key: bundle.raw[key] for key in bundle.raw if key != "files"} for bundle in (first, second))
    return BundleDifference(ids, tuple(_values("", one, two)), tuple(_files(first, second)))


def _values(pointer: str, first: Any, second: Any) -> Iterator[ValueChange]:
    if isinstance(first, dict) and isinstance(second, dict):
        yield from _members(pointer, first, second)
    elif isinstance(first, list) and isinstance(second, list):
        yield from _members(pointer, dict(enumerate(first)), dict(enumerate(second)))
    # In Python, not in JSON, true equals 1.
    elif first != second or isinstance(first, bool) != isinstance(second, bool):
        yield ValueChange(pointer, "changed", first, second)


def _members(pointer: str, first: Mapping[Any, Any], second: Mapping[Any, Any]) -> Iterator[ValueChange]:
    for key in {**first, **second}:
        place = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if key not in second:
            yield ValueChange(place, "removed", first=first[key])
        elif key not in first:
            yield ValueChange(place, "added", second=second[key])
        else:
            yield from _values(place, first[key], second[key])


def _files(first: AnyBundle, second: AnyBundle) -> Iterator[FileChange]:
    one, two = ({entry.path: entry for entry in bundle.manifest.files} for bundle in (first, second))
    for path in sorted({**one, **two}):
        if one.get(path) != two.get(path):
            kind = "removed" if path not in two else "added" if path not in one else "changed"
            yield FileChange(path, kind, one.get(path), two.get(path))


def _change(place: dict[str, Any], kind: Kind, first: Any, second: Any) -> dict[str, Any]:
    change = {**place, "kind": kind}
    if kind != "added":
        change["first"] = first
    if kind != "removed":
        change["second"] = second
    return change
