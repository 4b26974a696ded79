"""What tests need from outside: uv, node, a compiler, package indices. They may be missing, but not in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

__all__ = ["compiled", "fetching", "node", "run_outside", "unavailable", "uv"]


def uv() -> str:
    """The uv of the environment that runs the tests (it is in the dev group), or one on the path."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        unavailable("uv is not installed")
    return str(found)


def node(project: Path) -> str:
    """The node on the path, for a project whose packages are installed."""
    found = shutil.which("node")
    if found is None:
        unavailable("node is not installed")
    if not (project / "node_modules").is_dir():
        unavailable(f"the packages are missing: npm ci --prefix {project.relative_to(project.parents[1])}")
    return str(found)


def compiled(project: Path, build: Path, program: str = "llb-loader") -> Path:
    """A program of a project with a CMakeLists.txt, built in a folder."""
    cmake = shutil.which("cmake")
    if cmake is None or shutil.which("c++") is None:
        unavailable("cmake or a C++ compiler is not installed")
    configured = run_outside(str(cmake), "-S", str(project), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release")
    if configured.returncode:
        unavailable(f"the packages of {project.name} are missing: {configured.stderr[-500:]}")
    built = run_outside(str(cmake), "--build", str(build), "--parallel", "2", timeout=900.0)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return build / program


def run_outside(
    *command: str, cwd: Path | None = None, timeout: float = 300.0
) -> subprocess.CompletedProcess[str]:
    """Runs a command without the variables that would point Python or uv to the tests' environment."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=environment, check=False, timeout=timeout
    )


def fetching(*command: str) -> None:
    """Runs a command that may need the package index; without one the test is skipped, in CI it fails."""
    what = " ".join(Path(part).name for part in command[:3])
    try:
        done = run_outside(*command)
    except subprocess.TimeoutExpired:
        unavailable(f"{what} takes too long")
        return
    if done.returncode:
        unavailable(f"{what} failed, no package index? {done.stderr[-2000:]}")


def unavailable(reason: str) -> None:
    """Ends a test that lacks something: it is skipped, in CI it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; CI may not skip this")
    pytest.skip(reason)
