"""The statistical model as arrays: rates, the negative log likelihood, and its exact gradient in the signal.

    L = prod_i Poisson(n_i | nu_i(theta) + s_i) * Gauss(theta | alpha, rho)

`alpha` is the auxiliary measurement of the nuisance parameters: zero, unless Asimov data move it.

Total rates are not negative. A bin with observed events needs a positive rate anyway, as its likelihood
vanishes with it; for a bin without, zero is a bound of its nuisance parameter, which the minimum may sit on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from llb_trainer.teachers.simplified.document import SimplifiedLikelihood
from llb_trainer.teachers.simplified.moments import correlation, expansion

__all__ = ["DataSet", "Interval", "Model", "compiled", "data_set", "envelope", "interval", "rates"]

Floats = NDArray[np.float64]


class Model(NamedTuple):
    """Everything but the data.

    Attributes:
        constant, linear, quadratic: (n_bins,) coefficients of the background, in events.
        factor: (n_bins, n_bins) lower triangular `l` with `rho = l l^T`.
        whitener: (n_bins, n_bins) its inverse: `|whitener (theta - alpha)|^2 / 2` is the constraint.
        precision: (n_bins, n_bins) inverse of `rho`.
    """

    constant: Floats
    linear: Floats
    quadratic: Floats
    factor: Floats
    whitener: Floats
    precision: Floats

    @property
    def bends(self) -> bool:
        """Whether any rate is not linear; the negative log likelihood is convex if none is."""
        return bool(np.any(self.quadratic != 0))

    @property
    def fold(self) -> Floats:
        """(n_bins,) parameter at which the rate turns round; infinite where it is linear."""
        with np.errstate(divide="ignore"):
            return np.where(self.quadratic == 0, -np.inf, -0.5 * self.linear / self.quadratic)


@dataclass(frozen=True, eq=False)
class DataSet:
    """Data of one curve.

    Attributes:
        main: (n_bins,) events.
        auxiliary: (n_bins,) measurements of the nuisance parameters.
        constant: NLL where every rate equals its data and every parameter its measurement.
    """

    main: Floats
    auxiliary: Floats
    constant: float


@dataclass(frozen=True, eq=False)
class Interval:
    """Where a rate is not negative, on the side where its parameter is: bounds (n, n_bins) in `theta`."""

    lower: Floats
    upper: Floats


def compiled(likelihood: SimplifiedLikelihood) -> Model:
    """The model of a simplified likelihood."""
    variance = np.diag(likelihood.covariance).copy()
    terms = expansion(likelihood.background, variance, likelihood.third_moment)
    factor: Floats = np.asarray(np.linalg.cholesky(correlation(terms, likelihood.covariance)), np.float64)
    whitener: Floats = np.tril(np.asarray(np.linalg.inv(factor), np.float64))
    return Model(terms.constant, terms.linear, terms.quadratic, factor, whitener, whitener.T @ whitener)


def data_set(model: Model, main: Floats, auxiliary: Floats) -> DataSet:
    """Data with the constant that belongs to them: saturated Poisson terms, and the norm of the Gaussian."""
    saturated = np.sum(main - xlogy(main, main) + gammaln(main + 1.0))
    norm = np.sum(np.log(np.diag(model.factor))) + 0.5 * len(main) * np.log(2.0 * np.pi)
    return DataSet(main, auxiliary, float(saturated + norm))


def rates(model: Model, theta: Floats, signal: Floats) -> Floats:
    """(n, n_bins) expected events."""
    return model.constant + (model.linear + model.quadratic * theta) * theta + signal


def interval(model: Model, theta: Floats, signal: Floats) -> Interval:
    """Where rates are not negative, around or nearest to `theta` (n, n_bins).

    A rate that bends upward may be negative in between: then there are two sides, and that of `theta` counts.
    Where a rate that bends downward is negative everywhere, the interval is the point where it is largest.
    """
    start = model.constant + signal
    square = model.linear**2 - 4.0 * model.quadratic * start
    root = np.sqrt(np.maximum(square, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # not cancelling, and right for linear rates; the other zero lies beyond the fold
        near = np.where(model.linear + root == 0, 0.0, -2.0 * start / (model.linear + root))
        near = np.where((square < 0) & (model.quadratic < 0), model.fold, near)
        far = np.where(model.quadratic == 0, np.inf, 2.0 * model.fold - near)
    beyond = (model.quadratic > 0) & (theta < model.fold)
    free = (model.quadratic > 0) & (square < 0)
    lower = np.where(free | beyond, -np.inf, near)
    upper = np.where(free | ((model.quadratic >= 0) & ~beyond), np.inf, far)
    return Interval(lower, upper)


def envelope(model: Model, theta: Floats, signal: Floats, item: DataSet) -> Floats:
    """(n, n_bins) exact gradient of the profiled NLL in the signal, by the envelope theorem.

    It is `1 - n / rate`; where a rate is held at zero, less what the bound takes.
    """
    rate, slope = rates(model, theta, signal), model.linear + 2.0 * model.quadratic * theta
    box = interval(model, theta, signal)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(item.main > 0, 1.0 - item.main / rate, 1.0)
        full = own * slope + (theta - item.auxiliary) @ model.precision
        held = ((theta <= box.lower) & (full > 0)) | ((theta >= box.upper) & (full < 0))
        return own - np.where(held & (slope != 0), full / slope, 0.0)
