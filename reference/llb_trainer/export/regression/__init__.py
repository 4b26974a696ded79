"""From a trained regression and held-out points to a bundle of the family `parameter_likelihood`.

The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.export.regression.bundle import emit_regression
    from llb_trainer.export.regression.emission import RegressionEmission
    from llb_trainer.export.regression.graphs import regression_graph, regression_score_graph

__all__ = ["RegressionEmission", "emit_regression", "regression_graph", "regression_score_graph"]

_HOMES = {
    "RegressionEmission": "emission",
    "emit_regression": "bundle",
    "regression_graph": "graphs",
    "regression_score_graph": "graphs",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.export.regression' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.export.regression.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
