"""Where the minima lie: a thorough search on a pilot sample of signals, kept as an atlas.

Profile likelihoods of real searches are multi-modal. Free normalisations split them (at a bound the model
is a different one), and so do systematics whose two variations push the same way. So pilot signals are fitted
from the measurement's own start, from every free normalisation held at each of its bounds and then released,
from random draws of the parameters' priors, and from minima with one such systematic on its other side; and
then from the minima of other signals, until nothing lower turns up.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.atlas import Atlas, Minima
from llb_trainer.teachers.histfactory.curvefits import FREE, CurveFits, all_holds
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.problem import FitResult
from llb_trainer.teachers.histfactory.sides import bending

__all__ = ["around", "explore", "lowest_of_draws", "random_starts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_BLOCK = 64
"""Most pilots that are searched with random starts at a time."""
_VALLEYS, _SEEN = 6, 2.0
"""Starts beyond each minimum, and the NLL above the lowest up to which minima are looked from and at."""
_REACH = 15.0
"""Minima higher than the lowest by more (in NLL units) are not kept: they win nowhere near."""


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
        bad = ((likelihood.expected(theta, signal)[0] < 1e-3) & (item.main > 0)).any(axis=1)
        if not bad.any():
            break
        theta[bad] = start + 0.6 * (theta[bad] - start)
    return theta


class _Search:
    """Minima found so far: which signal, where, how high; and which of them were looked from."""

    def __init__(self, fits: CurveFits, signals: Floats) -> None:
        self.fits, self.signals = fits, signals
        self.owner = np.empty(0, dtype=np.int64)
        self.theta = np.empty((0, len(fits.likelihood.order)))
        self.nll, self.looked = np.empty(0), np.empty(0)
        self.width, self.bend = prior_widths(fits.likelihood), bending(fits.likelihood)

    def slices(self) -> Ints:
        """(n_signals + 1,) where the minima of each signal begin; they are sorted by signal, then by NLL."""
        return np.searchsorted(self.owner, np.arange(len(self.signals) + 1))

    def fit(self, owner: Ints, start: Floats) -> FitResult:
        """Fit these signals from these starts."""
        return self.fits.fit(self.signals[owner], start)

    def from_default(self, rows: Ints) -> None:
        """Fit from the measurement's start, and from every normalisation held at a bound and released."""
        first = self.fit(rows, self.fits.default_start(len(rows)))
        self.add(rows, first)
        which, start = self.fits.from_bounds(self.signals[rows], first.theta)
        self.add(rows[which], self.fit(rows[which], start))

    def exchange(self, rows: Ints) -> bool:
        """Fit from the minima of signals like these; whether some signal has a lower one now."""
        atlas = self.atlas()
        local, start = atlas.choose(self.signals[rows], most=12, margin=8.0)
        new = ~self.known(rows[local], start, within=0.02)
        return self.add(rows[local[new]], self.fit(rows[local[new]], start[new]))

    def look(self, rows: Ints, looks: int = 4) -> bool:
        """Fit from what is seen beyond minima of these signals; whether some signal has a lower one now."""
        fits, lower = self.fits, False
        for _ in range(looks):
            near = (self.nll <= self.lowest()[self.owner] + _SEEN) & np.isin(self.owner, rows)
            # values tell minima apart well enough
            fresh = np.flatnonzero(near & ~np.isin(self.nll, self.looked))
            self.looked = np.concatenate([self.looked, self.nll[fresh]])
            data = fits.fitter.data.take(np.full(len(fresh), fits.row))
            seen, start, _ = fits.sides.beyond(
                self.theta[fresh], self.signals[self.owner[fresh]], data, _VALLEYS, _SEEN
            )
            owner = self.owner[fresh[seen]]
            new = ~self.known(owner, start, within=0.1)
            if not new.any():
                break
            lower |= self.add(owner[new], self.fit(owner[new], start[new]))
        return lower

    def known(self, owner: Ints, start: Floats, within: float) -> Flags:
        """Which of these starts are near a minimum that is known of the same signal.

        Near is half the squared distance, in prior widths, below `within`.
        """
        first = self.slices()
        found = np.zeros(len(owner), dtype=bool)
        for number in range(int(np.max(np.diff(first), initial=0))):
            row = np.minimum(first[owner] + number, len(self.owner) - 1)
            apart = 0.5 * np.sum(((start - self.theta[row]) / self.width) ** 2, axis=1)
            found |= (first[owner] + number < first[owner + 1]) & (apart < within)
        return found

    def draw(self, rows: Ints, draws: int, rng: np.random.Generator) -> bool:
        """Fit from random starts; whether some signal has a lower minimum now."""
        owner = np.repeat(rows, draws)
        if not len(owner):
            return False
        start = random_starts(self.fits.likelihood, self.fits.item, self.signals[owner], rng)
        return self.add(owner, self.fit(owner, start))

    def hop(self, rows: Ints, hops: int, rng: np.random.Generator) -> bool:
        """Fit from known minima with a parameter on its other side; whether some signal has a lower one now.

        Half of them, and more where there are several, begin with a free normalisation at one of its bounds:
        it is held there until the others have followed.
        """
        likelihood = self.fits.likelihood
        bend, holds = self.bend, all_holds(likelihood)
        first = self.slices()
        owner = np.repeat(rows[first[rows + 1] > first[rows]], hops)
        if not len(owner) or not bend.any():
            return False
        start = self.theta[rng.integers(first[owner], first[owner + 1])]
        flipped = rng.choice(len(bend), size=len(owner), p=bend / bend.sum())
        each = np.arange(len(owner))
        centre, width = likelihood.start[flipped], self.width[flipped]
        side = np.where(start[each, flipped] > centre, -1.0, 1.0)
        start[each, flipped] = centre + side * width * np.abs(rng.standard_normal(len(owner)))
        held = rng.integers(FREE, len(holds), size=len(owner))
        there = np.flatnonzero(held != FREE)
        start[there] = self.fits.held(self.signals[owner[there]], start[there], holds, held[there])
        return self.add(owner, self.fit(owner, start))

    def add(self, owner: Ints, found: FitResult) -> bool:
        """Keep what is new; whether some signal has a lower minimum now."""
        before = self.lowest()
        # What expects less than nothing would be lower than all that can be, and leads nowhere.
        good = found.converged & self.fits.likelihood.possible(found.theta, self.signals[owner])
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
        return Atlas(self.fits.item.main, self.width**-2.0, self.signals, self.owner, self._minima())

    def _minima(self) -> Minima:
        background, scale = self.fits.likelihood.background(self.theta)
        signal = self.signals[self.owner]
        events = background + scale[:, None] * signal
        jacobian = self.fits.likelihood.jacobian(self.theta, signal)
        terms, own = self.fits.likelihood.model.constraints, self.fits.likelihood.order.parameters
        counts = self.fits.item.main
        safe = np.where(counts > 0, events, 1.0)
        weight = counts / safe**2
        curvature = np.select(
            [terms.kind[own] == 1, terms.kind[own] == 2],
            [terms.width[own] ** -2.0, self.fits.item.auxiliary[own] / np.maximum(self.theta, 1e-12) ** 2],
            1e-6 * np.einsum("nbp,nb->np", jacobian**2, weight) + 1e-12,
        )
        free = (self.theta > self.fits.likelihood.lower) & (self.theta < self.fits.likelihood.upper)
        response = jacobian * (free / curvature)[:, None]
        spread = np.einsum("nbp,ncp->nbc", response, jacobian)
        damping = np.linalg.inv(np.eye(len(counts)) + weight[..., None] * spread)
        main = np.sum(events - counts * np.log(safe), axis=1)
        residual = 1.0 - counts / safe
        return Minima(self.theta, background, scale, self.nll - main, residual, response, spread, damping)


