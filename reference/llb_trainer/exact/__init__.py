"""Exact limits: a teacher's own best fit, CLs and upper limits of the signals that an analysis published."""

from llb_trainer.exact.answer import ExactLimits
from llb_trainer.exact.search import exact_limits

__all__ = ["ExactLimits", "exact_limits"]
