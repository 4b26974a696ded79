"""How good a bundle is: its predictions against the teacher's truth, as numbers and as pictures."""

from llb.evaluation.benchmarks import Benchmarks, compare_benchmarks, read_benchmarks
from llb.evaluation.density_truth import (
    LOG_PROB_COLUMNS,
    DensityHeldOut,
    density_accuracy,
    density_distances,
    density_errors,
    read_density_heldout,
)
from llb.evaluation.distances import (
    correlation_distance,
    frechet_distance,
    ks_distances,
    polynomial_mmd,
    random_directions,
    wasserstein_distances,
)
from llb.evaluation.figures import (
    agreement_figure,
    density_profile_figure,
    error_figure,
    error_map_figure,
    exclusion_figure,
    learning_figure,
    log_prob_figure,
    truth_figure,
)
from llb.evaluation.intervals import (
    CREDIBILITIES,
    central_intervals,
    edge_error,
    hpd_regions,
    interval_error,
    shortest_intervals,
    width_errors,
)
from llb.evaluation.log_prob_errors import BaseSpaceTest, base_space_test, effective_fraction, log_prob_error
from llb.evaluation.metrics import (
    ONE_PERCENT_ON_CLS,
    REGIONS,
    TWO_SIDED_95,
    Comparison,
    accuracy,
    coverage,
    running_quantiles,
)
from llb.evaluation.null_tests import QUANTITIES, Sample, Scale, compare_with_null
from llb.evaluation.paper_metrics import PAPER_CREDIBILITIES, PaperMetrics, paper_metrics
from llb.evaluation.shape import CurveShape, ModelShape, model_shape
from llb.evaluation.signal_errors import BenchmarkErrors, SignalNumbers, benchmark_errors, signal_numbers
from llb.evaluation.spread import Spread
from llb.evaluation.timing import Timing, serving_time
from llb.evaluation.truth import HeldOut, compare_heldout, read_heldout

__all__ = [
    "CREDIBILITIES",
    "LOG_PROB_COLUMNS",
    "ONE_PERCENT_ON_CLS",
    "PAPER_CREDIBILITIES",
    "QUANTITIES",
    "REGIONS",
    "TWO_SIDED_95",
    "BaseSpaceTest",
    "BenchmarkErrors",
    "Benchmarks",
    "Comparison",
    "CurveShape",
    "DensityHeldOut",
    "HeldOut",
    "ModelShape",
    "PaperMetrics",
    "Sample",
    "Scale",
    "SignalNumbers",
    "Spread",
    "Timing",
    "accuracy",
    "agreement_figure",
    "base_space_test",
    "benchmark_errors",
    "central_intervals",
    "compare_benchmarks",
    "compare_heldout",
    "compare_with_null",
    "correlation_distance",
    "coverage",
    "density_accuracy",
    "density_distances",
    "density_errors",
    "density_profile_figure",
    "edge_error",
    "effective_fraction",
    "error_figure",
    "error_map_figure",
    "exclusion_figure",
    "frechet_distance",
    "hpd_regions",
    "interval_error",
    "ks_distances",
    "learning_figure",
    "log_prob_error",
    "log_prob_figure",
    "model_shape",
    "paper_metrics",
    "polynomial_mmd",
    "random_directions",
    "read_benchmarks",
    "read_density_heldout",
    "read_heldout",
    "running_quantiles",
    "serving_time",
    "shortest_intervals",
    "signal_numbers",
    "truth_figure",
    "wasserstein_distances",
    "width_errors",
]
