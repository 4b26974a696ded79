"""Stand-ins: normalised, drawn from exactly, reproducible, and with the pathologies that they are for."""

from __future__ import annotations

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from llb_trainer.chains import sample_findings
from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.teachers.densities import StandIn, electroweak_like, flavour_like, stand_in
from llb_trainer.teachers.densities.standins import FLAVOUR, Layout, Staircase

Floats = NDArray[np.float64]

PAIR = Staircase(
    weight=np.array([0.3, 0.7]),
    shift=np.array([[0.0, 0.0], [1.5, -2.0]]),
    slope=np.array([[0.0, 0.0], [0.8, 0.0]]),
    bend=np.array([0.0, 0.3]),
    spread=np.array([1.0, 0.5]),
    lower=np.array([-0.4, -np.inf]),
    upper=np.array([np.inf, 1.0]),
)
"""Two coordinates with everything at once: two modes, a slope, a bend, a wall each."""


@cache
def one(name: str) -> StandIn:
    return made(name)


def made(name: str) -> StandIn:
    return electroweak_like() if name == "electroweak" else flavour_like()


BOTH = pytest.mark.parametrize("name", ["electroweak", "flavour"])


def grid_of(density: Staircase, first: Floats, second: Floats) -> Floats:
    """The density on a grid."""
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    with jax.enable_x64(True):
        value = np.asarray(jax.jit(jax.vmap(density.log_density))(jnp.asarray(points)))
    return np.exp(value).reshape(len(first), len(second))


def test_the_integral_is_one() -> None:
    first, second = np.linspace(-0.4, 8.0, 1201), np.linspace(-9.0, 1.0, 1201)
    inner = np.trapezoid(grid_of(PAIR, first, second), second, axis=1)
    assert np.trapezoid(inner, first) == pytest.approx(1.0, abs=1e-4)


def test_draws_follow_the_density() -> None:
    """Distribution functions of both coordinates, integrated on a grid, against draws."""
    first, second = np.linspace(-0.4, 8.0, 801), np.linspace(-9.0, 1.0, 801)
    density = grid_of(PAIR, first, second)
    generator = np.random.default_rng(3)
    component = generator.choice(2, 20_000, p=PAIR.weight)
    draws = PAIR.transformed(component, generator.standard_normal((20_000, 2)))
    for axis, places in enumerate((first, second)):
        marginal = density.sum(axis=1 - axis)
        cumulative = np.cumsum(marginal) / marginal.sum()
        values = draws[:, axis]
        assert kstest(values, lambda x, c=cumulative, p=places: np.interp(x, p, c)).pvalue > 1e-3


def test_the_map_is_inverted() -> None:
    generator = np.random.default_rng(1)
    component, base = generator.choice(2, 1000), generator.standard_normal((1000, 2))
    np.testing.assert_allclose(PAIR.base(component, PAIR.transformed(component, base)), base, atol=1e-9)


def test_far_out_in_the_tails() -> None:
    """A wall eight standard deviations above the middle: the logarithm stays exact, draws stay inside."""
    far = Staircase(
        *(np.ones(1), np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.ones(1)),
        lower=np.array([8.0]),
        upper=np.array([np.inf]),
    )
    with jax.enable_x64(True):
        both = jax.jit(jax.value_and_grad(far.log_density))
        at_wall, slope = float(both(jnp.asarray([8.0]))[0]), float(both(jnp.asarray([8.1]))[1][0])
    # the ratio of a normal density to its tail at 8, Abramowitz and Stegun 26.2.12
    assert at_wall == pytest.approx(np.log(8.0 / (1 - 1 / 64 + 3 / 64**2 - 15 / 64**3)), abs=1e-3)
    assert slope == pytest.approx(-8.1)
    draws = far.transformed(
        np.zeros(1000, dtype=np.int64), np.random.default_rng(0).standard_normal((1000, 1))
    )
    assert draws.min() >= 8.0
    assert draws.mean() == pytest.approx(8.12, abs=0.02)


@BOTH
def test_samples_are_sound_and_reproducible(name: str) -> None:
    teacher = one(name)
    samples = teacher.samples(4000, seed=1)
    assert sample_findings(samples) == ()
    np.testing.assert_array_equal(samples.values, made(name).samples(4000, seed=1).values)
    assert not np.array_equal(samples.values, teacher.samples(4000, seed=2).values)
    assert teacher.source == made(name).source
    assert teacher.source.details["sha256"] != electroweak_like(seed=1).source.details["sha256"]


