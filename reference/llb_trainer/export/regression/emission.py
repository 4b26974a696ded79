"""Everything that goes into the bundle of a regression, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.chains import Parameter
from llb_trainer.export.emit import Identity
from llb_trainer.regression import PointLabels, RegressionRecipe, TrainedRegression
from llb_trainer.teachers.contract import Source

__all__ = ["RegressionEmission"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegressionEmission:
    """All that the bundle of a regression is made from.

    Attributes:
        identity: name, authors, analysis.
        source: what the teacher was made from.
        text: the same in words, for people.
        parameters: what the columns are.
        trained: the regression, its domain and the history of its training.
        recipe: settings of the training.
        heldout: draws of the posterior that neither the training nor the choice of its weights has seen, with
            the teacher's ln L.
        sampled: how the draws were made, as JSON.
    """

    identity: Identity
    source: Source
    text: str
    parameters: tuple[Parameter, ...]
    trained: TrainedRegression
    recipe: RegressionRecipe
    heldout: PointLabels
    sampled: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, by column."""
        return tuple(item.name for item in self.parameters)
