"""The LHC-like toy search of arXiv:1809.05548 as the full likelihood in 95 parameters of arXiv:1911.03305.

Its numbers come from a file that is given; its formulas are here.
"""

from llb_trainer.teachers.densities.toy.density import ToyDensity, read_toy
from llb_trainer.teachers.densities.toy.numbers import ToyNumbers, read_numbers

__all__ = ["ToyDensity", "ToyNumbers", "read_numbers", "read_toy"]
