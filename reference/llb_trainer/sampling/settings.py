"""How signals are to be drawn: the strategy by name, and its settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from llb_schema import FindingError, finding

__all__ = ["ActiveSettings", "MetropolisSettings", "Sampling"]


@dataclass(frozen=True)
class MetropolisSettings:
    """How Markov chains run; used by the strategy `metropolis` alone.

    Attributes:
        temperature: the target is exp(-expected Delta NLL / temperature) inside the box; 1 is the likelihood.
        chains: of a fleet, started far apart; a fleet is computed as a whole.
        length: signals taken from each chain of a fleet.
        burn_in: steps of each chain before its first signal; only they adapt its step.
        thinning: steps from one signal to the next.
        acceptance: share of accepted proposals that the burn-in steers each chain to.
    """

    temperature: float = 1.0
    chains: int = 64
    length: int = 32
    burn_in: int = 500
    thinning: int = 8
    acceptance: float = 0.3

    def __post_init__(self) -> None:
        _require(0 < self.temperature < math.inf, "metropolis.temperature", self.temperature, "above 0")
        for name in ("chains", "length", "thinning"):
            _require(getattr(self, name) >= 1, f"metropolis.{name}", getattr(self, name), "at least 1")
        _require(self.burn_in >= 0, "metropolis.burn_in", self.burn_in, "at least 0")
        _require(0 < self.acceptance < 1, "metropolis.acceptance", self.acceptance, "between 0 and 1")


@dataclass(frozen=True)
class ActiveSettings:
    """How signals are chosen by disagreement; used by `active_signals` alone.

    Attributes:
        candidates: signals that are looked at.
        sharpness: exponent of the disagreement; 0 looks at distances alone.
        diversity: exponent of the distance to what is chosen already; 0 looks at the disagreement alone.
    """

    candidates: int = 16_384
    sharpness: float = 1.0
    diversity: float = 2.0

    def __post_init__(self) -> None:
        _require(self.candidates >= 1, "active.candidates", self.candidates, "at least 1")
        for name in ("sharpness", "diversity"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, f"active.{name}", value, "at least 0")


@dataclass(frozen=True)
class Sampling:
    """How signals are drawn.

    Raises `FindingError` LLB-T031 where a setting is out of its range.

    Attributes:
        published: fraction along published directions, where there are any; the rest fills space.
        jitter: standard deviation of the logarithm of each bin's distortion of a published direction.
        spread: standard deviation of the logarithm of the bins of a space-filling direction.
        alone: fraction of the space-filling signals that is in one bin only.
        reach: how far space is filled, in units of the largest yields that published signals have where
            they reach `delta_max`.
        near_zero: fraction with a strength drawn evenly in its logarithm, from 1e-3 to 2 sigma.
        delta_max: largest expected Delta NLL of the signals that are drawn densely.
        strength: mu up to which all published signals are covered, whatever their Delta NLL.
        far: fraction from `delta_max` to what published signals reach at `strength`, evenly in the logarithm.
        negative: fraction with negative yields, in some bins or in all.
        below_zero: how negative, in units of the fewest events that a data set expects; never beyond one
            standard deviation.
        seed: of everything random.
        strategy: a key of `STRATEGIES`.
        metropolis: settings of the strategy of that name.
        active: settings of `active_signals`.
    """

    published: float = 0.65
    jitter: float = 0.3
    spread: float = 1.2
    alone: float = 0.1
    reach: float = 1.5
    near_zero: float = 0.15
    delta_max: float = 24.0
    strength: float = 3.0
    far: float = 0.1
    negative: float = 0.05
    below_zero: float = 0.2
    seed: int = 20261121
    strategy: str = "mixed"
    metropolis: MetropolisSettings = field(default_factory=MetropolisSettings)
    active: ActiveSettings = field(default_factory=ActiveSettings)

    def __post_init__(self) -> None:
        for name in ("published", "alone", "near_zero", "far", "negative"):
            value = getattr(self, name)
            _require(0 <= value <= 1, name, value, "between 0 and 1")
        for name in ("jitter", "spread"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, name, value, "at least 0")
        _require(0 <= self.below_zero < 1, "below_zero", self.below_zero, "at least 0 and below 1")
        for name in ("reach", "delta_max", "strength"):
            value = getattr(self, name)
            _require(0 < value < math.inf, name, value, "above 0")
        _require(self.seed >= 0, "seed", self.seed, "at least 0")


def _require(holds: bool, name: str, value: float, expected: str) -> None:
    if not holds:
        message = f"the sampling setting {name} is {value}, and must be {expected}"
        raise FindingError(finding("LLB-T031", message, expected=expected, actual=str(value)))
