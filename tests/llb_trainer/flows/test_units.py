from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_flows import plain_units, random_units
from scipy.integrate import quad
from scipy.special import ndtr

from llb_schema import FindingError
from llb_trainer.flows import UnitMap, fit_units
from llb_trainer.flows.units import FARTHEST, Tail, Wall

N = 40_000


def single(wall: Wall, below: Tail, above: Tail, lower: float = -np.inf, upper: float = np.inf) -> UnitMap:
    """The map of one parameter."""
    return replace(
        plain_units(1),
        lower=np.array([lower]),
        upper=np.array([upper]),
        walls=(wall,),
        below=(below,),
        above=(above,),
        center=np.array([0.3]),
        crossover=np.array([[0.8], [1.3]]),
        width=np.array([1.0 if wall in {"none", "both"} else 0.6]),
        shift=np.array([0.2]),
        scale=np.array([1.4]),
    )


MAPS = {
    "nothing": single("none", "light", "light"),
    "exponential below": single("none", "exponential", "light"),
    "power on both sides": single("none", "power", "power"),
    "two walls": single("both", "exponential", "exponential", -2.0, 5.0),
    "a wall below": single("lower", "exponential", "light", -2.0),
    "a wall below, one far above": single("lower", "exponential", "power", 0.0, 300.0),
    "a wall above, one far below": single("upper", "light", "exponential", -90.0, 1.0),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_map_and_its_inverse_undo_each_other(name: str) -> None:
    x = np.linspace(-5.0, 5.0, 2001)[:, None]
    theta = MAPS[name].physical(x)
    assert np.all(np.diff(theta[:, 0]) > 0)
    assert MAPS[name].inside(theta).all()
    back, _ = MAPS[name].standard(theta)
    # Next to a wall that is not 0, a parameter itself has lost the digits.
    near = np.abs(x) < 3.5
    np.testing.assert_allclose(back[near], x[near], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MAPS)
def test_a_normal_density_in_x_is_one_of_integral_1_in_physical_units(name: str) -> None:
    units = MAPS[name]

    def density(theta: float) -> float:
        x, log_slope = units.standard(np.array([[theta]]))
        return float(np.exp(log_slope[0] - 0.5 * x[0, 0] ** 2) / np.sqrt(2.0 * np.pi))

    # Piece by piece: with a power there are many orders of magnitude.
    edges = units.physical(np.linspace(-4.0, 4.0, 17)[:, None])[:, 0]
    for low, high, x in zip(edges, edges[1:], np.linspace(-4.0, 3.5, 16), strict=False):
        integral, _ = quad(density, low, high, epsabs=1e-12)
        assert integral == pytest.approx(float(ndtr(x + 0.5) - ndtr(x)), abs=1e-9)


def test_bounds_belong_to_the_inside_and_have_a_finite_density() -> None:
    units = random_units(8)
    ends = np.where(np.isfinite(units.lower), units.lower, -1.0)[None]
    x, log_slope = units.standard(ends)
    assert units.inside(ends).all()
    assert np.isfinite(x).all()
    assert np.isfinite(log_slope).all()
    assert not units.inside(np.nextafter(ends, -np.inf)).any()
    assert not units.inside(np.full((1, 8), np.inf)).any()


def test_far_away_everything_stays_finite() -> None:
    units = MAPS["power on both sides"]
    x, log_slope = units.standard(np.array([[1e300], [-1e300]]))
    assert np.isfinite(x).all()
    assert np.isfinite(log_slope).all()
    assert MAPS["nothing"].standard(np.array([[1e300]]))[0].item() == FARTHEST
    assert np.isfinite(units.physical(np.array([[1e3], [-1e3]]))).all()


def drawn(kind: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    draws = {
        "normal": rng.standard_normal(N),
        "logistic": rng.logistic(size=N),
        "t3": rng.standard_t(3, N),
        "half normal": np.abs(rng.standard_normal(N)),
        "uniform": rng.uniform(0.0, 1.0, N),
        "skew": rng.exponential(size=N) - 0.2 * np.abs(rng.standard_normal(N)),
    }
    return draws[kind][:, None]


@pytest.mark.parametrize(
    ("kind", "bounds", "wall", "tails"),
    [
        ("normal", (-np.inf, np.inf), "none", ("light", "light")),
        ("logistic", (-np.inf, np.inf), "none", ("exponential", "exponential")),
        ("t3", (-np.inf, np.inf), "none", ("power", "power")),
        ("half normal", (0.0, np.inf), "lower", ("exponential", "light")),
        ("half normal", (0.0, 300.0), "lower", ("exponential", "light")),
        ("uniform", (0.0, 1.0), "both", ("exponential", "exponential")),
    ],
)
def test_the_rule_sees_walls_and_tails(
    kind: str, bounds: tuple[float, float], wall: Wall, tails: tuple[Tail, Tail]
) -> None:
    samples = drawn(kind)
    units = fit_units(samples, [bounds[0]], [bounds[1]])
    assert units.walls == (wall,)
    assert (units.below[0], units.above[0]) == tails
    x, _ = units.standard(samples)
    assert abs(x.mean()) < 1e-9
    assert x.std() == pytest.approx(1.0, abs=1e-9)
    # What is left to the network is a mild distortion.
    assert abs(np.mean(x**4) - 3.0) < 0.7
    assert abs(np.mean(x**3)) < 0.5


def test_the_user_has_the_last_word() -> None:
    units = fit_units(drawn("uniform"), [0.0], [1.0], tails={0: ("light", "power")}, walls={0: "upper"})
    assert (units.walls, units.below, units.above) == (("upper",), ("light",), ("power",))
    mirrored = fit_units(-drawn("skew"), [-np.inf], [1.0])
    assert mirrored.walls == ("upper",)


@pytest.mark.parametrize(
    ("samples", "lower", "walls", "why"),
    [
        (np.array([[0.0], [np.nan]]), -np.inf, {}, "not finite"),
        (np.array([[0.0], [1.0]]), 0.5, {}, "outside"),
        (np.zeros((9, 1)), -np.inf, {}, "same value"),
        (np.zeros(9), -np.inf, {}, "two rows"),
        (np.array([[0.0], [1.0]]), -np.inf, {0: "lower"}, "bounds of column 0"),
        (np.array([[0.0], [1.0]]), -1.0, {0: "none"}, "bounds of column 0"),
    ],
)
def test_samples_that_cannot_be_learned_are_refused(
    samples: np.ndarray, lower: float, walls: dict[int, Wall], why: str
) -> None:
    with pytest.raises(FindingError, match=why) as caught:
        fit_units(samples, [lower], walls=walls)
    assert caught.value.findings[0].code == "LLB-T050"
