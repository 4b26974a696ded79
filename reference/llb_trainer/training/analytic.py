"""The analytic part of a learned likelihood: the profile of Poisson counts over a log-normal background.

    D(s) = min_v sum_b nu0_b [y_b - 1 - p_b ln y_b - (1 - p_b) v_b] + v nu0 K nu0 v / 2 + linear.s,
    y_b = s_b / nu0_b + exp(v_b),  p_b = n_b / nu0_b

Only what is exact at zero signal goes in: the data n, the slope (which fixes nu0) and the curvature (which
fixes K). It is exactly 0 at zero signal, has the teacher's slope and curvature there, and follows the Poisson
terms out to any signal, so that a network only has to learn what the nuisance parameters do beyond that.

The minimum is where v = (K + 1/nu0)^-1 w / nu0 of the force w = (p / y - 1) exp(v) + v + 1 - p. Three steps
go there, the same in NumPy, JAX and ONNX: a whole one from v = 0, half a one, since whole ones overshoot
where signals are negative, and a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_trainer.labels import Origin

__all__ = ["FLOOR", "WINDOW", "AnalyticProfile", "analytic_profile", "with_gradients"]

Floats = NDArray[np.float64]

WINDOW = (-8.0, 3.0)
"""Limits of v: far beyond what any background does, and safe from overflow."""
FLOOR = 0.02
"""Least y: negative signals meet a wall there instead of a pole."""
_LEAST = 0.01
"""Events below which the background of a bin stays where it is: any signal there is far more."""


@dataclass(frozen=True)
class AnalyticProfile:
    """The constants of the analytic part, one row per curve.

    Attributes:
        data: (n_curves, n_bins) counts n; 0 where the bin only adds a line.
        rate: (n_curves, n_bins) events nu0 expected without signal, at the profiled background.
        response: (n_curves, n_bins, n_bins) (K + 1 / nu0)^-1: how the background gives way.
        linear: (n_curves, n_bins) slope that is added.
    """

    data: Floats
    rate: Floats
    response: Floats
    linear: Floats

    @property
    def share(self) -> Floats:
        """(n_curves, n_bins) data in units of the rate, p."""
        return self.data / self.rate

    @property
    def give(self) -> Floats:
        """(n_curves, n_bins, n_bins) by which a force is multiplied from the right to give v."""
        return self.response / self.rate[:, None, :]

    def __call__(self, signals: Floats) -> Floats:
        """Delta NLL, shape (n, n_curves), of signals (n, n_bins) in events."""
        values = [
            _profiled(np, constants, signals)
            for constants in zip(self.share, self.rate, self.give, self.linear, strict=True)
        ]
        return np.stack(values, axis=1)


def analytic_profile(origin: Origin) -> AnalyticProfile:
    """The analytic part of a likelihood with this behaviour at zero signal."""
    # No data, or no information on the background: the bin adds its slope and nothing else.
    bends = (origin.data > 0) & (origin.slope < 1.0 - 1e-9)
    data = np.where(bends, origin.data, 0.0)
    rate = np.where(bends, origin.data / np.where(bends, 1.0 - origin.slope, 1.0), 1.0)
    linear = np.where(bends, 0.0, origin.slope - 1.0)
    responses = [_response(*each) for each in zip(data, rate, origin.curvature, strict=True)]
    return AnalyticProfile(data, rate, np.stack(responses), linear)


def _response(data: Floats, rate: Floats, curvature: Floats) -> Floats:
    """From the curvature H = D - D R D with D = n / nu0^2, as far as it is one of a positive K."""
    response = np.zeros_like(curvature)
    rows = np.flatnonzero((data > 0) & (rate > _LEAST))
    width = rate[rows] ** 2 / data[rows]
    free = np.diag(width) - width[:, None] * curvature[np.ix_(rows, rows)] * width
    unit = np.sqrt(rate[rows])
    values, vectors = np.linalg.eigh(0.5 * (free + free.T) / unit[:, None] / unit)
    bounded = (vectors * np.clip(values, 0.0, 1.0 - 1e-6)) @ vectors.T
    response[np.ix_(rows, rows)] = unit[:, None] * bounded * unit
    return response


def with_gradients(analytic: AnalyticProfile, signals: Floats) -> tuple[Floats, Floats]:
    """Values (n, n_curves) and gradients (n, n_curves, n_bins) at signals (n, n_bins)."""
    values, gradients = [], []
    with jax.enable_x64(True):
        for parts in zip(analytic.share, analytic.rate, analytic.give, analytic.linear, strict=True):
            constants = tuple(jnp.asarray(part) for part in parts)

            def value(signal: Any, constants: tuple[Any, ...] = constants) -> Any:
                return _profiled(jnp, constants, signal[None, :])[0]

            value_and_slope = jax.jit(jax.vmap(jax.value_and_grad(value)))
            found = value_and_slope(jnp.asarray(signals))
            values.append(np.asarray(found[0]))
            gradients.append(np.asarray(found[1]))
    return np.stack(values, axis=1), np.stack(gradients, axis=1)


def _profiled(xp: ModuleType, constants: tuple[Any, ...], signals: Any) -> Any:
    """One curve, by NumPy or JAX; its constants are share, rate, give and linear."""
    share, rate, give, linear = constants
    pull, relative = 1.0 - share, signals / rate

    def expected(shift: Any) -> tuple[Any, Any]:
        growth = xp.exp(xp.clip(shift, *WINDOW))
        return growth, xp.maximum(relative + growth, FLOOR)

    def force(shift: Any) -> Any:
        growth, y = expected(shift)
        return (share / y - 1.0) * growth + shift + pull

    first = (share / xp.maximum(relative + 1.0, FLOOR) - share) @ give
    final = force(0.5 * (first + force(first) @ give))
    shift = final @ give
    _, y = expected(shift)
    terms = y - 1.0 - share * xp.log(y) + shift * (0.5 * (final - shift) - pull)
    return terms @ rate + signals @ linear
