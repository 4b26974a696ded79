"""Where a regression has made up maxima: its own profiles, to be shown to the teacher and learned from.

In many dimensions a network can rise where no point was, and whoever maximises it ends there: the maxima
over all other parameters are the first thing that is asked of ln L, and the last that points at random would
teach.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from llb_trainer.regression.data import RegressionData
from llb_trainer.regression.function import Regression

__all__ = ["refining_points"]

Floats = NDArray[np.float64]

_ITERATIONS = 300
_AROUND = 0.3
"""Of the way from the mode to a sample, by which points lie aside of the line between two maxima."""


def refining_points(
    regression: Regression, data: RegressionData, count: int, generator: np.random.Generator
) -> Floats:
    """Points (count, D) between the teacher's conditional maxima and the regression's own, physical units.

    Args:
        regression: as it has been trained so far.
        data: what it is trained on.
        count: how many points.
        generator: of everything random.
    """
    nodes = data.expansion.physical(data.nodes.points)
    found = np.stack([
        _climbed(regression, data, node, int(column), start)
        for node, column in zip(nodes, data.nodes.columns, strict=True)
        for start in (node, _somewhere(data, node, int(column), generator))
    ])  # fmt: skip
    known = np.repeat(nodes, 2, axis=0)
    rows = generator.integers(0, len(found), count)
    # From one maximum to the other and a little beyond, where the ridge between them would go on.
    along = generator.uniform(0.0, 1.1, (count, 1))
    aside = data.samples[generator.integers(0, len(data.samples), count)]
    aside = aside * (_AROUND * generator.uniform(0.0, 1.0, (count, 1)) ** 2)
    points = known[rows] + along * (found[rows] - known[rows])
    points = points + data.expansion.physical(aside) - data.expansion.center
    return np.clip(points, *data.domain)


def _somewhere(data: RegressionData, node: Floats, column: int, generator: np.random.Generator) -> Floats:
    """A sample, with the parameter held where the node has it."""
    drawn = data.samples[generator.integers(0, len(data.samples))][None]
    point = data.expansion.physical(drawn)[0]
    point[column] = node[column]
    return np.clip(point, *data.domain)


def _climbed(
    regression: Regression, data: RegressionData, node: Floats, column: int, start: Floats
) -> Floats:
    """The regression's maximum over the other parameters within the domain, (D,), from a start."""
    lower, upper = data.domain
    free = np.arange(len(node)) != column
    width = (upper - lower)[free]

    def place(unit: Floats) -> Floats:
        point = node.copy()
        point[free] = lower[free] + width * unit
        return point[None]

    def cost(unit: Floats) -> tuple[float, Floats]:
        point = place(unit)
        return -float(regression.relative(point)[0]), -regression.score(point)[0, free] * width

    begin = np.clip((start[free] - lower[free]) / width, 0.0, 1.0)
    options = {"maxiter": _ITERATIONS, "maxfun": 2 * _ITERATIONS}
    box = [(0.0, 1.0)] * len(begin)
    end = minimize(cost, begin, jac=True, method="L-BFGS-B", bounds=box, options=options)
    return place(np.asarray(end.x, np.float64))[0]
