"""What is maximised in a density: its logarithm, or that of the likelihood in a posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.runtime.density import Density
from llb.runtime.density_input import Points
from llb.runtime.prior import check_prior, log_prior, log_prior_score
from llb.runtime.scores import density_score

__all__ = ["DensityHeight"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DensityHeight:
    """The logarithm of a density with its offset, the prior divided out or not.

    Raises `FindingError` `LLB-Y108` where the prior cannot be divided out.

    Attributes:
        density: the bundle.
        condition: one row, of a conditional density.
        divide_prior: whether the prior is divided out.
    """

    density: Density
    condition: Points | None = None
    divide_prior: bool = False

    def __post_init__(self) -> None:
        if self.divide_prior:
            check_prior(self.density.manifest)

    def value(self, points: Array) -> Array:
        """The logarithm, (n,), at points (n, parameters)."""
        values = self.density.log_density(points, self.condition)
        return values - log_prior(self.density.manifest, points) if self.divide_prior else values

    def slope(self, points: Array) -> Array:
        """Its derivatives, (n, parameters): by the score, or by differences."""
        values = density_score(self.density, points, self.condition)
        return values - log_prior_score(self.density.manifest, points) if self.divide_prior else values
