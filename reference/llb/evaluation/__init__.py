"""How good a bundle is: its predictions against the teacher's truth, as numbers and as pictures."""

from llb.evaluation.benchmarks import Benchmarks, compare_benchmarks, read_benchmarks
from llb.evaluation.figures import (
    agreement_figure,
    error_figure,
    error_map_figure,
    exclusion_figure,
    learning_figure,
    truth_figure,
)
from llb.evaluation.metrics import (
    ONE_PERCENT_ON_CLS,
    REGIONS,
    TWO_SIDED_95,
    Comparison,
    accuracy,
    coverage,
    running_quantiles,
)
from llb.evaluation.shape import CurveShape, ModelShape, model_shape
from llb.evaluation.signal_errors import BenchmarkErrors, SignalNumbers, benchmark_errors, signal_numbers
from llb.evaluation.spread import Spread
from llb.evaluation.timing import Timing, serving_time
from llb.evaluation.truth import HeldOut, compare_heldout, read_heldout

__all__ = [
    "ONE_PERCENT_ON_CLS",
    "REGIONS",
    "TWO_SIDED_95",
    "BenchmarkErrors",
    "Benchmarks",
    "Comparison",
    "CurveShape",
    "HeldOut",
    "ModelShape",
    "SignalNumbers",
    "Spread",
    "Timing",
    "accuracy",
    "agreement_figure",
    "benchmark_errors",
    "compare_benchmarks",
    "compare_heldout",
    "coverage",
    "error_figure",
    "error_map_figure",
    "exclusion_figure",
    "learning_figure",
    "model_shape",
    "read_benchmarks",
    "read_heldout",
    "running_quantiles",
    "serving_time",
    "signal_numbers",
    "truth_figure",
]
