"""Densities under conditions, likelihoods of parameters, and columns that are listed in another order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.suite.case import Case, Step
from llb_conformance.suite.density_numbers import Unsupported
from llb_conformance.suite.density_requests import (
    as_rows,
    asking,
    density_case,
    density_points,
    describing_density,
    noise_rows,
    relisted,
    sampling,
)

__all__ = ["density_kinds"]

Array = NDArray[np.float64]

# One row more than the blocks in which the reference runs graphs.
_LARGE = 513


def density_kinds() -> Iterator[Case]:
    """Cases of class `density` about kinds of densities."""
    model, conditional = mixed_model(), conditional_model()
    yield from _conditional(conditional)
    yield from _regression(regression_model())
    for name, item in (("", model), ("conditional-", conditional)):
        conditions = _conditions(item, 4, 60) if item.conditions else None
        yield density_case(
            f"{name}listed-in-another-order",
            "goes by the columns of parameters and conditions, not by the order in which they are listed",
            item,
            describing_density(item),
            asking(item, density_points(item, 4, 61, conditions), conditions),
            sampling(item, noise_rows(item, 4, 62), conditions),
            requirements=("DENSITY-2", "CONFORM-6"),
            bundle=relisted(item),
        )


def _conditional(model: GaussianModel) -> Iterator[Case]:
    conditions = _conditions(model, 8, 20)
    points = density_points(model, 8, 21, conditions)
    noise = noise_rows(model, 8, 22)
    yield density_case(
        "conditional-log-prob",
        "takes a row of conditions for each point",
        model,
        describing_density(model),
        asking(model, points, conditions),
        asking(model, points, conditions[::-1]),
        requirements=("DENSITY-5", "DENSITY-7"),
    )
    yield density_case(
        "conditional-one-for-all",
        "takes one row of conditions for all points, and for all noise",
        model,
        asking(model, points, conditions[:1]),
        sampling(model, noise, conditions[1:2]),
        requirements=("DENSITY-7",),
    )
    yield density_case(
        "conditional-sample",
        "takes a row of conditions for each row of noise",
        model,
        sampling(model, noise, conditions),
        sampling(model, noise, conditions[::-1]),
        requirements=("DENSITY-4", "DENSITY-5"),
    )
    wide = np.array([[1.0, -1.0], [1.25, 0.0], [0.0, -1.0 - 1e-6], [-1.0, 1.0], [0.5, 3.0]])
    yield density_case(
        "conditional-domain",
        "flags points whose conditions are beyond their bounds, and gives the number of the graph",
        model,
        asking(model, points[:5], wide),
        asking(model, points[:3], [[0.0, 1.5]]),
        requirements=("DENSITY-5", "DOMAIN-3"),
    )
    beyond = points.copy()
    beyond[1::2, 0] = 5.5
    yield density_case(
        "conditional-bounds",
        "gives each point its own condition, also where others are outside of the bounds",
        model,
        asking(model, beyond, conditions),
        requirements=("DENSITY-6", "DENSITY-7"),
    )
    yield density_case(
        "conditional-many",
        f"takes {_LARGE} points with their conditions at once",
        model,
        asking(model, *_many(model)),
        requirements=("DENSITY-7", "NUMERICS-3"),
    )


def _regression(model: GaussianModel) -> Iterator[Case]:
    points = density_points(model, 9, 30)
    yield density_case(
        "likelihood",
        "gives ln L of a likelihood, with the offset",
        model,
        describing_density(model),
        asking(model, points),
        requirements=("DENSITY-3", "PROTOCOL-7"),
    )
    outside = points.copy()
    outside[:, 0] = np.linspace(-3.0, 7.0, 9)
    yield density_case(
        "likelihood-bounds",
        "gives -Infinity outside of the bounds of a likelihood, and ln L within",
        model,
        asking(model, outside),
        requirements=("DENSITY-2", "DENSITY-6"),
    )
    single = replace(
        model, id="regression-float32", dtype="float32", offset=-1234567.0625, evidence=-1234560.5625
    )
    yield density_case(
        "likelihood-float32",
        "adds the offset in double precision to a graph in single precision",
        single,
        asking(single, density_points(single, 9, 31)),
        requirements=("DENSITY-3", "PROTOCOL-7"),
    )
    yield density_case(
        "likelihood-has-no-samples",
        "gives no samples of a likelihood",
        model,
        Step({"cmd": "sample", "noise": as_rows(noise_rows(model, 2, 32))}, Unsupported(or_rejected=True)),
        asking(model, points[:2]),
        requirements=("DENSITY-4", "PROTOCOL-3"),
    )


def _conditions(model: GaussianModel, count: int, seed: int) -> Array:
    return np.random.default_rng(3_000 + seed).uniform(-1.0, 1.0, (count, len(model.conditions)))


def _many(model: GaussianModel) -> tuple[Array, Array]:
    conditions = _conditions(model, _LARGE, 23)
    return density_points(model, _LARGE, 24, conditions), conditions
