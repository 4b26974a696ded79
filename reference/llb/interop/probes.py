"""Points of a domain at which functions are compared before one of them is written down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain

__all__ = ["domain_points"]

Floats = NDArray[np.float64]

_SEED = 20260117


def domain_points(domain: Domain, random: int) -> tuple[tuple[str, ...], Floats]:
    """Names and signals (n, n_bins): zero, the corners, the ends of every axis, and random points.

    The random ones are shrunk towards zero by factors down to 1e-4: real signals are small in most bins.

    Args:
        domain: the box; its truncation is for the caller to keep.
        random: how many random points.
    """
    lower, upper = np.array(domain.lower), np.array(domain.upper)
    width = len(lower)
    generator = np.random.default_rng(_SEED)
    rows = generator.uniform(lower, upper, size=(random, width))
    rows *= 10.0 ** generator.uniform(-4.0, 0.0, size=(random, 1))
    # A sum of many small numbers may still be -0.0, which is no other point.
    signals = np.vstack([np.zeros(width), lower, upper, np.diag(lower), np.diag(upper), rows]) + 0.0
    names = ["zero", "lower", "upper"]
    names += [f"{end} {column}" for end in ("lower", "upper") for column in range(width)]
    names += [f"random {row}" for row in range(random)]
    return tuple(names), signals
