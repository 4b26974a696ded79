"""Analytic bundles: every curve is a quadratic form of the signal, so that every number is known exactly.

This is a second writer of the format, made from the specification and not from the reference implementation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_conformance.closed_form import ExactLimits, Parabola, exact_limits

__all__ = ["CURVES", "QuadraticBin", "QuadraticCurve", "QuadraticModel", "counting_model", "parabola_model"]

Array = NDArray[np.float64]

CURVES = ("observed", "observed_asimov", "apriori", "apriori_asimov")


@dataclass(frozen=True)
class QuadraticBin:
    """A bin: channel, index in the channel, role, and whether a signal may leave it out."""

    channel: str
    index: int = 0
    role: str = "SR"
    optional: bool = False
    observed: int = 12
    background: float = 10.5

    @property
    def id(self) -> str:
        """The bin's id in the bundle."""
        return f"{self.channel}[{self.index}]"


@dataclass(frozen=True)
class QuadraticCurve:
    """Delta NLL(s) = slope . s + s^T (root root^T) s / 2, with its baseline in NLL units.

    Attributes:
        name: one of `CURVES`.
        slope: shape (n_bins,); zero on Asimov curves.
        root: shape (n_bins, n_bins), a square root of the (positive) curvature matrix.
        baseline: NLL at zero signal.
        alias_of: another curve that it is exactly equal to, or None.
        spread: stated error of Delta NLL, in NLL units per event of signal.
    """

    name: str
    slope: Array
    root: Array
    baseline: float
    alias_of: str | None = None
    spread: float = 0.0

    def delta(self, signals: ArrayLike) -> Array:
        """Delta NLL of signals of shape (..., n_bins)."""
        signals = np.asarray(signals, dtype=np.float64)
        return signals @ self.slope + 0.5 * np.sum((signals @ self.root) ** 2, axis=-1)

    def sigma(self, signals: ArrayLike) -> Array:
        """The error that the bundle states at signals of shape (..., n_bins): spread * |all events|."""
        return self.spread * np.abs(np.asarray(signals, dtype=np.float64).sum(axis=-1))

    def along(self, signal: ArrayLike) -> Parabola:
        """The parabola along the ray of one signal."""
        signal = np.asarray(signal, dtype=np.float64)
        return Parabola(float(signal @ self.slope), float(np.sum((signal @ self.root) ** 2)))