@BOTH
def test_the_base_is_standard_normal(name: str) -> None:
    """Through the inverse map of its own component every draw is a standard normal vector."""
    teacher = one(name)
    generator = np.random.default_rng(7)
    component = generator.choice(len(teacher.stairs.weight), 4000, p=teacher.stairs.weight)
    base = generator.standard_normal((4000, len(teacher.parameters)))
    draws = teacher.stairs.transformed(component, base)
    np.testing.assert_allclose(teacher.stairs.base(component, draws), base, atol=1e-8)


@BOTH
def test_log_density_is_normalised_in_physical_units(name: str) -> None:
    """E[q / p] over draws of p is 1 for every normalised q within p, such as a narrower one of its kind."""
    teacher = one(name)
    stairs = teacher.stairs
    draws = teacher.samples(20_000, seed=5)
    narrow = Staircase(
        stairs.weight,
        stairs.shift,
        stairs.slope,
        stairs.bend,
        0.97 * stairs.spread,
        stairs.lower,
        stairs.upper,
    )
    other = StandIn("narrow", teacher.parameters, teacher.centre, teacher.scale, narrow)
    assert draws.log_density is not None
    ratio = np.exp(other.log_densities(draws.values) - draws.log_density)
    assert ratio.mean() == pytest.approx(1.0, abs=4 * ratio.std() / np.sqrt(len(ratio)))
    # and against the units, which that ratio does not see
    v = (draws.values[:3] - teacher.centre) / teacher.scale
    with jax.enable_x64(True):
        inside = np.asarray(jax.jit(jax.vmap(stairs.log_density))(jnp.asarray(v)))
    np.testing.assert_allclose(draws.log_density[:3], inside - np.log(teacher.scale).sum(), rtol=1e-9)


@BOTH
def test_gradients_are_finite_and_there_is_nothing_outside(name: str) -> None:
    teacher = one(name)
    draws = teacher.samples(200, seed=3).values
    with jax.enable_x64(True):
        slopes = jax.jit(jax.vmap(jax.grad(teacher.log_density)))(jnp.asarray(draws))
        assert np.isfinite(np.asarray(slopes)).all()
    assert np.isfinite(teacher.log_densities(teacher.start[None])).all()
    walls = np.flatnonzero(np.isfinite(lower_bounds(teacher.parameters)))
    beyond = np.tile(draws[0], (len(walls), 1))
    beyond[np.arange(len(walls)), walls] = (
        lower_bounds(teacher.parameters)[walls] - 1e-3 * teacher.scale[walls]
    )
    assert (teacher.log_densities(beyond) == -np.inf).all()


@BOTH
def test_scales_and_walls(name: str) -> None:
    teacher = one(name)
    assert (teacher.scale.min(), teacher.scale.max()) == (1e-4, 3.0)
    values = teacher.samples(20_000, seed=2).values
    lower, upper = lower_bounds(teacher.parameters), upper_bounds(teacher.parameters)
    walled = np.isfinite(lower)
    assert {float(x) for x in lower[walled]} >= {0.0}
    # mass stands at the walls: a per cent of a standard deviation beside them is not empty
    near = (values - lower)[:, walled] / teacher.scale[walled]
    assert (np.mean(near < 0.05, axis=0) > 0.002).all()
    both = walled & np.isfinite(upper)
    assert both.any()
    place = (values - lower)[:, both] / (upper - lower)[both]
    for column in place.T:
        assert kstest(column[:500], "uniform").pvalue > 1e-3


def test_the_flavour_like_one_has_four_modes() -> None:
    teacher = one("flavour")
    assert len(teacher.stairs.weight) == 4
    values = (teacher.samples(20_000, seed=4).values - teacher.centre) / teacher.scale
    first, second, third = values[:, 77:80].T
    # one ambiguity moves two coefficients at once, nothing is between its solutions
    assert np.corrcoef(first, second)[0, 1] < -0.7
    assert np.mean(np.abs(first - 3.0) < 0.5) < 0.25 * np.mean(np.abs(first) < 0.5)
    assert np.mean(first > 3) == pytest.approx(0.35, abs=0.03)
    # the other overlaps
    assert 0.3 < np.mean(np.abs(third - 1.75) < 0.5) / np.mean(np.abs(third) < 0.5) < 1.0


def test_the_electroweak_like_one_has_one_and_is_correlated() -> None:
    teacher = one("electroweak")
    assert len(teacher.stairs.weight) == 1
    assert [item.role for item in teacher.parameters].count("poi") == 8
    correlation = np.corrcoef(teacher.samples(20_000, seed=4).values.T) - np.eye(40)
    assert 0.7 < np.abs(correlation).max() < 0.999


def test_more_pathologies_than_parameters() -> None:
    with pytest.raises(ValueError, match="more pathologies"):
        Layout("too much", nuisances=2, interest=1, cut=2, flat=1)
    assert stand_in(FLAVOUR, 1).source.details["seed"] == 1
