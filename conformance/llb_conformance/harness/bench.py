"""Where a run happens: bundles under names that say nothing, and an empty folder for every loader."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from llb_conformance.corpus.case import write_bundle
from llb_conformance.suite import Bundle, Case

__all__ = ["Bench"]


class Bench:
    """A temporary folder with the bundles of cases. What is expected of them is nowhere on the disk.

    Args:
        cases: whose bundles will be needed.
        seed: of the names of the bundles.
        wrote: is called with 1 after each bundle.
    """

    def __init__(
        self, cases: Iterable[Case], seed: int, wrote: Callable[[int], object] = lambda _: None
    ) -> None:
        self._bundles = {bundle.name: bundle for case in cases for bundle in case.bundles}
        self._wrote = wrote
        self._seed = seed
        self._folder = Path()
        self._paths: dict[str, Path] = {}
        self._written: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Writes all bundles."""
        self._folder = Path(tempfile.mkdtemp(prefix="llb-conform-"))
        (self._folder / "bundles").mkdir()
        for name, bundle in self._bundles.items():
            self._paths[name] = self._write(bundle)
            self._written[name] = _state(self._paths[name])
            self._wrote(1)
        return self

    def __exit__(self, *_: object) -> None:
        """Removes everything."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def path(self, name: str) -> str:
        """Where the bundle of this name is."""
        return str(self._paths[name])

    def changed(self, case: Case) -> tuple[str, ...]:
        """Names of the bundles of a case that are not as they were written (SECURITY-4)."""
        return tuple(
            bundle.name
            for bundle in case.bundles
            if _state(self._paths[bundle.name]) != self._written[bundle.name]
        )

    def mend(self) -> None:
        """Writes bundles anew that are not as they were written."""
        for name, path in self._paths.items():
            if _state(path) != self._written[name]:
                shutil.rmtree(path, ignore_errors=True)
                self._paths[name] = self._write(self._bundles[name])
                self._written[name] = _state(path)

    def empty_folder(self) -> Path:
        """A new empty folder."""
        return Path(tempfile.mkdtemp(prefix="loader-", dir=self._folder))

    def _write(self, bundle: Bundle) -> Path:
        # The name of a fault would tell a loader what to say.
        digest = hashlib.sha256(f"{self._seed} {bundle.name}".encode()).hexdigest()[:12]
        return write_bundle(bundle.made(), self._folder / "bundles" / digest)


def _state(path: Path) -> str:
    """Names, sizes and times of everything in a bundle."""
    if not path.exists():
        return "not there"
    members = sorted(path.rglob("*")) if path.is_dir() else [path]
    states = [(item.relative_to(path).as_posix(), item.lstat()) for item in (path, *members)]
    return repr([(name, state.st_size, state.st_mtime_ns) for name, state in states])
