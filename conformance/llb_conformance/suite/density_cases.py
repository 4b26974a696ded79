"""Densities: their logarithm, bounds, domain and samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llb_conformance.gaussian import GaussianModel, mixed_model, regression_model
from llb_conformance.suite.case import Case, Step
from llb_conformance.suite.density_kinds import density_kinds
from llb_conformance.suite.density_numbers import OpenedOrRefused
from llb_conformance.suite.density_requests import (
    asking,
    density_bundle,
    density_case,
    density_opened,
    density_points,
    describing_density,
    noise_rows,
    opening_density,
    sampling,
)
from llb_conformance.suite.expectation import Refused

__all__ = ["density_cases"]

Array = NDArray[np.float64]

# One row more than the blocks in which the reference runs graphs.
_LARGE = 513
_FAMILIES = {"posterior": mixed_model, "likelihood": regression_model}


def density_cases() -> Iterator[Case]:
    """Cases of class `density`, and that a loader without it refuses a density."""
    model = mixed_model()
    single = replace(mixed_model("float32"), id="mixed-density-float32")
    yield from _known_or_refused()
    yield density_case(
        "describe",
        "says id, version, parameters and box as they are in the manifest, and has no curves",
        model,
        describing_density(model),
        requirements=("PROTOCOL-7", "DENSITY-2"),
    )
    yield from _log_probs(model, single)
    yield from _domain(model)
    yield from _bounds(model)
    yield from _samples(model, single)
    yield from density_kinds()


def _known_or_refused() -> Iterator[Case]:
    """FAMILY-2, of loaders with the class and without it."""
    for name, make in _FAMILIES.items():
        model = make()
        bundle = density_bundle(model)
        for kind, refused in (("core", Refused()), ("recommended", Refused("manifest", "LLB-S018"))):
            request = opening_density(bundle, model).request
            case = density_case(
                f"{name}-opened-or-refused" if kind == "core" else f"{name}-opened-or-refused-for-its-family",
                "opens a density and names its parameters, or refuses it"
                + ("" if kind == "core" else " at the stage `manifest` with LLB-S018"),
                model,
                requirements=("FAMILY-2", "CONFORM-6"),
                conformance_class="core" if kind == "core" else "recommended",
            )
            yield replace(case, steps=(Step(request, OpenedOrRefused(density_opened(model), refused)),))


def _log_probs(model: GaussianModel, single: GaussianModel) -> Iterator[Case]:
    points = density_points(model, 16, 1)
    yield density_case(
        "log-prob",
        "gives the natural logarithm of a density with respect to the parameters in their units",
        model,
        asking(model, points),
        requirements=("DENSITY-3", "CONFORM-6"),
    )
    yield density_case(
        "log-prob-alone",
        "gives a point alone the value that it has in a batch",
        model,
        *(asking(model, points[row : row + 1]) for row in range(4)),
        asking(model, points[:4]),
        requirements=("NUMERICS-3", "CONFORM-6"),
    )
    yield density_case(
        "log-prob-many",
        f"gives the logarithm at {_LARGE} points at once",
        model,
        asking(model, density_points(model, _LARGE, 2)),
        requirements=("NUMERICS-3", "CONFORM-6"),
    )
    yield density_case(
        "log-prob-float32",
        "runs a graph of the density in single precision",
        single,
        asking(single, density_points(single, 9, 3)),
        requirements=("GRAPH-2", "CONFORM-6"),
    )


def _domain(model: GaussianModel) -> Iterator[Case]:
    """Flags by the box, and numbers of the graph on both sides of it."""
    lower, upper = model.domain
    middle = model.sample(np.zeros(len(model.names)))
    beyond = model.sample(noise_rows(model, 1, 4)[0])
    steps: list[Array] = []
    for column in range(len(middle)):
        for edge in (lower[column], upper[column]):
            wide = 0.02 * (edge - middle[column])
            steps += [_at(beyond, column, edge + side * wide) for side in (1.0, -1.0)]
    yield density_case(
        "domain",
        "flags what is beyond an edge of the box, in any column, and gives the number of the graph there",
        model,
        asking(model, steps),
        *(asking(model, [step]) for step in steps[:2]),
        requirements=("DOMAIN-3", "CONFORM-6"),
    )
    hair = [np.nextafter(upper, np.inf), upper, np.nextafter(lower, -np.inf), lower]
    yield density_case(
        "domain-edges",
        "takes the edges of the box for inside, and the next double for outside",
        model,
        asking(model, [_at(beyond, column, row[column]) for row in hair for column in range(len(middle))]),
        requirements=("DOMAIN-3", "DOMAIN-4"),
    )


def _bounds(model: GaussianModel) -> Iterator[Case]:
    """-infinity outside of the bounds; the free parameters have none."""
    inside = density_points(model, 5, 5)
    outside = [
        _at(inside[0], 0, -1.5),
        _at(inside[1], 0, 5.001),
        _at(inside[2], 0, 1e30),
        _at(inside[3], 1, -0.25),
        _at(_at(inside[4], 0, 7.0), 1, -1e-9),
    ]
    yield density_case(
        "bounds",
        "gives -Infinity outside of the bounds of a parameter, and flags it",
        model,
        asking(model, outside),
        asking(model, outside[:1]),
        requirements=("DENSITY-2", "DENSITY-6"),
    )
    yield density_case(
        "bounds-in-a-batch",
        "gives -Infinity to those points of a batch only that are outside of the bounds",
        model,
        asking(model, [row for pair in zip(inside, outside, strict=True) for row in pair]),
        requirements=("DENSITY-6", "NUMERICS-3"),
    )
    middle = inside[0]
    near = [(0, -1.0 + 1e-9), (0, 5.0 - 1e-9), (1, 1e-9), (2, -9.0), (3, 120.0), (3, 130.0)]
    yield density_case(
        "within-the-bounds",
        "asks the graph near the bounds, and far out where there are none",
        model,
        asking(model, [_at(middle, column, value) for column, value in near]),
        requirements=("DENSITY-2", "CONFORM-6"),
    )
    edges = [(0, -1.0), (0, 5.0), (1, 0.0)]
    yield density_case(
        "bounds-edges",
        "takes the bounds themselves for within, and the next double for outside",
        model,
        asking(model, [_at(middle, column, value) for column, value in edges]),
        asking(
            model,
            [
                _at(middle, column, np.nextafter(value, value + side))
                for (column, value), side in zip(edges, (-1.0, 1.0, -1.0), strict=True)
            ],
        ),
        requirements=("DENSITY-2", "DENSITY-6"),
    )


def _samples(model: GaussianModel, single: GaussianModel) -> Iterator[Case]:
    noise = noise_rows(model, 9, 10)
    yield density_case(
        "sample",
        "turns base noise into parameters, a row for each",
        model,
        sampling(model, noise),
        sampling(model, noise[::-1]),
        requirements=("DENSITY-4", "CONFORM-6"),
    )
    yield density_case(
        "sample-alone",
        "turns one row of noise into what it is in a batch",
        model,
        *(sampling(model, noise[row : row + 1]) for row in range(3)),
        sampling(model, np.eye(4)[:1]),
        requirements=("DENSITY-4", "NUMERICS-3"),
    )
    yield density_case(
        "sample-many",
        f"turns {_LARGE} rows of noise into samples at once",
        model,
        sampling(model, noise_rows(model, _LARGE, 11)),
        requirements=("NUMERICS-3", "CONFORM-6"),
    )
    yield density_case(
        "sample-far",
        "takes noise of six standard deviations as it is",
        model,
        sampling(model, 3.0 * noise),
        requirements=("DENSITY-4", "CONFORM-6"),
    )
    yield density_case(
        "sample-float32",
        "runs a sampling graph in single precision",
        single,
        sampling(single, noise_rows(single, 9, 12)),
        requirements=("GRAPH-2", "CONFORM-6"),
    )


def _at(point: Array, column: int, value: float) -> Array:
    moved = point.copy()
    moved[column] = value
    return moved
