"""What a regression is trained on: labels less the parabola, in round coordinates, split in two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from llb_schema import FindingError, finding
from llb_trainer.regression.expansion import Expansion, expand
from llb_trainer.regression.labels import PointLabels, label_points, target_function
from llb_trainer.regression.points import ProfileNodes, profile_points, scaled_points, scattered_points
from llb_trainer.regression.recipe import RegressionRecipe
from llb_trainer.teachers.densities.contract import DensityTeacher

__all__ = ["RegressionData", "Rows", "prepared"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

_SMALLEST = 1e-12
"""Least scale of what is to be learned: of a parabola nothing but rounding is left."""


@dataclass(frozen=True)
class Rows:
    """Some of the points, in single precision.

    Attributes:
        x: (n, D) round coordinates.
        values: (n,) what is to be learned, in units of the scale.
        slopes: (n, D) its derivatives by x.
        weights: (n,) importance.
    """

    x: Singles
    values: Singles
    slopes: Singles
    weights: Singles

    def chosen(self, which: NDArray[np.int64]) -> Rows:
        """Some of them."""
        return Rows(self.x[which], self.values[which], self.slopes[which], self.weights[which])


@dataclass(frozen=True)
class RegressionData:
    """Training and validation rows, disjoint, and what made them.

    Attributes:
        training, validation: the rows.
        expansion: the parabola.
        scale: root mean square of what is to be learned.
        soft: distance of ln L below its maximum from where errors count less.
        reach: largest |x|.
        domain: (D,) lower and upper edges of the box of all points, physical units.
        samples: (n, D) draws of the posterior, in x.
        nodes: the conditional maxima of the parameters of interest.
        function: what is learned, of one point in physical units.
    """

    training: Rows
    validation: Rows
    expansion: Expansion
    scale: float
    soft: float
    reach: float
    domain: tuple[Floats, Floats]
    samples: Floats
    nodes: ProfileNodes
    function: Callable[[Array], Array]

    def rows(self, points: Floats) -> Rows:
        """Labels of further points (n, D) in physical units; where ln L is not finite they are left out."""
        return _rows(label_points(self.function, points), self.expansion, self.scale, self.soft)


def prepared(teacher: DensityTeacher, samples: ArrayLike, recipe: RegressionRecipe) -> RegressionData:
    """Choose points, have them labelled, and take off what is known.

    Args:
        teacher: of ln L.
        samples: (n, D) draws of the posterior, physical units.
        recipe: settings.

    Raises:
        FindingError: LLB-T050 the samples have another shape than the teacher's, are not finite or fewer than
            ten, or ln L is finite at too few of them; LLB-L220 as `expand`.
    """
    given = np.asarray(samples, np.float64)
    if given.ndim != 2 or given.shape[1] != len(teacher.parameters) or not np.isfinite(given).all():
        _refuse("they are not finite rows with a column per parameter", f"shape {given.shape}")
    function, generator = target_function(teacher, recipe.target), np.random.default_rng(recipe.seed)
    drawn = label_points(function, given)
    if len(drawn) < 10:
        _refuse("ln L is finite at fewer than ten", f"{len(drawn)} of {len(given)}")
    expansion = expand(function, teacher.parameters, drawn.points[np.argmax(drawn.values)])
    x, many = expansion.white(drawn.points), len(drawn)
    nodes = profile_points(
        function, expansion, teacher.parameters, drawn.points, recipe.nodes, recipe.stretch
    )
    more = [
        scaled_points(x, round(recipe.scaled * many), recipe.stretch, generator),
        scattered_points(nodes.points, x, round(recipe.lines * many), generator),
        nodes.points,
    ]
    parts = [drawn, label_points(function, expansion.physical(np.concatenate(more)))]
    labels = PointLabels(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("points", "values", "gradients")
        )
    )
    soft = recipe.soft * max(1.0, float(np.median(expansion.value - drawn.values)))
    whole = _rows(labels, expansion, 1.0, soft)
    scale = max(_SMALLEST, float(np.sqrt(np.average(whole.values**2, weights=whole.weights))))
    rows = _rows(labels, expansion, scale, soft)
    order = generator.permutation(len(labels))
    unseen = max(1, round(recipe.validation * len(order)))
    white = expansion.white(labels.points)
    return RegressionData(
        training=rows.chosen(order[unseen:]),
        validation=rows.chosen(order[:unseen]),
        expansion=expansion,
        scale=scale,
        soft=soft,
        reach=float(np.sqrt(np.max(np.sum(white * white, axis=1)))),
        domain=(labels.points.min(axis=0), labels.points.max(axis=0)),
        samples=x,
        nodes=nodes,
        function=function,
    )


def _rows(labels: PointLabels, expansion: Expansion, scale: float, soft: float) -> Rows:
    x = expansion.white(labels.points)
    below = labels.values - expansion.value
    values = below - expansion.relative(x)
    slopes = labels.gradients @ np.linalg.inv(expansion.whitening) - expansion.gradient(x)
    weights = 1.0 / (1.0 + (np.minimum(below, 0.0) / soft) ** 2)
    return Rows(*(part.astype(np.float32) for part in (x, values / scale, slopes / scale, weights)))


def _refuse(why: str, actual: str) -> None:
    raise FindingError(finding("LLB-T050", f"the samples cannot be learned: {why}", actual=actual))
