"""Pictures of a bundle, as PNG or SVG; matplotlib is needed only when one is drawn."""

from llb.evaluation.figures.accuracy import error_figure, learning_figure, truth_figure
from llb.evaluation.figures.agreement import agreement_figure
from llb.evaluation.figures.calibration import calibration_figure
from llb.evaluation.figures.contours import draw_contour
from llb.evaluation.figures.coverage import coverage_figure
from llb.evaluation.figures.density_accuracy import distance_figure, log_prob_figure
from llb.evaluation.figures.density_profile import density_profile_figure
from llb.evaluation.figures.names import DISTANCE_TITLES
from llb.evaluation.figures.plane import error_map_figure, exclusion_figure
from llb.evaluation.figures.rays import ray_figure
from llb.evaluation.figures.samples import corner_figure, marginals_figure, telling_columns

__all__ = [
    "DISTANCE_TITLES",
    "agreement_figure",
    "calibration_figure",
    "corner_figure",
    "coverage_figure",
    "density_profile_figure",
    "distance_figure",
    "draw_contour",
    "error_figure",
    "error_map_figure",
    "exclusion_figure",
    "learning_figure",
    "log_prob_figure",
    "marginals_figure",
    "ray_figure",
    "telling_columns",
    "truth_figure",
]
