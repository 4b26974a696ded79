"""The analytic stand-in of a likelihood: what Delta NLL a signal is expected to have, at no cost.

Nuisance parameters are linearised into a covariance of the expected events, and the Poisson errors are
Gaussian at half the signal: a rough likelihood, and enough to say where to ask the teacher.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Background", "expected_delta", "strengths"]

Floats = NDArray[np.float64]

_MATRIX_ELEMENTS = 1 << 21
"""Of all matrices solved at once: 16 MiB, whatever the number of bins."""
_LEAST_VARIANCE = 1e-3
_MOST_STEPS = 30
_CLOSE_ENOUGH = 1e-4
"""Of log Delta before a step: Newton's step squares it."""


@dataclass(frozen=True)
class Background:
    """What sampling has to know of the analysis.

    Attributes:
        events: (n_bins,) expected background.
        covariance: (n_bins, n_bins) of that expectation over the nuisance parameters.
        fitted: (n_bins,) expected background after the fit to the observed data; None for no other one.
    """

    events: Floats
    covariance: Floats
    fitted: Floats | None = None

    @property
    def least(self) -> Floats:
        """(n_bins,) fewest events that some data set expects: more than these no signal can take away."""
        return self.events if self.fitted is None else np.minimum(self.events, self.fitted)

    @property
    def scale(self) -> Floats:
        """(n_bins,) one standard deviation of signal that the bin alone, Poisson error only, resolves."""
        return np.sqrt(self.events + 1.0)


def expected_delta(background: Background, signals: Floats) -> Floats:
    """Delta NLL to be expected without data: linearised nuisance parameters, Gaussian errors at b + s / 2.

    Args:
        background: events and covariance.
        signals: (n, n_bins) yields.

    Returns:
        (n,) values; each depends on its own row alone.
    """
    solved = _solved(background, signals)
    return 0.5 * np.sum(np.ascontiguousarray(signals) * solved, axis=1)


def strengths(background: Background, directions: Floats, delta: Floats) -> Floats:
    """Strength at which a direction reaches an expected Delta NLL.

    Few signal events give the errors of the background, many their own: Delta then is quadratic, and linear,
    in the strength. A curve through both limits is the first guess. In the logarithms the slope is between 2
    and 1 all along, so that Newton's method cannot fail from there.

    Args:
        background: events and covariance.
        directions: (n, n_bins), none negative, each with a bin above zero.
        delta: (n,) values to reach, above zero.

    Returns:
        (n,) strengths; each depends on its own row alone.
    """
    wanted = np.log(delta)
    strength = _first_guess(background, directions, delta)
    open_rows = np.arange(len(directions))
    for _ in range(_MOST_STEPS):
        signals = strength[open_rows, None] * directions[open_rows]
        missing, slope = _towards(background, signals, wanted[open_rows])
        strength[open_rows] *= np.exp(missing / slope)
        open_rows = open_rows[np.abs(missing) > _CLOSE_ENOUGH]
        if not open_rows.size:
            break
    return strength


def _first_guess(background: Background, directions: Floats, delta: Floats) -> Floats:
    """(n,) strengths t with t^2 q / 2 = delta (1 + t q / 2 sum): exact for few events, and for very many."""
    error = background.covariance + np.diag(np.maximum(background.events, _LEAST_VARIANCE))
    few = _eliminated(error[:, :, None].copy(), directions.T.copy()).T
    quadratic, total = np.sum(directions * few, axis=1), np.sum(directions, axis=1)
    half = 0.5 * delta / total
    return half + np.sqrt(half**2 + 2 * delta / quadratic)


def _towards(background: Background, signals: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """What log Delta lacks of the wanted one, and its derivative by the logarithm of the strength."""
    solved = _solved(background, signals)
    twice = np.sum(signals * solved, axis=1)
    # Half the signal adds to the variance, but for bins that are held at the least one.
    follows = background.events + 0.5 * signals > _LEAST_VARIANCE
    pulled = np.sum(np.where(follows, signals, 0.0) * solved**2, axis=1)
    return wanted - np.log(0.5 * twice), 2.0 - 0.5 * pulled / twice


def _solved(background: Background, signals: Floats) -> Floats:
    """(n, n_bins) inverse covariance of background and data, times the signal."""
    n_bins = len(background.events)
    rows = max(1, _MATRIX_ELEMENTS // n_bins**2)
    solved = np.empty(signals.shape)
    for first in range(0, len(signals), rows):
        part = signals[first : first + rows].T
        variance = np.maximum(background.events[:, None] + 0.5 * part, _LEAST_VARIANCE)
        matrix = np.repeat(background.covariance[:, :, None], part.shape[1], axis=2)
        matrix[np.arange(n_bins), np.arange(n_bins)] += variance
        solved[first : first + rows] = _eliminated(matrix, part.copy()).T
    return solved


def _eliminated(matrix: Floats, right: Floats) -> Floats:
    """Solutions (n_bins, n) for n positive definite matrices (n_bins, n_bins, n or 1); overwrites both.

    Element by element over all n, where LAPACK's last bits depend on its number of threads.
    """
    n_bins = len(matrix)
    for pivot in range(n_bins):
        factor = matrix[pivot + 1 :, pivot] / matrix[pivot, pivot]
        matrix[pivot + 1 :, pivot + 1 :] -= factor[:, None] * matrix[pivot, pivot + 1 :]
        right[pivot + 1 :] -= factor * right[pivot]
    for pivot in reversed(range(n_bins)):
        right[pivot] /= matrix[pivot, pivot]
        right[:pivot] -= matrix[:pivot, pivot] * right[pivot]
    return right
