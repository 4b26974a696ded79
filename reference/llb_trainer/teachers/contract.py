"""What a teacher is: something that knows the exact likelihood of a signal, with its gradient.

Everything behind the teachers (sampling, labels, training) works on these types alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CURVES",
    "CurveData",
    "CurveLabels",
    "ExploringTeacher",
    "Labels",
    "SignalBin",
    "Source",
    "SourceChannel",
    "SourceFile",
    "Teacher",
]

Floats = NDArray[np.float64]

CURVES = ("observed", "observed_asimov", "apriori", "apriori_asimov")
"""The four data sets on which a profile likelihood is known."""


@dataclass(frozen=True)
class SignalBin:
    """A bin that can hold signal.

    Attributes:
        channel, index: where it is in the analysis.
        observed: observed events.
        background: expected background events, nominal.
    """

    channel: str
    index: int
    observed: float
    background: float

    @property
    def id(self) -> str:
        """Its name in a bundle, `channel[index]`."""
        return f"{self.channel}[{self.index}]"


@dataclass(frozen=True)
class CurveData:
    """One of the four data sets.

    Attributes:
        name: one of `CURVES`.
        baseline_nll: NLL without signal, profiled.
        slope: (n_bins,) exact gradient of the profiled NLL at zero signal.
        main: (n_bins,) main data.
        auxiliary: auxiliary data per constrained parameter set.
        alias_of: name of the curve whose Delta NLL it shares, or "".
        alias_max_difference: largest difference of Delta NLL seen in the test of the alias.
    """

    name: str
    baseline_nll: float
    slope: Floats
    main: Floats
    auxiliary: tuple[tuple[str, tuple[float, ...]], ...]
    alias_of: str = ""
    alias_max_difference: float = 0.0


@dataclass(frozen=True)
class CurveLabels:
    """Exact values of one curve at `n` signals.

    Attributes:
        name: curve.
        delta: (n,) Delta NLL of the global minimum.
        gradient: (n, n_bins) d Delta / d signal there.
        branches: (n, n_branches) Delta NLL of each basin, NaN where that basin holds no local minimum.
        branch_gradients: (n, n_branches, n_bins) gradients there.
        parameters: (n, n_parameters) nuisance parameters of the global minimum.
        edm: (n,) estimated distance to the minimum in NLL units.
        projected_gradient: (n,) largest component of the gradient that no bound holds, in units of the
            square root of the parameter's own curvature.
        converged: (n,) whether the minimum is proven.
        starts: (n,) fits that were compared to find it.
    """

    name: str
    delta: Floats
    gradient: Floats
    branches: Floats
    branch_gradients: Floats
    parameters: Floats
    edm: Floats
    projected_gradient: Floats
    converged: NDArray[np.bool_]
    starts: NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Exact values of all curves (aliases left out) at the same signals, shape (n, n_bins)."""

    signals: Floats
    curves: tuple[CurveLabels, ...]

    @property
    def delta(self) -> Floats:
        """(n, n_curves) Delta NLL."""
        return np.stack([curve.delta for curve in self.curves], axis=1)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """(n,) signals at which every curve has a converged label."""
        return np.logical_and.reduce([curve.converged for curve in self.curves])


@dataclass(frozen=True)
class SourceFile:
    """A file that a teacher was read from: its name, number of raw bytes and their digest."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SourceChannel:
    """A channel of the source: its number of bins, and its background samples if it lists any."""

    name: str
    bins: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """What a teacher was read from, as the manifest of a bundle states it.

    Attributes:
        kind: kind of statistical model, as the manifest names it.
        files: its files.
        channels: its channels, in the order of its document.
        details: the further keys that the manifest has for this kind, as JSON.
        software: distributions that evaluate it.
    """

    kind: str
    files: tuple[SourceFile, ...]
    channels: tuple[SourceChannel, ...]
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    software: tuple[str, ...] = ()


class Teacher(Protocol):
    """The exact likelihood of an analysis."""

    @property
    def source(self) -> Source:
        """What it was read from."""
        ...

    @property
    def signal_modifiers(self) -> tuple[str, ...]:
        """What multiplies the signal besides the signal strength: `("lumi",)` or `()`."""
        ...

    @property
    def signal_uncertainty(self) -> float:
        """Flat relative uncertainty of the signal, 0 for none."""
        ...

    @property
    def bins(self) -> tuple[SignalBin, ...]:
        """The bins, in the order of every signal array."""
        ...

    @property
    def curves(self) -> tuple[CurveData, ...]:
        """The four data sets, in the order of `CURVES`."""
        ...

    @property
    def owners(self) -> tuple[CurveData, ...]:
        """The curves that are no alias of another; labels have an entry for each."""
        ...

    @property
    def covariance(self) -> Floats:
        """(n_bins, n_bins) covariance of the nominal background over the nuisance parameters."""
        ...

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the basins, in the order of `CurveLabels.branches`."""
        ...

    @property
    def minima_known(self) -> Mapping[str, int]:
        """Minima found before the first label, from which fits start, by curve; empty if there are none."""
        ...

    def label(self, signals: Floats, progress: Callable[[int], None] | None = None) -> Labels:
        """Exact values and gradients; `progress` is told how many signals were finished."""
        ...

    def second_look(self, signals: Floats, *, starts: int = 50, seed: int = 0) -> dict[str, Floats]:
        """The lowest NLL (n,) that random starts reach, by curve; infinite where none converged."""
        ...


class ExploringTeacher(Teacher, Protocol):
    """A teacher that may look for minima at some signals before it labels others like them."""

    def explored(self, pilot: Floats, *, progress: Callable[[int], None] | None = None) -> Self:
        """The same teacher after such a look at pilots (n, n_bins).

        `progress` is told how many of the curves that are no alias were looked at since the last call.
        """
        ...
