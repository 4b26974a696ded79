"""Validating bundles: levels 0 to 6 and profiles, every fault a finding."""

from llb.validation.levels import DEFAULT_LEVEL, MAX_LEVEL, validate
from llb.validation.profiles import PROFILES, Profile
from llb.validation.report import Report
from llb.validation.run_limits import RunLimits
from llb.validation.vectors import TestVectors, check_vectors, reproduces

__all__ = [
    "DEFAULT_LEVEL",
    "MAX_LEVEL",
    "PROFILES",
    "Profile",
    "Report",
    "RunLimits",
    "TestVectors",
    "check_vectors",
    "reproduces",
    "validate",
]
