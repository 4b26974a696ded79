"""Samples that several tests share."""

from __future__ import annotations

import numpy as np
import pytest

from llb_schema import FindingError
from llb_trainer.chains import Parameter, ParameterSamples

__all__ = ["codes", "small_samples"]


def small_samples(n: int = 200, *, full: bool = True) -> ParameterSamples:
    """Three parameters with one, two and no bounds; with log densities and four chains, or without both."""
    generator = np.random.default_rng(5)
    values = np.stack(
        [generator.exponential(2.0, n), generator.uniform(-1, 1, n), 1e-4 * generator.standard_normal(n)],
        axis=1,
    )
    parameters = (
        Parameter("mu", "poi", "pb", (0.0, None), r"$\mu$"),
        Parameter("asymmetry", bounds=(-1.0, 1.0)),
        Parameter("Δα [had]", "nuisance", "1"),
    )
    if not full:
        return ParameterSamples(parameters, values)
    chain = np.repeat(np.arange(4), -(-n // 4))[:n].astype(np.int64)
    return ParameterSamples(parameters, values, -values[:, 0] / 2, chain)


def codes(error: pytest.ExceptionInfo[FindingError]) -> list[str]:
    """Codes of the findings that were raised."""
    return [item.code for item in error.value.findings]
