"""Synthetic densities that stand in for global fits whose samples cannot be made anew.

Their logarithm is known exactly, normalisation included, and they are drawn from exactly: no Markov chain is
between a learned density and the truth.
"""

from llb_trainer.teachers.densities.standins.density import StandIn
from llb_trainer.teachers.densities.standins.layout import (
    ELECTROWEAK,
    FLAVOUR,
    Layout,
    electroweak_like,
    flavour_like,
    stand_in,
)
from llb_trainer.teachers.densities.standins.staircase import Staircase

__all__ = [
    "ELECTROWEAK",
    "FLAVOUR",
    "Layout",
    "Staircase",
    "StandIn",
    "electroweak_like",
    "flavour_like",
    "stand_in",
]
