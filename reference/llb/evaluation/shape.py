"""The shape of a learned likelihood: what must hold whatever the teacher, and what usually does.

Delta NLL is exactly zero at zero signal, and on Asimov curves nowhere below. Along a ray a profile likelihood
mostly has one minimum and is convex; one with several basins need not be, so that these are figures and no
faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_schema import number_from_json, number_to_json

if TYPE_CHECKING:
    from llb.runtime import ProfileLikelihood

__all__ = ["CurveShape", "ModelShape", "barrier", "model_shape", "sag"]

Floats = NDArray[np.float64]

_ASIMOV = ("observed_asimov", "apriori_asimov")
_POINTS = 401
_NOISE = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-4}
"""Ripples of Delta NLL that are rounding, and splining, by the precision of the graph."""


@dataclass(frozen=True)
class CurveShape:
    """One curve along many rays.

    Attributes:
        zero: Delta NLL at zero signal; exactly 0 if all is well.
        lowest: the lowest Delta NLL; only on Asimov curves must it not be negative.
        several_minima: share of the rays with more than one local minimum.
        barrier: the highest rise between two minima of a ray, in NLL units.
        sag: the largest height above the convex hull of a ray, in NLL units; 0 where it is convex.
    """

    zero: float
    lowest: float
    several_minima: float
    barrier: float
    sag: float


@dataclass(frozen=True)
class ModelShape:
    """All curves along the same rays.

    Attributes:
        rays: how many, those without a number left out.
        curves: by name, aliases left out.
    """

    rays: int
    curves: Mapping[str, CurveShape]

    @property
    def closed(self) -> bool:
        """Whether every curve is exactly zero at zero signal."""
        return all(shape.zero == 0.0 for shape in self.curves.values())

    @property
    def lowest_asimov(self) -> float:
        """The most negative Delta NLL of the Asimov curves, 0 if there is none."""
        return min((self.curves[name].lowest for name in _ASIMOV if name in self.curves), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """For a JSON file; what is no number is null."""
        curves = {
            name: {key: number_to_json(value) for key, value in vars(shape).items()}
            for name, shape in self.curves.items()
        }
        return {"rays": self.rays, "curves": curves}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ModelShape:
        """What `to_json` gave.

        Raises:
            KeyError, TypeError: something is missing, or unknown.
        """
        curves = {
            name: CurveShape(**{key: number_from_json(value) for key, value in shape.items()})
            for name, shape in raw["curves"].items()
        }
        return cls(int(raw["rays"]), curves)


def model_shape(model: ProfileLikelihood, directions: ArrayLike) -> ModelShape:
    """Shape of every curve of a model along rays, from zero signal to the edge of the domain.

    Args:
        model: the bundle.
        directions: (n, n_bins) signals in events; their length does not matter.

    Raises:
        FindingError: as `llb.runtime.rays`.
    """
    # rays need scipy, which takes longer to load than a table to read
    from llb.runtime import rays

    along = rays(model, model.check_shape(directions))
    known = np.isfinite(along.mu_edge) & (along.mu_edge > 0.0) & np.isfinite(along.spline_error)
    edge = np.where(known, along.mu_edge, 1.0)
    # denser near zero, like the splines themselves
    t = np.linspace(0.0, 1.0, _POINTS) ** 2
    mu = edge[:, np.newaxis] * t
    zero = model.delta_nll(np.zeros((1, len(model.bin_ids))))
    noise = _NOISE.get(np.dtype(model.dtype), 1e-4)
    curves: dict[str, CurveShape] = {}
    for curve in model.bundle.manifest.own_curves:
        values = along.delta(curve.name, mu)[known]
        rise = barrier(values)
        curves[curve.name] = CurveShape(
            zero=float(zero[curve.name][0]),
            lowest=float(values.min(initial=0.0)),
            several_minima=float(np.mean(rise > noise)) if len(rise) else 0.0,
            barrier=float(rise.max(initial=0.0)),
            sag=float(sag(t, values).max(initial=0.0)),
        )
    return ModelShape(int(known.sum()), curves)


def barrier(values: Floats) -> Floats:
    """(n,) highest rise between two minima of each row of (n, k) values; 0 where there is one minimum."""
    before = np.minimum.accumulate(values, axis=1)
    behind = np.minimum.accumulate(values[:, ::-1], axis=1)[:, ::-1]
    return np.maximum(np.minimum(values - before, values - behind), 0.0).max(axis=1, initial=0.0)


def sag(t: Floats, values: Floats) -> Floats:
    """(n,) largest height of each row of (n, k) values above its lower convex hull, over (k,) points t."""
    return np.array([np.max(row - _hull(t, row)) for row in values], dtype=np.float64)


def _hull(t: Floats, values: Floats) -> Floats:
    """The lower convex hull at every point (A. M. Andrew, Inf. Process. Lett. 9 (1979) 216)."""
    kept: list[int] = []
    for new in range(len(t)):
        while len(kept) > 1:
            first, last = kept[-2], kept[-1]
            chord = (values[new] - values[first]) * (t[last] - t[first])
            if (values[last] - values[first]) * (t[new] - t[first]) < chord:
                break
            kept.pop()
        kept.append(new)
    return np.interp(t, t[kept], values[kept])
