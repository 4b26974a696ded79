"""Which pathologies a stand-in has, and the numbers that a seed makes of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter
from llb_trainer.teachers.densities.standins.density import StandIn
from llb_trainer.teachers.densities.standins.staircase import Staircase

__all__ = ["ELECTROWEAK", "FLAVOUR", "Layout", "electroweak_like", "flavour_like", "stand_in"]

Floats = NDArray[np.float64]

_FLAT = 10.0
"""Spread between two walls that are `2 sqrt(3)` apart: flat to a per cent, of unit variance."""


@dataclass(frozen=True)
class Layout:
    """A stand-in in words.

    Attributes:
        name: of the stand-in.
        nuisances: parameters `eta_1` and on, which come first.
        interest: coefficients `c_1` and on, the parameters of interest.
        cut: nuisances that a wall at zero cuts, at 0 to 1.2 of their standard deviations below the middle.
        flat: nuisances that are flat between two walls.
        cut_interest: coefficients with a wall, at the same distance, alternating sides.
        bent: pairs of coefficients of which the second follows the square of the first.
        flips: groups of coefficients with two solutions each: how many coefficients, how far apart the
            solutions are in standard deviations, probability of the second.
        rank: directions that correlate all parameters.
        scales: smallest and largest standard deviation in physical units, both of which occur.
        far: most standard deviations between a centre and 0.
    """

    name: str
    nuisances: int
    interest: int
    cut: int = 0
    flat: int = 0
    cut_interest: int = 0
    bent: int = 0
    flips: tuple[tuple[int, float, float], ...] = ()
    rank: int = 4
    scales: tuple[float, float] = (1e-4, 3.0)
    far: float = 1e5

    def __post_init__(self) -> None:
        taken = self.cut_interest + 2 * self.bent + sum(size for size, _, _ in self.flips)
        if self.cut + self.flat > self.nuisances or taken > self.interest:
            raise ValueError(f"{self.name} has more pathologies than parameters")


ELECTROWEAK = Layout("electroweak-like", nuisances=32, interest=8, cut=2, flat=1, bent=2, rank=5)
"""40 parameters, as a fit of eight coefficients to electroweak data: strong correlations, two inputs cut at
zero, one without any information but its limits, two bananas, one mode."""

FLAVOUR = Layout(
    "flavour-like",
    nuisances=77,
    interest=12,
    cut=4,
    flat=6,
    cut_interest=2,
    bent=2,
    flips=((2, 6.0, 0.35), (1, 3.5, 0.5)),
    rank=6,
)
"""89 parameters, as a fit of twelve coefficients to rare decays: besides walls and flat inputs two
ambiguities, one of two coefficients at once and far apart, one that overlaps: four modes."""


def electroweak_like(seed: int = 40) -> StandIn:
    """The 40-dimensional stand-in."""
    return stand_in(ELECTROWEAK, seed)


def flavour_like(seed: int = 89) -> StandIn:
    """The 89-dimensional stand-in."""
    return stand_in(FLAVOUR, seed)


def stand_in(layout: Layout, seed: int) -> StandIn:
    """The stand-in that a seed makes of a layout; the same seed makes the same, on all machines."""
    generator = np.random.default_rng(seed)
    size = layout.nuisances + layout.interest
    slope, spread = _correlated(generator, size, layout.rank)
    lower, upper, bend = np.full(size, -np.inf), np.full(size, np.inf), np.zeros(size)

    cut, flat = np.split(generator.permutation(layout.nuisances)[: layout.cut + layout.flat], [layout.cut])
    lower[cut] = -generator.uniform(0.0, 1.2, layout.cut)
    lower[flat], upper[flat] = -np.sqrt(3.0), np.sqrt(3.0)
    slope[flat], spread[flat] = 0.0, _FLAT
    # coefficients by what happens to them, in this order: flips, bends, walls
    flips, place = list[NDArray[np.int64]](), layout.nuisances
    for count, _, _ in layout.flips:
        flips.append(np.arange(place, place + count))
        place += count
    bend[place + 1 : place + 2 * layout.bent : 2] = generator.uniform(0.4, 0.8, layout.bent)
    place += 2 * layout.bent
    for i in range(layout.cut_interest):
        distance = generator.uniform(0.0, 1.2)
        if i % 2:
            upper[place + i] = distance
        else:
            lower[place + i] = -distance
    weight, shift = _solutions(layout, flips, size)
    scale, centre = _units(generator, layout, size)
    stairs = Staircase(weight, shift, slope, bend, spread, lower, upper).rounded()
    centre[cut] = -stairs.lower[cut] * scale[cut]
    details = {"seed": seed, "layout": asdict(layout)}
    parameters = _parameters(layout, centre + scale * stairs.lower, centre + scale * stairs.upper)
    return StandIn(layout.name, parameters, centre, scale, stairs, details)


def _correlated(generator: np.random.Generator, size: int, rank: int) -> tuple[Floats, Floats]:
    """Slopes (size, size) and spreads (size,) of unit normal numbers that share `rank` directions."""
    factors = generator.standard_normal((size, rank)) * generator.uniform(0.1, 1.0, (size, 1))
    own = generator.uniform(0.15, 1.0, size)
    covariance = factors @ factors.T + np.diag(own)
    width = np.sqrt(np.diag(covariance))
    root = np.linalg.cholesky(covariance / np.outer(width, width))
    # row i of the root's inverse is (v_i - sum_j slope_ij v_j) / spread_i
    spread = np.diag(root).copy()
    slope = np.tril(np.eye(size) - spread[:, None] * np.linalg.inv(root), -1)
    return slope, np.asarray(spread, dtype=np.float64)


def _solutions(layout: Layout, flips: list[NDArray[np.int64]], size: int) -> tuple[Floats, Floats]:
    """Weights (K,) and shifts (K, size): every combination of the solutions of each ambiguity."""
    weight, shift = np.ones(1), np.zeros((1, size))
    for (_, apart, probability), where in zip(layout.flips, flips, strict=True):
        moved = shift.copy()
        moved[:, where] += apart * (-1.0) ** np.arange(len(where))
        weight = np.concatenate([weight * (1 - probability), weight * probability])
        shift = np.concatenate([shift, moved])
    return weight, shift


def _units(generator: np.random.Generator, layout: Layout, size: int) -> tuple[Floats, Floats]:
    """Scales and centres (size,) of four digits, even in their logarithms between their limits."""
    low, high = np.log(layout.scales)
    scale = np.exp(generator.uniform(low, high, size))
    smallest, largest = generator.permutation(size)[:2]
    scale[smallest], scale[largest] = layout.scales
    away = np.exp(generator.uniform(0.0, np.log(layout.far), size)) * generator.choice([-1.0, 1.0], size)
    scale = np.asarray([float(f"{value:.4g}") for value in scale])
    # nothing in such fits is larger than a mass in GeV
    away = np.clip(away * scale, -200.0, 200.0)
    return scale, np.asarray([float(f"{value:.4g}") for value in away])


def _parameters(layout: Layout, lower: Floats, upper: Floats) -> tuple[Parameter, ...]:
    def bounds(i: int) -> tuple[float | None, float | None]:
        low, high = float(lower[i]), float(upper[i])
        return low if np.isfinite(low) else None, high if np.isfinite(high) else None

    count = layout.nuisances
    return (
        *(Parameter(f"eta_{i + 1}", bounds=bounds(i), label=rf"$\eta_{{{i + 1}}}$") for i in range(count)),
        *(
            Parameter(f"c_{i + 1}", "poi", bounds=bounds(count + i), label=f"$c_{{{i + 1}}}$")
            for i in range(layout.interest)
        ),
    )
