from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from random_flows import noise, plain_units, random_flow, random_units

from llb_trainer.flows import Flow, FlowRecipe, UnitMap
from llb_trainer.flows.modules import Bijectors

KINDS = {"affine": {"bins": 0}, "spline": {"bins": 5}, "conditional": {"bins": 4, "conditions": 2}}


def module(columns: int, conditions: int = 0, **settings: Any) -> Bijectors:
    """Bijectors that are no longer the identity."""
    recipe = FlowRecipe(width=12, **settings)
    made = Bijectors(recipe.layout(columns, conditions), nnx.Rngs(3))
    rng = np.random.default_rng(4)
    _, state = nnx.split(made)
    moved = jax.tree.map(lambda w: w + 0.05 * rng.standard_normal(w.shape).astype(np.float32), state)
    nnx.update(made, moved)
    return made


def flow_of(made: Bijectors) -> Flow:
    columns, conditions = made.layout.columns, made.layout.conditions
    nothing, ones = np.zeros(conditions), np.ones(conditions)
    return Flow(made.layout, plain_units(columns), np.eye(columns), made.networks(), nothing, ones)


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize(
    ("columns", "conditions", "settings"),
    [
        (5, 0, {}),
        (4, 2, {"kind": "spline", "bins": 4, "order": "random", "depth": 1}),
    ],
)
def test_numpy_and_jax_agree(columns: int, conditions: int, settings: dict[str, Any], x64: bool) -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((300, columns))
    condition = rng.standard_normal((300, conditions)) if conditions else None
    with jax.enable_x64(x64):
        made = module(columns, conditions, **settings)
        flow = flow_of(made)
        if x64:
            graph, state = nnx.split(made)
            made = nnx.merge(graph, jax.tree.map(lambda w: w.astype(jnp.float64), state))
        given = None if condition is None else jnp.asarray(condition)
        z, log_slope = nnx.jit(type(made).__call__)(made, jnp.asarray(x), given)
        assert z.dtype == (np.float64 if x64 else np.float32)
        z, log_slope = np.asarray(z), np.asarray(log_slope)
    size = 1e-12 if x64 else 3e-5
    np.testing.assert_allclose(flow.base(x, condition), z, rtol=size, atol=size)
    normal = -0.5 * np.sum(z**2, axis=1) - 0.5 * columns * np.log(2.0 * np.pi)
    np.testing.assert_allclose(flow.log_prob(x, condition), normal + log_slope, rtol=size, atol=size)
    assert np.abs(z - x).max() > 0.1


