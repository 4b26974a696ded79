"""CLs and upper limits of many signals at once, observed, a-posteriori and a-priori expected.

Which curves serve which number (the convention of Spey and pyhf): observed CLs take `observed` and
`observed_asimov`; the a-posteriori band takes `observed_asimov` alone; the a-priori band `apriori_asimov`
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from llb.runtime.asymptotics import N_SIGMA, log_cls_expected, log_cls_observed, q_tilde
from llb.runtime.likelihood import ProfileLikelihood
from llb.runtime.profile import Rays, rays
from llb.runtime.signal_files import Signals
from llb_schema import Finding

__all__ = ["Band", "Limits", "limits"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Band = tuple[float, float, float, float, float]
"""Five numbers for N = -2, -1, 0, +1, +2 standard deviations of background-only data."""

_OBSERVED = 0
_POSTERIOR = slice(1, 6)
_PRIOR = slice(6, 11)
_SIGMA_OF = np.asarray((0, *N_SIGMA, *N_SIGMA))
_ASIMOV = ("observed_asimov", "apriori_asimov")
_NAMES = ("observed", *(f"expected[{n:+d}]" for n in N_SIGMA), *(f"apriori[{n:+d}]" for n in N_SIGMA))
# Where limits are looked for, in units of the edge of the domain. CLs falls from 1 towards 0 along the ray.
_GRID = np.concatenate(
    [np.geomspace(1e-15, 1e-3, 25), np.linspace(0.04, 1.0, 97) ** 2, np.geomspace(1.0, 1e8, 33)[1:]]
)
# Signals a block: the grid of every signal is held in memory at once.
_BLOCK = 256


@dataclass(frozen=True)
class Limits:
    """The answer for one signal. Numbers that need a curve which the bundle does not have are NaN.

    Attributes:
        name: the signal's name.
        mu: signal strength of the CLs values.
        level: confidence level of the upper limits, e.g. 0.95.
        cls_observed: CLs of the observed data.
        cls_expected: a-posteriori expected CLs.
        cls_apriori: a-priori expected CLs.
        upper_limit_observed: signal strength excluded at `level`; infinity when no signal strength is.
        upper_limit_expected: a-posteriori expected limits, smallest first.
        upper_limit_apriori: a-priori expected limits, smallest first.
        mu_hat: best-fit signal strength of the observed data, >= 0 and at most the edge of the domain.
        in_domain: whether all the numbers come from inside the domain.
        flags: which do not (`beyond_domain:upper_limit_observed`, ...), `zero_signal`, `no_limit:...`
            (infinite), `no_curve:...`, `not_a_number`.
        findings: what is to be said about this signal.
    """

    name: str
    mu: float
    level: float
    cls_observed: float
    cls_expected: Band
    cls_apriori: Band
    upper_limit_observed: float
    upper_limit_expected: Band
    upper_limit_apriori: Band
    mu_hat: float
    in_domain: bool
    flags: tuple[str, ...]
    findings: tuple[Finding, ...]


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
    test = _LogCls(ray)
    cls = np.exp(test.scan(np.full((len(ray), 1), mu)))[:, :, 0]
    upper = _upper_limits(test, np.log1p(-level))
    return [
        Limits(
            name=names[n],
            mu=mu,
            level=level,
            cls_observed=float(cls[n, _OBSERVED]),
            cls_expected=_band(cls[n, _POSTERIOR]),
            cls_apriori=_band(cls[n, _PRIOR]),
            upper_limit_observed=float(upper[n, _OBSERVED]),
            upper_limit_expected=_band(upper[n, _POSTERIOR]),
            upper_limit_apriori=_band(upper[n, _PRIOR]),
            mu_hat=float(test.mu_hat[n]),
            in_domain=bool(mu <= ray.mu_edge[n]) and not np.any(upper[n] > ray.mu_edge[n]),
            flags=tuple(_flags(ray, n, mu, upper[n], test.mu_hat[n])),
            findings=tuple(
                replace(item, pointer=names[n]) for item in ray.findings if item.pointer == f"signals/{n}"
            ),
        )
        for n in range(len(ray))
    ]


class _LogCls:
    """ln CLs along rays; number 0 is observed, 1 to 5 are the a-posteriori band, 6 to 10 the a-priori one."""

    def __init__(self, ray: Rays) -> None:
        self.ray = ray
        nothing = np.full(len(ray), np.nan)
        self.mu_hat, self._lowest = (
            ray.minimum("observed") if "observed" in ray.columns else (nothing, nothing)
        )

    def scan(self, mu: Array) -> Array:
        """All numbers at mu of shape (N, M), as an array of shape (N, 11, M)."""
        index = np.repeat(np.arange(len(mu)), mu.shape[1])
        flat = mu.ravel()
        posterior, prior = (self._q_asimov(curve, index, flat).reshape(mu.shape) for curve in _ASIMOV)
        q = self._q_observed(index, flat).reshape(mu.shape)
        n_sigma = np.asarray(N_SIGMA)[:, np.newaxis]
        return np.concatenate(
            [
                log_cls_observed(q, posterior)[:, np.newaxis],
                log_cls_expected(posterior[:, np.newaxis], n_sigma),
                log_cls_expected(prior[:, np.newaxis], n_sigma),
            ],
            axis=1,
        )

    def __call__(self, mu: Array, index: Index, number: Index) -> Array:
        """One number each: all arguments one-dimensional and of the same length."""
        q_asimov = np.empty(mu.shape)
        for curve, part in zip(_ASIMOV, (number < _PRIOR.start, number >= _PRIOR.start), strict=True):
            q_asimov[part] = self._q_asimov(curve, index[part], mu[part])
        result = log_cls_expected(q_asimov, _SIGMA_OF[number])
        seen = number == _OBSERVED
        result[seen] = log_cls_observed(self._q_observed(index[seen], mu[seen]), q_asimov[seen])
        return result

    def _q_asimov(self, curve: str, index: Index, mu: Array) -> Array:
        if curve not in self.ray.columns:
            return np.full(mu.shape, np.nan)
        return q_tilde(self.ray.at(curve, index, mu), 0.0, mu, 0.0)

    def _q_observed(self, index: Index, mu: Array) -> Array:
        if "observed" not in self.ray.columns:
            return np.full(mu.shape, np.nan)
        return q_tilde(self.ray.at("observed", index, mu), self._lowest[index], mu, self.mu_hat[index])


def _upper_limits(test: _LogCls, target: float) -> Array:
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
