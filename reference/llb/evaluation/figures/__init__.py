"""Pictures of a bundle, as PNG bytes; matplotlib is needed only when one is drawn."""

from llb.evaluation.figures.accuracy import error_figure, learning_figure, truth_figure
from llb.evaluation.figures.agreement import agreement_figure
from llb.evaluation.figures.calibration import calibration_figure
from llb.evaluation.figures.contours import draw_contour
from llb.evaluation.figures.density_profile import density_profile_figure
from llb.evaluation.figures.log_prob import log_prob_figure
from llb.evaluation.figures.plane import error_map_figure, exclusion_figure
from llb.evaluation.figures.samples import corner_figure, marginals_figure, telling_columns

__all__ = [
    "agreement_figure",
    "calibration_figure",
    "corner_figure",
    "density_profile_figure",
    "draw_contour",
    "error_figure",
    "error_map_figure",
    "exclusion_figure",
    "learning_figure",
    "log_prob_figure",
    "marginals_figure",
    "telling_columns",
    "truth_figure",
]
