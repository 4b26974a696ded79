"""Fresh points of the domain with the graph's numbers there: all that level 6 wants from the graph."""

from __future__ import annotations

import numpy as np

from llb.runtime import ProfileLikelihood
from llb.runtime.domain import domain_edge
from llb.validation.results import FreshPoints, Wanted

__all__ = ["fresh_points"]


def fresh_points(model: ProfileLikelihood, wanted: Wanted) -> FreshPoints:
    """Points uniform in the box, and then anywhere on the way from zero to there or to the truncation.

    Raises:
        FindingError: the graph fails when it is run.
    """
    domain, generator = model.bundle.manifest.domain, np.random.default_rng((wanted.seed, 1))
    points = generator.uniform(domain.lower, domain.upper, size=(wanted.points, len(domain.lower)))
    edge = domain_edge(domain, points, lambda signals: model.columns(signals).max(axis=1))
    signals = points * (np.minimum(edge, 1.0) * generator.uniform(size=wanted.points))[:, np.newaxis]
    predicted = model.columns(signals)
    return FreshPoints(signals, np.where(np.isfinite(predicted), predicted, np.nan))
