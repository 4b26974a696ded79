"""Wrong loaders, to test the suite with: each has one fault, and has to fail."""

from llb_conformance.mutants.matrix import IDLE, MUTANTS, KillMatrix, kill_matrix
from llb_conformance.mutants.mutant import Mutant, WrongLoader

__all__ = ["IDLE", "MUTANTS", "KillMatrix", "Mutant", "WrongLoader", "kill_matrix"]
