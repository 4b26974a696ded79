"""Steps of dialogues about analytic densities, with the exact answers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_conformance.corpus import Folder
from llb_conformance.gaussian import GaussianModel
from llb_conformance.gaussian_bundle import gaussian_files
from llb_conformance.suite.case import Bundle, Case, ConformanceClass, Step
from llb_conformance.suite.density_numbers import LogProbs, Samples
from llb_conformance.suite.expectation import Described, Opened, Refused
from llb_conformance.suite.tolerance import LOG_PROB, LOG_PROB_SINGLE, SAMPLE, SAMPLE_SINGLE
from llb_conformance.suite.wire import as_number

__all__ = [
    "as_rows",
    "asking",
    "density_bundle",
    "density_case",
    "density_opened",
    "density_points",
    "describing_density",
    "noise_rows",
    "opening_density",
    "refused_request",
    "relisted",
    "sampling",
]

Array = NDArray[np.float64]

DENSITY_FORMAT = "1.1.0"
_REACH = 2.0


def density_bundle(model: GaussianModel) -> Bundle:
    """The bundle of a density as a directory."""
    return Bundle(model.id, lambda: Folder(gaussian_files(model)))


def relisted(model: GaussianModel) -> Bundle:
    """The bundle of a density whose manifest lists parameters and conditions from the last column on."""

    def build() -> Folder:
        files = dict(gaussian_files(model))
        manifest = json.loads(files["manifest.json"])
        for key in {"parameters", "conditions"} & set(manifest):
            manifest[key].reverse()
        return Folder({**files, "manifest.json": (json.dumps(manifest, indent=1) + "\n").encode()})

    return Bundle(f"{model.id}-relisted", build)


def density_case(
    name: str,
    what: str,
    model: GaussianModel,
    *steps: Step,
    requirements: tuple[str, ...],
    conformance_class: ConformanceClass = "density",
    bundle: Bundle | None = None,
) -> Case:
    """A case about one density, which is opened first.

    Args:
        name: id of the case, without its prefix.
        what: what the loader does, without its subject.
        model: what the bundle's numbers come from.
        steps: after the opening.
        requirements: clauses of the specification.
        conformance_class: class of the case.
        bundle: the bundle, if it is not simply that of the model.
    """
    opened = density_bundle(model) if bundle is None else bundle
    return Case(
        id=f"density-{name}",
        conformance_class=conformance_class,
        requirements=requirements,
        description=f"The loader {what}.",
        bundles=(opened,),
        steps=(opening_density(opened, model), *steps),
    )


def density_opened(model: GaussianModel) -> Opened:
    """The parameters, in the order of their columns."""
    return Opened(model.names, DENSITY_FORMAT)


def opening_density(bundle: Bundle, model: GaussianModel) -> Step:
    """`open`, answered with the parameters in the order of their columns."""
    return Step({"cmd": "open", "bundle": bundle.name}, density_opened(model))


def describing_density(model: GaussianModel) -> Step:
    """`describe`, answered with what the manifest says: parameters, box, and no curves."""
    lower, upper = (tuple(edge.tolist()) for edge in model.domain)
    return Step({"cmd": "describe"}, Described(model.id, "1.0.0", model.names, None, lower, upper))


def asking(model: GaussianModel, points: ArrayLike, conditions: ArrayLike | None = None) -> Step:
    """`log_prob`, answered with exact numbers and flags.

    Args:
        model: of the open bundle.
        points: shape (N, parameters).
        conditions: shape (N, conditions), or (1, conditions) for all points; None leaves them out.
    """
    rows = np.asarray(points, dtype=np.float64)
    given = None if conditions is None else np.asarray(conditions, dtype=np.float64)
    empty = _beyond(rows, *_bounds(model))
    values = np.where(empty, -np.inf, model.log_prob(rows, given))
    flags = empty | _beyond(rows, *model.domain)
    if given is not None:
        flags |= np.any(np.abs(given) > 1.0, axis=1)
    return Step(
        {"cmd": "log_prob", "points": as_rows(rows), **_said(given)},
        LogProbs(
            tuple(values.tolist()), tuple(flags.tolist()), LOG_PROB if _double(model) else LOG_PROB_SINGLE
        ),
    )


def sampling(model: GaussianModel, noise: ArrayLike, conditions: ArrayLike | None = None) -> Step:
    """`sample`, answered with exact parameters; noise (N, parameters), conditions as of `asking`."""
    rows = np.asarray(noise, dtype=np.float64)
    given = None if conditions is None else np.asarray(conditions, dtype=np.float64)
    drawn = model.sample(rows, given)
    return Step(
        {"cmd": "sample", "noise": as_rows(rows), **_said(given)},
        Samples(tuple(map(tuple, drawn.tolist())), SAMPLE if _double(model) else SAMPLE_SINGLE),
    )


def refused_request(code: str, request: dict[str, Any]) -> Step:
    """A request that has to be refused as a whole, at the stage `input`."""
    return Step(request, Refused("input", code))


def density_points(model: GaussianModel, count: int, seed: int, conditions: ArrayLike | None = None) -> Array:
    """Points inside of the domain, shape (count, parameters), none of them in the bundle.

    Raises:
        ValueError: one is not inside.
    """
    points = model.sample(noise_rows(model, count, seed), conditions)
    if not _double(model):
        # Rounding what is asked would be an error of the question.
        points = points.astype(np.float32).astype(np.float64)
    if np.any(_beyond(points, *model.domain)):
        raise ValueError(f"{model.id}: a point is outside of the domain")
    return points


def noise_rows(model: GaussianModel, count: int, seed: int) -> Array:
    """Noise up to two standard deviations, shape (count, parameters), exact in single precision."""
    # The vectors and the held-out points draw from generators of small seeds.
    generator = np.random.default_rng(3_000 + seed)
    noise = generator.uniform(-_REACH, _REACH, (count, len(model.names)))
    return noise.astype(np.float32).astype(np.float64)


def as_rows(values: ArrayLike) -> list[list[float | str]]:
    """Rows as the protocol has them."""
    return [[as_number(value) for value in row] for row in np.asarray(values, dtype=np.float64).tolist()]


def _said(conditions: Array | None) -> dict[str, Any]:
    return {} if conditions is None else {"conditions": as_rows(conditions)}


def _double(model: GaussianModel) -> bool:
    return model.dtype == "float64"


def _bounds(model: GaussianModel) -> tuple[Array, Array]:
    bounds = [item.bounds for item in model.parameters]
    lower = np.array([item.get("lower", -np.inf) for item in bounds])
    return lower, np.array([item.get("upper", np.inf) for item in bounds])


def _beyond(points: Array, lower: Array, upper: Array) -> NDArray[np.bool_]:
    return np.any((points < lower) | (points > upper), axis=1)
