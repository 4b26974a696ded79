"""A bundle without training: slope and linearised curvature of every curve from the teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from llb.runtime import ProfileLikelihood, load
from llb_conformance.quadratic import QuadraticBin, QuadraticCurve, QuadraticModel
from llb_conformance.quadratic_bundle import write_quadratic
from llb_trainer.teachers.histfactory import HistFactoryTeacher


def linearised_bundle(teacher: HistFactoryTeacher, target: Path) -> ProfileLikelihood:
    """A bundle with CLs of the right order, enough wherever the machinery is tested.

    Its columns are the teacher's bins backwards: whoever trusts the order of columns is found out.
    """
    bins, back = teacher.bins[::-1], slice(None, None, -1)
    events = np.array([item.background for item in bins])
    covariance = teacher.covariance[back, back] + np.diag(events)
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    width = tuple(10.0 * float(x) + 50.0 for x in np.sqrt(np.diag(covariance)))
    model = QuadraticModel(
        "linearised",
        tuple(
            QuadraticBin(item.channel, item.index, observed=int(item.observed), background=item.background)
            for item in bins
        ),
        tuple(
            QuadraticCurve(item.name, item.slope[back], root, item.baseline_nll, item.alias_of or None)
            for item in teacher.curves
        ),
        lower=tuple(-x for x in width),
        upper=width,
    )
    return load(write_quadratic(model, target))
