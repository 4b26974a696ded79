"""How good a bundle is: its predictions against the teacher's truth, as numbers and as pictures."""

from llb.evaluation.figures import error_figure, learning_figure, truth_figure
from llb.evaluation.metrics import ONE_PERCENT_ON_CLS, REGIONS, Comparison, accuracy, running_quantiles
from llb.evaluation.truth import HeldOut, compare_heldout, read_heldout

__all__ = [
    "ONE_PERCENT_ON_CLS",
    "REGIONS",
    "Comparison",
    "HeldOut",
    "accuracy",
    "compare_heldout",
    "error_figure",
    "learning_figure",
    "read_heldout",
    "running_quantiles",
    "truth_figure",
]
