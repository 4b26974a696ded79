"""Validating bundles: levels 0 to 4, every fault a finding."""

from llb.validation.levels import MAX_LEVEL, validate
from llb.validation.report import Report
from llb.validation.vectors import TestVectors, check_vectors, reproduces

__all__ = ["MAX_LEVEL", "Report", "TestVectors", "check_vectors", "reproduces", "validate"]
