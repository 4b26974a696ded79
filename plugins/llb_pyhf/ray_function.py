"""The curves of one signal as functions of mu in whatever arrays pyhf works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Rays

__all__ = ["RayFunction"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RayFunction:
    """Cubic splines over mu, one a curve, with their convex continuations.

    Attributes:
        breaks: nodes in mu, shape (K,).
        pieces: coefficients of (mu - break)^3 .. ^0, shape (K - 1, 4, C).
        tails: value, slope and half the curvature at the low and the high end, shape (2, 3, C).
    """

    breaks: Array
    pieces: Array
    tails: Array

    @classmethod
    def of(cls, ray: Rays, curves: Sequence[str]) -> RayFunction:
        """The curves of a ray of one signal, in this order."""
        scale, splines = float(ray.scale[0]), ray.splines
        count = int(splines.count[0])
        columns = [ray.columns[name] for name in curves]
        pieces = splines.pieces[0, : count - 1][:, :, columns]
        tails = splines.tails[0][:, :, columns]
        # From t = mu / scale to mu.
        return cls(
            breaks=splines.breaks[0, :count] * scale,
            pieces=pieces / scale ** np.arange(3, -1, -1)[:, np.newaxis],
            tails=tails / scale ** np.arange(3)[:, np.newaxis],
        )

    def __call__(self, mu: Any, arrays: Any = np) -> Any:
        """Delta NLL of every curve at a scalar mu, shape (C,); `arrays` is numpy or jax.numpy."""
        breaks, pieces, tails = (arrays.asarray(item) for item in (self.breaks, self.pieces, self.tails))
        last = len(self.breaks) - 2
        piece = arrays.clip(arrays.searchsorted(breaks, mu, side="right") - 1, 0, last)
        x = mu - breaks[piece]
        a, b, c, d = pieces[piece]
        value = ((a * x + b) * x + c) * x + d
        for side, end in ((0, breaks[0]), (1, breaks[-1])):
            start, slope, bend = tails[side]
            x = mu - end
            outside = mu < end if side == 0 else mu > end
            value = arrays.where(outside, (bend * x + slope) * x + start, value)
        return value
