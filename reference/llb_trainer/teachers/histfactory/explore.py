"""Where the minima lie: a thorough search on a pilot sample of signals, kept as an atlas.

Profile likelihoods of real searches are multi-modal. Free normalisations split them (at a bound the model
is a different one), and so do systematics whose two variations push the same way. So every pilot signal is
fitted from the measurement's own start, from every free normalisation held at each of its bounds and then
released, and from random draws of the parameters' priors; and then from the minima of the other signals,
until nothing lower turns up.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.atlas import Atlas, Minima, find_switches
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.fit import FitProblem, FitResult, Fitter
from llb_trainer.teachers.histfactory.likelihood import Likelihood

__all__ = ["Hold", "all_holds", "around", "explore", "lowest_of_draws", "random_starts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_REACH = 15.0
"""Minima higher than the lowest by more (in NLL units) are not kept: they win nowhere near."""


@dataclass(frozen=True)
class Hold:
    """A free normalisation at one of its bounds.

    Attributes:
        parameter: index among the moving parameters.
        value: the bound.
    """

    parameter: int
    value: float


def all_holds(likelihood: Likelihood) -> tuple[Hold, ...]:
    """Every free normalisation at each finite bound."""
    free = likelihood.model.constraints.kind[likelihood.order.parameters] == 0
    return tuple(
        Hold(int(i), float(bound[i]))
        for i in np.flatnonzero(free)
        for bound in (likelihood.lower, likelihood.upper)
        if np.isfinite(bound[i])
    )


def prior_widths(likelihood: Likelihood) -> Floats:
    """(P,) widths of the constraint terms; of a free parameter a quarter of its range, at most 1."""
    terms, own = likelihood.model.constraints, likelihood.order.parameters
    room = np.where(
        np.isfinite(likelihood.upper - likelihood.lower), likelihood.upper - likelihood.lower, 4.0
    )
    poisson = 1.0 / np.sqrt(np.maximum(terms.factor[own], 1e-12))
    return np.select(
        [terms.kind[own] == 1, terms.kind[own] == 2],
        [terms.width[own], poisson],
        np.minimum(1.0, 0.25 * room),
    )


def random_starts(likelihood: Likelihood, item: DataSet, signal: Floats, rng: np.random.Generator) -> Floats:
    """One start per signal (n, n_bins): constrained parameters from their priors, free ones in their bounds.

    A free parameter is drawn evenly from its range half of the time, otherwise around the measurement's
    value, on a logarithmic scale. A draw with an empty bin is pulled towards the measurement's start.
    """
    terms, own = likelihood.model.constraints, likelihood.order.parameters
    n, start = len(signal), likelihood.start
    free = terms.kind[own] == 0
    centre = np.where(free, start, item.auxiliary[own] / terms.factor[own])
    theta = centre + prior_widths(likelihood) * rng.standard_normal((n, len(own)))
    low = np.where(np.isfinite(likelihood.lower), likelihood.lower, start - 10.0)
    high = np.where(np.isfinite(likelihood.upper), likelihood.upper, start + 10.0)
    evenly = low + (high - low) * rng.uniform(size=theta.shape)
    near = start * np.exp(rng.standard_normal(theta.shape))
    theta = np.where(free, np.where(rng.uniform(size=theta.shape) < 0.5, evenly, near), theta)
    theta = np.clip(theta, likelihood.lower, likelihood.upper)
    for _ in range(12):
        events, scale = likelihood.background(theta)
        bad = ((events + scale[:, None] * signal < 1e-3) & (item.main > 0)).any(axis=1)
        if not bad.any():
            break
        theta[bad] = start + 0.6 * (theta[bad] - start)
    return theta


class _Search:
    """Minima found so far: which signal, where, how high."""

    def __init__(
        self, likelihood: Likelihood, fitter: Fitter, signals: Floats, row: int, item: DataSet
    ) -> None:
        self.likelihood, self.fitter, self.signals, self.row, self.item = (
            likelihood,
            fitter,
            signals,
            row,
            item,
        )
        n_moving = len(likelihood.order)
        self.owner = np.empty(0, dtype=np.int64)
        self.theta = np.empty((0, n_moving))
        self.nll = np.empty(0)

    def fit(self, owner: Ints, start: Floats, hold: Hold | None = None) -> FitResult:
        """Fit these signals from these starts."""
        fixed = np.zeros(start.shape, dtype=bool)
        if hold is not None:
            start = start.copy()
            start[:, hold.parameter] = hold.value
            fixed[:, hold.parameter] = True
        rows = np.full(len(owner), self.row)
        return self.fitter.fit(FitProblem(self.signals[owner], rows, start, fixed))

    def add(self, owner: Ints, found: FitResult) -> bool:
        """Keep what is new; whether some signal has a lower minimum now."""
        before = self.lowest()
        good = found.converged
        owner = np.concatenate([self.owner, owner[good]])
        theta, nll = (
            np.concatenate([self.theta, found.theta[good]]),
            np.concatenate([self.nll, found.nll[good]]),
        )
        order = np.lexsort((nll, owner))
        owner, theta, nll = owner[order], theta[order], nll[order]
        new = np.ones(len(owner), dtype=bool)
        new[1:] = (owner[1:] != owner[:-1]) | (np.diff(nll) > 1e-6)
        self.owner, self.theta, self.nll = owner[new], theta[new], nll[new]
        near = self.nll <= self.lowest()[self.owner] + _REACH
        self.owner, self.theta, self.nll = self.owner[near], self.theta[near], self.nll[near]
        return bool((self.lowest() < before - 1e-6).any())

    def lowest(self) -> Floats:
        """(n_signals,) lowest NLL of each signal; infinite where nothing converged yet."""
        lowest = np.full(len(self.signals), np.inf)
        np.minimum.at(lowest, self.owner, self.nll)
        return lowest

    def atlas(self) -> Atlas:
        """What is known now."""
        pairs = [
            np.stack([self.theta[first], self.theta[second]])
            for first, second in pairwise(range(len(self.owner)))
            if self.owner[first] == self.owner[second]
        ]
        n_moving = self.theta.shape[1]
        switches = find_switches(np.asarray(pairs).reshape(-1, 2, n_moving), prior_widths(self.likelihood))
        return Atlas(self.item.main, self._minima(), switches)

    def _minima(self) -> Minima:
        background, scale = self.likelihood.background(self.theta)
        signal = self.signals[self.owner]
        events = background + scale[:, None] * signal
        jacobian = self.likelihood.jacobian(self.theta, signal)
        terms, own = self.likelihood.model.constraints, self.likelihood.order.parameters
        counts = self.item.main
        safe = np.where(counts > 0, events, 1.0)
        weight = counts / safe**2
        curvature = np.select(
            [terms.kind[own] == 1, terms.kind[own] == 2],
            [terms.width[own] ** -2.0, self.item.auxiliary[own] / np.maximum(self.theta, 1e-12) ** 2],
            1e-6 * np.einsum("nbp,nb->np", jacobian**2, weight) + 1e-12,
        )
        free = (self.theta > self.likelihood.lower) & (self.theta < self.likelihood.upper)
        response = jacobian * (free / curvature)[:, None]
        spread = np.einsum("nbp,ncp->nbc", response, jacobian)
        main = np.sum(events - counts * np.log(safe), axis=1)
        return Minima(self.theta, background, scale, self.nll - main, 1.0 - counts / safe, response, spread)


def explore(
    likelihood: Likelihood,
    fitter: Fitter,
    signals: Floats,
    row: int,
    item: DataSet,
    *,
    draws: int,
    seed: int,
    rounds: int = 4,
) -> Atlas:
    """Search for minima at pilot signals.

    Args:
        likelihood: the model.
        fitter: its fits.
        signals: (n, n_bins) pilot signals.
        row: the data set among those of the fitter.
        item: that data set.
        draws: random starts per signal.
        seed: of the random starts.
        rounds: how often at most minima are tried at other signals.
    """
    search = _Search(likelihood, fitter, signals, row, item)
    everyone = np.arange(len(signals))
    first = search.fit(everyone, np.tile(likelihood.start, (len(signals), 1)))
    search.add(everyone, first)
    for hold in all_holds(likelihood):
        held = search.fit(everyone, first.theta, hold)
        search.add(everyone, search.fit(everyone, held.theta))
    rng = np.random.default_rng([seed, row])
    owner = np.repeat(everyone, draws)
    if draws:
        search.add(owner, search.fit(owner, random_starts(likelihood, item, signals[owner], rng)))
    for _ in range(rounds):
        atlas = search.atlas()
        owner, start = atlas.choose(signals, most=8, margin=6.0)
        start = np.clip(start, likelihood.lower, likelihood.upper)
        if not search.add(owner, search.fit(owner, start)):
            break
    return search.atlas()


def around(signals: Floats, least: int = 48, seed: int = 0) -> Floats:
    """The signals (n, n_bins), and variations of them until there are enough to find each other's minima."""
    rng = np.random.default_rng(seed)
    more = max(0, least - len(signals))
    like = signals[np.arange(more) % len(signals)]
    strength = rng.choice([0.25, 0.5, 1.0, 1.5, 2.0], size=(more, 1))
    return np.concatenate([signals, strength * like * np.exp(0.5 * rng.standard_normal(like.shape))])


def lowest_of_draws(
    likelihood: Likelihood,
    fitter: Fitter,
    signals: Floats,
    row: int,
    item: DataSet,
    *,
    draws: int,
    seed: int,
) -> Floats:
    """The lowest NLL (n,) that random starts reach, infinite where none converged; arguments as `explore`."""
    search = _Search(likelihood, fitter, signals, row, item)
    owner = np.repeat(np.arange(len(signals)), draws)
    start = random_starts(likelihood, item, signals[owner], np.random.default_rng([seed, row]))
    search.add(owner, search.fit(owner, start))
    return search.lowest()
