"""Normalizing flows: from samples of a posterior or a likelihood to its density, in plain numbers."""

from llb_trainer.flows.fitting import fit_units
from llb_trainer.flows.flow import Flow, Network
from llb_trainer.flows.layout import Layout
from llb_trainer.flows.recipe import FlowRecipe
from llb_trainer.flows.training import FlowHistory, TrainedFlow, train_flow
from llb_trainer.flows.units import UnitMap

__all__ = [
    "Flow",
    "FlowHistory",
    "FlowRecipe",
    "Layout",
    "Network",
    "TrainedFlow",
    "UnitMap",
    "fit_units",
    "train_flow",
]
