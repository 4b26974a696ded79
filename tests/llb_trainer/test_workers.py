"""What worker processes find in their environment."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from llb_trainer.workers import one_thread_each

PROGRAM = """
import os, sys
from pathlib import Path
from llb_trainer.workers import shared_compilation

with shared_compilation():
    folder = Path(os.environ["JAX_COMPILATION_CACHE_DIR"])
    import jax
    jax.jit(lambda x: x + 1)(1.0)
    kept = any(folder.iterdir())
print(kept, folder.exists(), "JAX_COMPILATION_CACHE_DIR" in os.environ)
jax.jit(lambda x: x + 2)(1.0)
with shared_compilation():
    print("JAX_COMPILATION_CACHE_DIR" in os.environ)
"""


def python(program: str, **environment: str) -> str:
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_", "NPROC"))
    }
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, env={**settings, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_thread_each_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--mine")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with one_thread_each():
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert os.environ["NPROC"] == "1"
    assert os.environ["XLA_FLAGS"] == "--mine"
    assert "OMP_NUM_THREADS" not in os.environ


def test_what_is_compiled_is_shared_while_the_block_lasts() -> None:
    assert python(PROGRAM).split() == ["True", "False", "False", "False"]


def test_the_folder_of_the_user_is_respected() -> None:
    program = "import os, llb_trainer.workers as w\nwith w.shared_compilation(): print(dict(os.environ))"
    assert "'JAX_COMPILATION_CACHE_DIR': '/mine'" in python(program, JAX_COMPILATION_CACHE_DIR="/mine")


def test_a_strangers_worker_gets_one_thread_unless_told_otherwise() -> None:
    program = (
        "import os; from llb_trainer.workers import use_one_thread as u; u(); print(os.environ['NPROC'])"
    )
    assert python(program).strip() == "1"
    assert python(program, NPROC="3").strip() == "3"


def test_one_thread_is_what_jax_computes_with() -> None:
    program = """
import time
from llb_trainer.workers import use_one_thread
use_one_thread()
import jax, jax.numpy as jnp
work = jax.jit(lambda x: jnp.linalg.cholesky(jnp.einsum("nij,nkj->nik", x, x) + jnp.eye(60)))
x = jnp.ones((4096, 60, 60))
work(x).block_until_ready()
began, used = time.perf_counter(), time.process_time()
for _ in range(10):
    work(x).block_until_ready()
print((time.process_time() - used) / (time.perf_counter() - began))
"""
    assert float(python(program)) < 1.2


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are not told")
def test_freed_memory_is_kept_even_where_dask_has_it_given_back() -> None:
    program = """
import resource
import numpy as np
from llb_trainer.workers import keep_memory

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        np.ones(100_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

pages()
given_back = pages()
keep_memory()
pages()
print(given_back, pages())
"""
    given_back, kept = map(int, python(program, MALLOC_TRIM_THRESHOLD_="65536").split())
    assert given_back > 50 * 100  # a page has 4 kB, or 8 bytes times 512
    assert kept < 50
