"""Training: from labels to a learned likelihood."""

from llb_trainer.training.loop import Trained, TrainingHistory, train
from llb_trainer.training.network import Calibration, ProfileNetwork
from llb_trainer.training.recipe import FEW_BINS, Recipe

__all__ = ["FEW_BINS", "Calibration", "ProfileNetwork", "Recipe", "Trained", "TrainingHistory", "train"]