@dataclass(frozen=True)
class QuadraticModel:
    """All that an analytic bundle says.

    Attributes:
        id: the bundle's id.
        bins: the input bins in column order.
        curves: the four curves; columns are numbered over those that are no alias.
        lower: lower edges of the domain, events by column.
        upper: upper edges.
        delta_nll_max: truncation of the domain, or None.
        dtype: `float64` or `float32`, of the graph.
        samples: background samples of every channel, for patchsets.
    """

    id: str
    bins: tuple[QuadraticBin, ...]
    curves: tuple[QuadraticCurve, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    delta_nll_max: float | None = None
    dtype: str = "float64"
    samples: tuple[str, ...] = ("top", "diboson")

    @property
    def own_curves(self) -> tuple[QuadraticCurve, ...]:
        """The curves with a column of their own."""
        return tuple(curve for curve in self.curves if curve.alias_of is None)

    def largest(self, signals: ArrayLike) -> Array:
        """The largest Delta NLL over the graph's columns, of signals of shape (..., n_bins), shape (...)."""
        return np.max([curve.delta(signals) for curve in self.own_curves], axis=0)

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Bin ids in column order."""
        return tuple(item.id for item in self.bins)

    def curve(self, name: str) -> QuadraticCurve:
        """The curve of that name, an alias replaced by its target."""
        found = next(item for item in self.curves if item.name == name)
        return found if found.alias_of is None else self.curve(found.alias_of)

    def vector(self, signal: Mapping[str, float]) -> Array:
        """A signal in column order; every bin has to be there."""
        return np.array([signal[name] for name in self.bin_ids], dtype=np.float64)

    def exact(self, signal: ArrayLike, *, mu: float = 1.0, level: float = 0.95) -> ExactLimits:
        """CLs at mu and upper limits of one signal, exactly and regardless of the domain."""
        parabolas = (
            self.curve(name).along(signal) for name in ("observed", "observed_asimov", "apriori_asimov")
        )
        return exact_limits(*parabolas, mu=mu, level=level)

    @property
    def states_error(self) -> bool:
        """Whether the graph has a second output, the stated error of Delta NLL."""
        return any(curve.spread > 0.0 for curve in self.own_curves)

    def with_spread(self, **spread: float) -> QuadraticModel:
        """The same model with a stated error: NLL units per event of signal, by curve."""
        curves = tuple(replace(curve, spread=spread.get(curve.name, 0.0)) for curve in self.curves)
        return replace(self, curves=curves, id=f"{self.id}-spread")

    def with_precision(self, dtype: str) -> QuadraticModel:
        """The same model with a graph in `float32` or `float64`."""
        return replace(self, dtype=dtype, id=f"{self.id}-{dtype}")


def parabola_model(
    *,
    mu_hat: float = 0.6,
    sigma: float = 0.5,
    sigma_asimov: float = 0.55,
    sigma_apriori: float = 0.45,
    sigma_apriori_asimov: float = 0.47,
    upper: float = 6.0,
    baseline: float = 100.0,
) -> QuadraticModel:
    """One bin of one event at mu = 1, with Gaussian curves of given best fit and widths in mu."""
    widths = dict(zip(CURVES, (sigma, sigma_asimov, sigma_apriori, sigma_apriori_asimov), strict=True))
    curves = tuple(
        QuadraticCurve(
            name=name,
            slope=np.array([-mu_hat / width**2 if name == "observed" else 0.0]),
            root=np.array([[1.0 / width]]),
            baseline=baseline + 0.25 * column,
        )
        for column, (name, width) in enumerate(widths.items())
    )
    return QuadraticModel("parabola", (QuadraticBin("SR"),), curves, (-upper / 2,), (upper,))


def counting_model(
    *,
    channels: Sequence[tuple[str, int, str]] = (("SRlow", 1, "SR"), ("SRhigh", 2, "SR"), ("CR", 1, "CR")),
    seed: int = 1,
) -> QuadraticModel:
    """Several correlated bins with a pull in the observed data, an aliased curve, and a truncated domain.

    Args:
        channels: name, number of bins and role of each channel; bins of role CR may be left out by a signal.
        seed: of the numbers that are made up.
    """
    generator = np.random.default_rng(seed)
    bins = tuple(
        QuadraticBin(
            channel,
            index,
            role,
            optional=role == "CR",
            observed=int(generator.integers(4, 30)),
            background=float(np.round(generator.uniform(4.0, 30.0), 3)),
        )
        for channel, count, role in channels
        for index in range(count)
    )
    size = len(bins)
    noise = np.diag([1.0 / math.sqrt(item.background) for item in bins])
    mixing = np.eye(size) + 0.2 * np.tril(generator.uniform(-1.0, 1.0, (size, size)), -1)
    pull = np.array([(item.background - item.observed) / item.background for item in bins])
    roots = {
        name: noise @ mixing * factor for name, factor in zip(CURVES, (1.0, 0.95, 1.05, 1.05), strict=True)
    }
    curves = tuple(
        QuadraticCurve(
            name=name,
            slope=0.5 * pull if name == "observed" else np.zeros(size),
            root=roots[name],
            baseline=20.0 + 1.5 * column,
            alias_of="apriori" if name == "apriori_asimov" else None,
        )
        for column, name in enumerate(CURVES)
    )
    upper = tuple(5.0 * math.sqrt(item.background) + 20.0 for item in bins)
    return QuadraticModel("counting", bins, curves, tuple(0.0 for _ in bins), upper, delta_nll_max=30.0)
