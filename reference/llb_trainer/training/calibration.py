"""Calibration of the ensemble: from the spread of its members to a standard deviation of its error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llb_trainer.labels import Labels
from llb_trainer.training.network import Calibration, ProfileNetwork, floored

__all__ = ["DECISION_MAX", "calibrated"]

Floats = NDArray[np.float64]

_ONE, _TWO = 0.683, 0.954
"""Fractions within one and two standard deviations of a Gaussian."""
DECISION_MAX = 6.0
"""Delta NLL below which exclusions are decided."""


def calibrated(network: ProfileNetwork, labels: Labels) -> ProfileNetwork:
    """The network with a calibration, by labels that training did not see.

    For each floor there is one factor that brings 68 % of the errors of the decision region within one sigma;
    the floor is the one with which 95 % are within two, as nearly as can be.
    """
    variance, away = network.spread(labels.signals)
    truth = labels.delta
    error = np.abs(network(labels.signals) - truth)
    pairs = [
        _calibration(error[rows, c], variance[rows, c], away[rows, 0])
        for c in range(error.shape[1])
        for rows in [(truth[:, c] <= DECISION_MAX) & (away[:, 0] > 0.0)]
    ]
    factor, floor = np.asarray(pairs).T
    return replace(network, calibration=Calibration(factor, floor))


def _calibration(error: Floats, variance: Floats, away: Floats) -> tuple[float, float]:
    """Factor and floor for errors (n,) of one curve."""
    typical = float(np.median(error))
    best = (np.inf, 1.0, typical)
    for floor in typical * np.concatenate([[1e-3], np.geomspace(0.03, 30.0, 31)]):
        spread = floored(variance, away, float(floor))
        factor = float(np.quantile(error / spread, _ONE))
        missed = abs(float(np.mean(error <= 2.0 * factor * spread)) - _TWO)
        best = min(best, (missed, factor, float(floor)))
    return best[1], best[2]
