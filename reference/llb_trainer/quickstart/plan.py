"""What the quickstart makes: a bundle in minutes on a laptop."""

from __future__ import annotations

from llb_trainer.plan import Plan
from llb_trainer.sampling import Sampling
from llb_trainer.training import Recipe

__all__ = ["quickstart_plan"]


def quickstart_plan(seed: int) -> Plan:
    """Enough labels and steps for limits good to a fraction of a percent on a small search."""
    return Plan(signals=3_072, sampling=Sampling(seed=seed), recipe=Recipe(steps=2_500, seed=seed))
