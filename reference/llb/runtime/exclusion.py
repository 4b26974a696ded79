"""CLs and upper limits of many signals at once, observed, a-posteriori and a-priori expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from llb.runtime.asymptotics import N_SIGMA
from llb.runtime.likelihood import ProfileLikelihood
from llb.runtime.log_cls import OBSERVED, POSTERIOR, PRIOR, LogCls
from llb.runtime.profile import Rays, rays
from llb.runtime.propagation import propagate
from llb.runtime.result import Band, Limits
from llb.runtime.signal_files import Signals

__all__ = ["limits"]

Array = NDArray[np.float64]

_NAMES = ("observed", *(f"expected[{n:+d}]" for n in N_SIGMA), *(f"apriori[{n:+d}]" for n in N_SIGMA))
# Where limits are looked for, in units of the edge of the domain. CLs falls from 1 towards 0 along the ray.
_GRID = np.concatenate(
    [np.geomspace(1e-15, 1e-3, 25), np.linspace(0.04, 1.0, 97) ** 2, np.geomspace(1.0, 1e8, 33)[1:]]
)
# Signals a block: the grid of every signal is held in memory at once.
_BLOCK = 256


def limits(
    source: Rays | ProfileLikelihood,
    signals: Signals | Array | None = None,
    *,
    mu: float = 1.0,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> list[Limits]:
    """CLs at mu and upper limits on mu, from the asymptotic formulae.

    Args:
        source: rays, or a model together with `signals`.
        signals: signals by name, or events of shape (N, n_bins) in column order.
        mu: signal strength of the CLs values, > 0.
        level: confidence level of the limits, between 0 and 1.
        names: names of the signals; their numbers by default.

    Returns:
        One answer a signal, in order.

    Raises:
        ValueError: mu or level out of range, rays together with signals, or another number of names.
        FindingError: `LLB-Y005`, signals of the wrong shape; `LLB-Y004`, NaN or infinity among them.
    """
    if not (np.isfinite(mu) and mu > 0.0 and 0.0 < level < 1.0):
        raise ValueError(f"mu must be positive and level between 0 and 1, not {mu} and {level}")
    if isinstance(source, Rays):
        if signals is not None:
            raise ValueError("rays have their signals already")
        return _of_rays(source, mu, level, _names(names, len(source)))
    if signals is None:
        raise ValueError("a model needs signals")
    if isinstance(signals, Signals):
        names, signals = names or signals.names, signals.yields
    labels = _names(names, len(signals))
    result: list[Limits] = []
    for start in range(0, len(signals), _BLOCK):
        block = slice(start, start + _BLOCK)
        result += _of_rays(rays(source, signals[block]), mu, level, labels[block])
    return result


def _names(names: Sequence[str] | None, count: int) -> Sequence[str]:
    if names is None:
        return [str(n) for n in range(count)]
    if len(names) != count:
        raise ValueError(f"{len(names)} names for {count} signals")
    return names


def _of_rays(ray: Rays, mu: float, level: float, names: Sequence[str]) -> list[Limits]:
    test = LogCls(ray)
    cls = np.exp(test.scan(np.full((len(ray), 1), mu)))[:, :, 0]
    upper = _upper_limits(test, np.log1p(-level))
    cls_error, upper_error = propagate(test, mu, cls, upper)
    return [
        Limits(
            name=names[n],
            mu=mu,
            level=level,
            cls_observed=float(cls[n, OBSERVED]),
            cls_expected=_band(cls[n, POSTERIOR]),
            cls_apriori=_band(cls[n, PRIOR]),
            upper_limit_observed=float(upper[n, OBSERVED]),
            upper_limit_expected=_band(upper[n, POSTERIOR]),
            upper_limit_apriori=_band(upper[n, PRIOR]),
            mu_hat=float(test.mu_hat[n]),
            in_domain=bool(mu <= ray.mu_edge[n]) and not np.any(upper[n] > ray.mu_edge[n]),
            flags=tuple(_flags(ray, n, mu, upper[n], test.mu_hat[n])),
            findings=tuple(
                replace(item, pointer=names[n]) for item in ray.findings if item.pointer == f"signals/{n}"
            ),
            cls_observed_error=float(cls_error[n, OBSERVED]),
            cls_expected_error=_band(cls_error[n, POSTERIOR]),
            cls_apriori_error=_band(cls_error[n, PRIOR]),
            upper_limit_observed_error=float(upper_error[n, OBSERVED]),
            upper_limit_expected_error=_band(upper_error[n, POSTERIOR]),
            upper_limit_apriori_error=_band(upper_error[n, PRIOR]),
        )
        for n in range(len(ray))
    ]


def _upper_limits(test: LogCls, target: float) -> Array:
    """mu at which ln CLs falls through `target`, shape (N, 11).

    Infinity where it does not within the grid, 0 where it already has at the grid's first point, NaN for NaN.
    """
    mu = test.ray.scale[:, np.newaxis] * _GRID
    log_cls = test.scan(mu)
    broken = np.isnan(log_cls).any(axis=2)
    # The last crossing: if a rippled curve crosses more than once, only what lies above all is excluded.
    allowed = log_cls > target
    last = _GRID.size - 1 - np.argmax(allowed[:, :, ::-1], axis=2)
    some = allowed.any(axis=2)
    result = np.where(broken, np.nan, np.where(some, np.inf, 0.0))
    rows, numbers = np.nonzero(~broken & some & (last < _GRID.size - 1))
    if rows.size == 0:
        return result
    at = last[rows, numbers]
    found = find_root(
        lambda log_mu, n, k: test(np.exp(log_mu), n, k) - target,
        (np.log(mu[rows, at]), np.log(mu[rows, at + 1])),
        args=(rows, numbers),
        tolerances={"xatol": 1e-10, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    )
    result[rows, numbers] = np.exp(found.x)
    return result


def _flags(ray: Rays, n: int, mu: float, upper: Array, mu_hat: float) -> Iterator[str]:
    if np.isinf(ray.mu_edge[n]):
        yield "zero_signal"
    elif np.isnan(ray.spline_error[n]):
        yield "not_a_number"
        return
    if mu > ray.mu_edge[n]:
        yield "beyond_domain:cls"
    if mu_hat >= ray.mu_edge[n]:
        yield "beyond_domain:mu_hat"
    for value, name in zip(upper, _NAMES, strict=True):
        if np.isinf(value):
            yield f"no_limit:upper_limit_{name}"
        if value > ray.mu_edge[n]:
            yield f"beyond_domain:upper_limit_{name}"
    for curve in ("observed", "observed_asimov", "apriori_asimov"):
        if curve not in ray.columns:
            yield f"no_curve:{curve}"


def _band(values: Array) -> Band:
    a, b, c, d, e = (float(value) for value in values)
    return a, b, c, d, e