def explore(fits: CurveFits, pilots: Floats, *, draws: int, least: int, seed: int, rounds: int = 4) -> Atlas:
    """Search for minima at pilot signals.

    Random starts are tried at a few pilots at a time, after the minima that are known already: once these
    alone find everything, and `least` were searched, the other pilots are left to them.

    Args:
        fits: of the curve.
        pilots: (n, n_bins) signals.
        draws: random starts per signal; two in three from its minima, a parameter on its other side.
        least: pilots that are searched with them in any case.
        seed: of the random starts.
        rounds: how often at most minima are tried at other signals.
    """
    search = _Search(fits, pilots)
    rng = np.random.default_rng([seed, fits.row])
    size = min(_BLOCK, least)
    blocks = np.split(np.arange(len(pilots)), range(size, len(pilots), size))
    for number, rows in enumerate(blocks):
        if number == 0:
            search.from_default(rows)
        search.exchange(rows)
        search.look(rows)
        lower = [search.draw(rows, draws // 3, rng), search.hop(rows, draws - draws // 3, rng)]
        if not any(lower) and rows[-1] + 1 >= least:
            break
    for _ in range(rounds):
        everyone = np.arange(len(pilots))
        lower = [search.exchange(everyone), search.look(everyone)]
        if not any(lower):
            break
    return search.atlas()


def around(signals: Floats, least: int, seed: int = 0) -> Floats:
    """The signals (n, n_bins), and variations of them until there are enough to find each other's minima."""
    rng = np.random.default_rng(seed)
    more = max(0, least - len(signals))
    like = signals[np.arange(more) % len(signals)]
    strength = rng.choice([0.25, 0.5, 1.0, 1.5, 2.0], size=(more, 1))
    return np.concatenate([signals, strength * like * np.exp(0.5 * rng.standard_normal(like.shape))])


def lowest_of_draws(fits: CurveFits, signals: Floats, *, draws: int, seed: int) -> Floats:
    """The lowest NLL (n,) that random starts reach, infinite where none counts; arguments as `explore`."""
    search = _Search(fits, signals)
    search.draw(np.arange(len(signals)), draws, np.random.default_rng([seed, fits.row]))
    return search.lowest()
