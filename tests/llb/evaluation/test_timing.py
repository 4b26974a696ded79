from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from llb.evaluation import Timing, serving_time
from llb.evaluation.timing import gemm_seconds
from llb.runtime import load
from llb_conformance import counting_model, write_quadratic


def test_a_bundle_is_timed(tmp_path: Path) -> None:
    model = load(write_quadratic(counting_model(), tmp_path / "counting.llb"))
    found = serving_time(model, [(1, len(model.bin_ids), 8), (1, 8, 3)], rows=256, repeats=2)
    assert found.rows == 256
    assert 0.0 < found.batch < found.single
    assert found.ratio == found.batch / found.gemm > 0.0
    assert Timing.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_more_work_takes_longer() -> None:
    """A factor of 2,000 in operations shows whatever else the machine does."""
    small = gemm_seconds([(1, 16, 16)], 512, np.dtype(np.float64), repeats=5)
    large = gemm_seconds([(4, 256, 512)], 512, np.dtype(np.float64), repeats=5)
    assert large > 10.0 * small > 0.0


def test_shapes_that_fit_nothing_are_told() -> None:
    with pytest.raises(RuntimeError, match="not measured"):
        gemm_seconds([(1, -3, 2)], 16, np.dtype(np.float32))
