"""Regression of ln L(theta) in all parameters: from a teacher's values and gradients to plain numbers.

The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.regression.expansion import Expansion, expand
    from llb_trainer.regression.function import Regression
    from llb_trainer.regression.labels import PointLabels, label_points, target_function
    from llb_trainer.regression.recipe import RegressionRecipe, Target
    from llb_trainer.regression.training import RegressionHistory, TrainedRegression, train_regression

__all__ = [
    "Expansion",
    "PointLabels",
    "Regression",
    "RegressionHistory",
    "RegressionRecipe",
    "Target",
    "TrainedRegression",
    "expand",
    "label_points",
    "target_function",
    "train_regression",
]

_HOMES = {
    **dict.fromkeys(("Expansion", "expand"), "expansion"),
    "Regression": "function",
    **dict.fromkeys(("PointLabels", "label_points", "target_function"), "labels"),
    **dict.fromkeys(("RegressionRecipe", "Target"), "recipe"),
    **dict.fromkeys(("RegressionHistory", "TrainedRegression", "train_regression"), "training"),
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.regression' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.regression.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
