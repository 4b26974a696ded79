"""The conformance suite: analytic bundles whose every number is known, for testing anybody's loader."""

from llb_conformance.closed_form import Band, ExactLimits, Parabola, exact_limits
from llb_conformance.quadratic import (
    CURVES,
    QuadraticBin,
    QuadraticCurve,
    QuadraticModel,
    counting_model,
    parabola_model,
)
from llb_conformance.quadratic_bundle import pyhf_digest, quadratic_files, quadratic_graph, write_quadratic

__all__ = [
    "CURVES",
    "Band",
    "ExactLimits",
    "Parabola",
    "QuadraticBin",
    "QuadraticCurve",
    "QuadraticModel",
    "counting_model",
    "exact_limits",
    "parabola_model",
    "pyhf_digest",
    "quadratic_files",
    "quadratic_graph",
    "write_quadratic",
]
