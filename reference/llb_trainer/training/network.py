"""The learned function: what a trained ensemble computes, in plain numpy.

    Delta_c(s) = mean over members m of min over the branches k of curve c of
                 offset[m,k] + gain[m,k] D_c(s) + tilt[m,k].s + psi(s) N[m,k](z(s))

with the analytic part D_c (`llb_trainer.training.analytic`) and `psi = sqrt(1 + |s / scale|^2 / 4) - 1`. On
the branch that holds zero signal offset and tilt are 0 and the gain is 1, and the offsets of all others are
positive: Delta_c(0) is exactly 0, and the slope there is the teacher's. `Min` joins the branches of a
likelihood with several minima, whose kinks no smooth function can follow.

The spread of the members says how far the mean may be wrong:

    sigma_c(s) = factor_c sqrt(v_c(s) + floor_c^2 psi / (1 + psi))

where v_c is the variance over members of their minima, half of it that of curve c and half the mean of all
curves: few members say little about their own spread, and where one curve is hard to learn the others are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llb_trainer.training.analytic import AnalyticProfile
from llb_trainer.training.branches import Branches

__all__ = ["Calibration", "ProfileNetwork", "floored", "pooling"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """How the spread of the members becomes a standard deviation of the error.

    Attributes:
        factor: (n_curves,) by which the spread is multiplied.
        floor: (n_curves,) least spread, in NLL units, away from zero signal.
    """

    factor: Floats
    floor: Floats


def pooling(n_curves: int) -> Floats:
    """(n_curves, n_curves) by which variances of the curves are multiplied: half its own, half their mean."""
    return 0.5 * np.eye(n_curves) + 0.5 / n_curves


def floored(variance: Floats, away: Floats, floor: Floats | float) -> Floats:
    """The spread in NLL units, with its least value `floor` as far as a signal is `away` from zero signal."""
    return np.sqrt(variance + floor**2 * away)


@dataclass(frozen=True)
class ProfileNetwork:
    """A trained ensemble of profile likelihood networks.

    Attributes:
        curves: names of the curves, in the order of the outputs.
        asimov: of each curve, whether it is nowhere below zero signal; then nothing below 0 is answered.
        counts: branches of each curve; those of one curve stand together, first the one of zero signal.
        scale: (n_bins,) signal, in events, that counts as one unit of input.
        analytic: the part that is known.
        offset: (n_members, n_branches) Delta NLL of each branch at zero signal.
        gain: (n_members, n_branches) share of the analytic part.
        tilt: (n_members, n_bins, n_branches) slope that is added, per event.
        kernels: per layer (n_members, n_in, n_out); hidden layers are followed by squareplus, 0 at 0.
        biases: per layer (n_members, n_out); the last has an output for each branch.
        calibration: of the spread of the members; None where it was not calibrated.
    """

    curves: tuple[str, ...]
    asimov: tuple[bool, ...]
    counts: tuple[int, ...]
    scale: Floats
    analytic: AnalyticProfile
    offset: Floats
    gain: Floats
    tilt: Floats
    kernels: tuple[Floats, ...] = field(repr=False)
    biases: tuple[Floats, ...] = field(repr=False)
    calibration: Calibration | None = None

    @property
    def n_members(self) -> int:
        """Size of the ensemble."""
        return self.kernels[0].shape[0]

    @property
    def branches(self) -> Branches:
        """Which branch belongs to which curve."""
        return Branches(self.counts)

    def members(self, signals: Floats) -> Floats:
        """Delta NLL by each member, shape (n_members, n, n_curves), for signals (n, n_bins)."""
        lowest = np.minimum.reduceat(self._branches(signals), self.branches.first, axis=2)
        return np.where(self.asimov, np.maximum(lowest, 0.0), lowest)

    def __call__(self, signals: Floats) -> Floats:
        """Delta NLL, shape (n, n_curves), for signals (n, n_bins) in events."""
        return np.mean(self.members(signals), axis=0)

    def spread(self, signals: Floats) -> tuple[Floats, Floats]:
        """v_c, (n, n_curves) in squared NLL units, and how far from zero signal, from 0 to 1, (n, 1)."""
        psi = self._psi(signals)
        variance = np.var(self.members(signals), axis=0) @ pooling(len(self.curves))
        return variance, (psi / (1.0 + psi))[:, None]

    def sigma(self, signals: Floats) -> Floats:
        """Standard deviation of the error of Delta NLL, shape (n, n_curves); 0 if not calibrated."""
        if self.calibration is None:
            return np.zeros((len(signals), len(self.curves)))
        variance, away = self.spread(signals)
        return self.calibration.factor * floored(variance, away, self.calibration.floor)

    def _psi(self, signals: Floats) -> Floats:
        square = 0.25 * np.sum((signals / self.scale) ** 2, axis=1)
        return square / (1.0 + np.sqrt(1.0 + square))

    def _branches(self, signals: Floats) -> Floats:
        """(n_members, n, n_branches)."""
        x = signals / self.scale
        hidden = np.broadcast_to(x / np.sqrt(np.sqrt(1.0 + x * x)), (self.n_members, *x.shape))
        last = len(self.kernels) - 1
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            hidden = hidden @ kernel + bias[:, None, :]
            if layer < last:
                hidden = 0.5 * (hidden + np.sqrt(hidden * hidden + 1.0) - 1.0)
        known = self.gain[:, None, :] * self.analytic(signals)[:, self.branches.owner]
        start = self.offset[:, None, :] + signals @ self.tilt
        return start + known + self._psi(signals)[:, None] * hidden
