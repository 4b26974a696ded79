"""Sampling of signal space: where to ask the teacher, by named strategies (docs/sampling.md)."""

from llb_trainer.sampling.active import Disagreement, active_signals, pick_diverse
from llb_trainer.sampling.background import Background, expected_delta, strengths
from llb_trainer.sampling.metropolis import LogDensity, metropolis_signals
from llb_trainer.sampling.settings import ActiveSettings, MetropolisSettings, Sampling
from llb_trainer.sampling.space import SignalSpace, signal_space
from llb_trainer.sampling.strategies import STRATEGIES, Strategy, sample_signals

__all__ = [
    "STRATEGIES",
    "ActiveSettings",
    "Background",
    "Disagreement",
    "LogDensity",
    "MetropolisSettings",
    "Sampling",
    "SignalSpace",
    "Strategy",
    "active_signals",
    "expected_delta",
    "metropolis_signals",
    "pick_diverse",
    "sample_signals",
    "signal_space",
    "strengths",
]
