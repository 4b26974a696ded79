"""Flows with random weights and every feature of trained ones, gentle enough to be inverted exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb_trainer.flows import Flow, Layout, Network, UnitMap
from llb_trainer.flows.units import Tail, Wall

Floats = NDArray[np.float64]

WALLS: tuple[Wall, ...] = ("none", "lower", "upper", "both")


def plain_units(columns: int) -> UnitMap:
    """The map that changes nothing."""
    zeros, ones, light = np.zeros(columns), np.ones(columns), ("light",) * columns
    return UnitMap(
        np.full(columns, -np.inf),
        np.full(columns, np.inf),
        ("none",) * columns,
        ones,
        zeros,
        light,
        light,
        np.ones((2, columns)),
        zeros,
        ones,
    )


def random_units(columns: int, seed: int = 0) -> UnitMap:
    """Walls of all kinds in turn, a far one among them; exponential tails at walls, all kinds elsewhere."""
    rng = np.random.default_rng([seed, columns])
    walls = tuple(WALLS[column % 4] for column in range(columns))
    lower = np.array([-2.0 if wall in {"lower", "both"} else -np.inf for wall in walls])
    upper = np.array([3.0 if wall in {"upper", "both"} else np.inf for wall in walls])
    upper[1::8] = 40.0
    kinds: tuple[Tail, ...] = ("light", "exponential", "power")

    def tails(side: str, first: int) -> tuple[Tail, ...]:
        free = (kinds[(first + column // 4) % 3] for column in range(columns))
        return tuple(
            other if wall == "none" else "exponential" if wall in {side, "both"} else "light"
            for wall, other in zip(walls, free, strict=True)
        )

    return UnitMap(
        lower,
        upper,
        walls,
        np.array([0.7 if wall in {"lower", "upper"} else 1.0 for wall in walls]),
        0.1 * rng.standard_normal(columns),
        tails("lower", 1),
        tails("upper", 2),
        rng.uniform(1.0, 1.5, (2, columns)),
        0.2 * rng.standard_normal(columns),
        rng.uniform(0.8, 1.0, columns),
    )


def random_flow(
    columns: int,
    *,
    bins: int = 0,
    widths: tuple[int, ...] = (16, 16),
    bijectors: int = 2,
    conditions: int = 0,
    units: UnitMap | None = None,
    seed: int = 0,
) -> Flow:
    """A flow in any shape; with walls and tails unless other units are given."""
    rng = np.random.default_rng([seed, columns, bins, bijectors, conditions, *widths])
    orders = tuple(tuple(rng.permutation(columns).tolist()) for _ in range(bijectors))
    layout = Layout(columns, conditions, widths, bins, 3.0, orders)
    networks: list[Network] = []
    for number in range(bijectors):
        masks = layout.masks(number)
        last = len(masks) - 1
        kernels = [
            mask
            * rng.standard_normal(mask.shape)
            * ((0.1 if layer == last else 0.6) / np.sqrt(np.maximum(mask.sum(axis=0), 1)))
            for layer, mask in enumerate(masks)
        ]
        # Log scales that stay small, where nothing explodes.
        kernels[-1][:, 1 :: layout.numbers] *= 0.2
        biases = [0.3 * rng.standard_normal(mask.shape[1]) for mask in masks]
        given = [0.1 * rng.standard_normal((conditions, mask.shape[1])) for mask in masks]
        networks.append(Network(tuple(kernels), tuple(biases), tuple(given) if conditions else ()))
    whitening = np.tril(0.3 * rng.standard_normal((columns, columns)) / np.sqrt(columns))
    np.fill_diagonal(whitening, rng.uniform(1.0, 1.2, columns))
    return Flow(
        layout,
        random_units(columns, seed) if units is None else units,
        whitening,
        tuple(networks),
        rng.standard_normal(conditions),
        rng.uniform(0.5, 2.0, conditions),
    )


def noise(flow: Flow, n: int = 200, seed: int = 1) -> tuple[Floats, Floats | None]:
    """Base noise, and conditions if the flow has some."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, flow.layout.columns))
    return z, rng.standard_normal((n, flow.layout.conditions)) if flow.layout.conditions else None
