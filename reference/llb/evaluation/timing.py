"""How fast a bundle answers, beside what this machine could do: its plain matrix products, on one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import number_from_json, number_to_json

if TYPE_CHECKING:
    from llb.runtime import ProfileLikelihood

__all__ = ["Layer", "Timing", "gemm_seconds", "serving_time"]

Floats = NDArray[np.float64]

Layer = tuple[int, int, int]
"""Members of the ensemble that share the layer's shape, its inputs, its outputs."""

_REPEATS = 7
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# How many threads a BLAS has is settled when it is loaded: a process of its own.
_GEMM = """
import json, sys, time
import numpy as np

layers, rows, dtype, repeats = json.loads(sys.argv[1])
rng = np.random.default_rng(1)
pairs = [
    (rng.standard_normal((members, rows, n_in)).astype(dtype),
     rng.standard_normal((members, n_in, n_out)).astype(dtype))
    for members, n_in, n_out in layers
]
results = [np.matmul(left, right) for left, right in pairs]
best = float("inf")
for _ in range(repeats):
    began = time.perf_counter()
    for (left, right), result in zip(pairs, results):
        np.matmul(left, right, out=result)
    best = min(best, time.perf_counter() - began)
print(best)
"""


@dataclass(frozen=True)
class Timing:
    """Times of one bundle on one machine, one thread.

    Attributes:
        rows: points a batch.
        batch: microseconds a point in batches.
        single: microseconds for one point alone.
        gemm: microseconds a point of the layers' matrix products alone, by numpy, same batch and precision.
    """

    rows: int
    batch: float
    single: float
    gemm: float

    @property
    def ratio(self) -> float:
        """How many times as long the bundle takes as its matrix products alone."""
        return self.batch / self.gemm

    def to_json(self) -> dict[str, Any]:
        """For a JSON file; what is no number is null."""
        return {name: number_to_json(value) for name, value in vars(self).items()} | {"rows": self.rows}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Timing:
        """What `to_json` gave.

        Raises:
            KeyError: something is missing.
        """
        return cls(int(raw["rows"]), *(number_from_json(raw[name]) for name in ("batch", "single", "gemm")))


def serving_time(
    model: ProfileLikelihood, layers: Sequence[Layer], *, rows: int = 4096, repeats: int = _REPEATS
) -> Timing:
    """Measure a model; the fastest batch counts, and the median of single points.

    Args:
        model: the bundle; its session has one thread.
        layers: shapes of its network.
        rows: points a batch.
        repeats: batches; a hundred times as many single points.

    Raises:
        RuntimeError: the other process did not measure.
    """
    domain = model.bundle.manifest.domain
    share = np.random.default_rng(1).uniform(size=(rows, len(model.bin_ids)))
    lower, upper = np.asarray(domain.lower), np.asarray(domain.upper)
    points = lower + 0.5 * share * (upper - lower)
    batch = min(_seconds(lambda: model.columns(points), repeats))
    single = median(_seconds(lambda: model.columns(points[:1]), 100 * repeats))
    gemm = gemm_seconds(layers, rows, model.dtype, repeats=repeats)
    return Timing(rows, 1e6 * batch / rows, 1e6 * single, 1e6 * gemm / rows)


def gemm_seconds(
    layers: Sequence[Layer], rows: int, dtype: np.dtype[np.floating], *, repeats: int = _REPEATS
) -> float:
    """The shortest time of numpy's matrix products of these layers, `rows` points at once, one thread.

    Raises:
        RuntimeError: the process that measures failed.
    """
    asked = json.dumps([[list(layer) for layer in layers], rows, np.dtype(dtype).name, repeats])
    command = [sys.executable, "-c", _GEMM, asked]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **_ONE_THREAD}
    )
    if done.returncode:
        raise RuntimeError(f"the matrix products were not measured: {done.stderr.strip()[-200:]}")
    return float(done.stdout)


def _seconds(call: Callable[[], object], repeats: int) -> list[float]:
    """How long each call took, the first one left out."""
    call()
    times: list[float] = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return times
