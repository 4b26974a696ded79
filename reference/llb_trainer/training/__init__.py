"""Training: from labels to a learned likelihood."""

from llb_trainer.training.loop import Trained, TrainingHistory, train
from llb_trainer.training.network import Calibration, ProfileNetwork
from llb_trainer.training.recipe import Recipe

__all__ = ["Calibration", "ProfileNetwork", "Recipe", "Trained", "TrainingHistory", "train"]
