"""Worker processes get one thread each: as many workers as cores share the machine fairly.

It also makes their numbers the same: with more threads the order of sums may depend on how many there are.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager

__all__ = ["keep_memory", "one_thread_each", "shared_compilation", "use_one_thread"]

# XLA sizes its thread pools by NPROC where it is set
_XLA = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "NPROC": "1"}
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    **_XLA,
}


@contextmanager
def one_thread_each() -> Generator[None]:
    """Processes spawned inside inherit the variables that numerical libraries read when they are loaded."""
    with _environment(_ONE_THREAD):
        yield


@contextmanager
def shared_compilation() -> Generator[None]:
    """What this process compiles with JAX, loaded inside, its worker processes need not compile again.

    JAX keeps what it has compiled in a folder that lives as long as the block, or where the user told it to.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or "jax" in sys.modules:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="llb-", ignore_cleanup_errors=True) as folder:
        settings = {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        try:
            with _environment(settings):
                yield
        finally:
            _forget_folder()


def _forget_folder() -> None:
    if "jax" in sys.modules:
        import jax
        from jax.experimental.compilation_cache import compilation_cache

        jax.config.update("jax_compilation_cache_dir", None)
        compilation_cache.reset_cache()


@contextmanager
def _environment(settings: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def use_one_thread() -> None:
    """Give this process one thread for its numerical work, as far as the libraries are not loaded yet.

    For workers that somebody else has started. What the user has set stays.
    """
    if "jax" not in sys.modules:
        for name, value in _XLA.items():
            os.environ.setdefault(name, value)


# names and numbers of glibc's mallopt(3); it takes no larger threshold for mappings
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 256 << 20), (-3, 32 << 20)


def keep_memory() -> None:
    """Let this process keep memory that it has freed for what it allocates next, where the library is glibc.

    Every call of a compiled function allocates its results. Dask makes its workers give freed memory back to
    the system at once, and having every page mapped anew takes longer than the fits.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        for option in (_TRIM_THRESHOLD, _MMAP_THRESHOLD):
            libc.mallopt(*option)