@pytest.mark.parametrize("kind", ["affine", "spline"])
def test_the_density_is_that_of_the_whole_jacobian(kind: str) -> None:
    """det J by automatic differentiation of theta -> z, the chain rule that the layers add up left aside."""
    made = module(3, kind=kind)
    flow = flow_of(made)
    x = np.random.default_rng(6).standard_normal((20, 3))
    with jax.enable_x64(True):
        graph, state = nnx.split(made)
        double = nnx.merge(graph, jax.tree.map(lambda w: w.astype(jnp.float64), state))
        jacobian = jax.jit(jax.vmap(jax.jacfwd(lambda row: double(row[None])[0][0])))(jnp.asarray(x))
        volume = np.linalg.slogdet(np.asarray(jacobian))[1]
    z = flow.base(x)
    normal = -0.5 * np.sum(z**2, axis=1) - 1.5 * np.log(2.0 * np.pi)
    np.testing.assert_allclose(flow.log_prob(x), normal + volume, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("columns", [1, 2, 9])
def test_samples_are_the_inverse_of_the_base(columns: int, kind: str) -> None:
    flow = random_flow(columns, units=plain_units(columns), **KINDS[kind])
    z, condition = noise(flow)
    theta = flow.sample(z, condition)
    np.testing.assert_allclose(flow.base(theta, condition), z, atol=1e-10)
    assert np.abs(theta - z).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_walls_and_tails_keep_the_way_back(kind: str) -> None:
    flow = random_flow(6, **KINDS[kind])
    z, condition = noise(flow)
    theta = flow.sample(z, condition)
    assert flow.units.inside(theta).all()
    # Farther out digits are lost next to the walls.
    middle = np.abs(flow.units.standard(theta)[0]).max(axis=1) < 3.0
    assert middle.mean() > 0.5
    np.testing.assert_allclose(flow.base(theta, condition)[middle], z[middle], atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_depends_on_those_before_it_only(kind: str) -> None:
    flow = random_flow(5, bijectors=1, units=plain_units(5), **KINDS[kind])
    flow.whitening[:] = np.eye(5)
    z, condition = noise(flow, 1)
    theta = flow.sample(z, condition)
    order = list(flow.layout.orders[0])
    for rank, column in enumerate(order):
        other = theta.copy()
        other[:, column] += 0.5
        changed = np.flatnonzero(flow.base(other, condition)[0] != flow.base(theta, condition)[0])
        assert set(changed) <= set(order[rank:])
        assert column in changed


def pieces(units: UnitMap, column: int, per_piece: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss-Legendre quadrature over a parameter, between steps of half a deviation."""
    steps = np.zeros((33, len(units)))
    steps[:, column] = np.linspace(-8.0, 8.0, 33)
    edges = units.physical(steps)[:, column]
    node, weight = np.polynomial.legendre.leggauss(per_piece)
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    return (middle[:, None] + half[:, None] * node).ravel(), (half[:, None] * weight).ravel()


def some_units(*columns: int) -> UnitMap:
    """A choice of parameters with walls and tails."""
    chosen = list(columns)
    every = random_units(9)
    return UnitMap(
        *(
            tuple(part[i] for i in chosen) if isinstance(part, tuple) else part[..., chosen]
            for part in vars(every).values()
        )
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("column", range(9))
def test_the_density_of_one_parameter_has_integral_1(column: int, kind: str) -> None:
    flow = random_flow(1, units=some_units(column), **KINDS[kind])
    theta, weight = pieces(flow.units, 0, 100)
    given = flow.condition_shift[None] if flow.layout.conditions else None
    assert weight @ np.exp(flow.log_prob(theta[:, None], given)) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("walls", [(0, 3), (1, 2), (4, 8)])
def test_the_density_of_two_parameters_has_integral_1(walls: tuple[int, int], kind: str) -> None:
    """In their own units: walls on one or both sides, exponential and power tails."""
    flow = random_flow(2, units=some_units(*walls), **KINDS[kind])
    (first, w), (second, v) = pieces(flow.units, 0), pieces(flow.units, 1)
    theta = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    given = flow.condition_shift[None] if flow.layout.conditions else None
    density = np.exp(flow.log_prob(theta, given)).reshape(len(first), len(second))
    # Splines bend at their knots, which limits what quadrature can do.
    assert w @ density @ v == pytest.approx(1.0, abs=2e-2 if flow.layout.bins else 1e-4)


def test_outside_of_the_bounds_there_is_nothing() -> None:
    flow = random_flow(4)
    theta = flow.sample(np.zeros((5, 4)))
    theta[0, 1], theta[1, 2], theta[2, 3], theta[3, 0] = -2.1, 3.1, np.nan, np.inf
    found = flow.log_prob(theta)
    assert np.array_equal(np.isneginf(found), [True, True, False, True, False])
    assert np.isnan(found[2])
    assert np.isfinite(found[4])
    assert np.isnan(flow.base(theta)[0]).all()


def test_a_condition_is_needed_where_there_is_one_and_one_row_is_enough() -> None:
    flow, other = random_flow(3, conditions=2), random_flow(3)
    z, condition = noise(flow, 7)
    assert condition is not None
    theta = flow.sample(z, condition[:1])
    np.testing.assert_array_equal(
        flow.log_prob(theta, condition[:1]), flow.log_prob(theta, np.tile(condition[:1], (7, 1)))
    )
    assert np.abs(flow.log_prob(theta, condition) - flow.log_prob(theta, condition[:1]))[1:].min() > 1e-6
    for call in (
        lambda: flow.log_prob(theta),
        lambda: other.log_prob(theta, condition),
        lambda: flow.log_prob(theta, condition[:3]),
        lambda: flow.log_prob(theta[:, :2], condition),
        lambda: flow.sample(z[0], condition),
    ):
        with pytest.raises(ValueError, match=r"condition|shape"):
            call()
