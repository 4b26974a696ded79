"""Everything that goes into the bundle of a density, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.chains import Conditions, Parameter, ParameterSamples, lower_bounds, upper_bounds
from llb_trainer.export.emit import Identity
from llb_trainer.flows import FlowRecipe, TrainedFlow
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities import PriorFactor

__all__ = ["DensityEmission", "sample_domain"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DensityEmission:
    """All that the bundle of a flow is made from.

    Attributes:
        identity: name, authors, analysis.
        source: what the samples were drawn from.
        text: the same in words, for people.
        prior: one factor per parameter.
        trained: the flow and the history of its training.
        recipe: settings of the training.
        domain: (D,) lower and upper edges of where it was trained.
        heldout: independent draws that neither the training nor its early stopping has seen.
        log_normalisation: what their log density lacks to be normalised, None if nobody knows.
        sampled: how the samples were made, as JSON.
        conditions: of a conditional density, those of the training and of `heldout`.
    """

    identity: Identity
    source: Source
    text: str
    prior: tuple[PriorFactor, ...]
    trained: TrainedFlow
    recipe: FlowRecipe
    domain: tuple[Floats, Floats]
    heldout: ParameterSamples
    log_normalisation: float | None = None
    sampled: Mapping[str, Any] = field(default_factory=dict[str, Any])
    conditions: Conditions | None = None

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, by column."""
        return self.heldout.parameters

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(item.name for item in self.parameters)


def sample_domain(training: ParameterSamples) -> tuple[Floats, Floats]:
    """The box that samples span, (D,) each, within the bounds of their parameters."""
    low, high = training.values.min(axis=0), training.values.max(axis=0)
    # Where all samples are the same number there still has to be an interval.
    wide = np.where(high > low, 0.0, 1e-9 * np.maximum(1.0, np.abs(low)))
    parameters = training.parameters
    return np.maximum(low - wide, lower_bounds(parameters)), np.minimum(high + wide, upper_bounds(parameters))
