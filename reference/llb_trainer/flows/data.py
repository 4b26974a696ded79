"""Samples as a flow is trained on them: split, standardised and white, in double precision to the last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_schema import FindingError, finding
from llb_trainer.flows.units import UnitMap

__all__ = ["FlowData", "Rows", "prepared"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Some of the samples.

    Attributes:
        x: (n, D) on the white scale, single precision.
        condition: (n, conditions), standardised, single precision.
        log_slope: mean of ln |det| of the map that made x, which turns an NLL in x into one in theta.
    """

    x: NDArray[np.float32]
    condition: NDArray[np.float32]
    log_slope: float


@dataclass(frozen=True)
class FlowData:
    """Training and validation rows, disjoint, and what made them.

    Attributes:
        training, validation: the rows.
        units, whitening, condition_shift, condition_scale: as in `Flow`.
    """

    training: Rows
    validation: Rows
    units: UnitMap
    whitening: Floats
    condition_shift: Floats
    condition_scale: Floats


def prepared(
    samples: ArrayLike, condition: ArrayLike | None, units: UnitMap, share: float, seed: int
) -> FlowData:
    """The data of a training.

    Args:
        samples: (n, D) in physical units, inside of the bounds of `units`.
        condition: (n, conditions), or None.
        units: physical units to the standard scale.
        share: fraction of the samples for validation.
        seed: of the split.

    Raises:
        FindingError: LLB-T050 a shape does not fit, a number is not finite, or there are too few samples.
    """
    points = np.asarray(samples, np.float64)
    given = np.zeros((len(points), 0)) if condition is None else np.asarray(condition, np.float64)
    n_validation = max(1, round(share * len(points)))
    n_training = len(points) - n_validation
    if given.ndim != 2 or len(given) != len(points) or not np.isfinite(given).all():
        _refuse("the condition is not a finite row for each of them", f"shape {given.shape}")
    if points.shape[1:] != (len(units),) or not units.inside(points).all():
        _refuse("they are not finite rows inside the bounds of the unit map", f"shape {points.shape}")
    if n_training <= points.shape[1]:
        _refuse("there are too few", f"{n_training} to train on, {points.shape[1]} parameters")
    shuffled = np.random.default_rng([seed, 0]).permutation(len(points))
    seen, unseen = shuffled[n_validation:], shuffled[:n_validation]
    shift = given[seen].mean(axis=0)
    scale = given[seen].std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    standard, slopes = units.standard(points)
    covariance = np.cov(standard[seen], rowvar=False).reshape(points.shape[1], points.shape[1])
    # A little of the diagonal, for parameters that are nearly functions of each other.
    factor = np.linalg.cholesky(covariance + 1e-10 * np.eye(len(covariance)))
    whitening = np.tril(np.asarray(np.linalg.solve(factor, np.eye(len(factor))), np.float64))
    volume = float(np.sum(np.log(np.diag(whitening))))
    parts = [
        Rows(
            (standard[rows] @ whitening.T).astype(np.float32),
            ((given[rows] - shift) / scale).astype(np.float32),
            float(slopes[rows].mean()) + volume,
        )
        for rows in (seen, unseen)
    ]
    return FlowData(parts[0], parts[1], units, whitening, shift, scale)


def _refuse(why: str, actual: str) -> None:
    raise FindingError(finding("LLB-T050", f"the samples cannot be learned: {why}", actual=actual))
