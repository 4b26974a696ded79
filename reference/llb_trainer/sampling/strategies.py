"""The strategies by name, and the one function that draws by any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.sampling.background import Background
from llb_trainer.sampling.metropolis import metropolis_signals
from llb_trainer.sampling.mixed import mixed_signals
from llb_trainer.sampling.rays import rays_signals
from llb_trainer.sampling.settings import Sampling
from llb_trainer.sampling.sobol import sobol_signals
from llb_trainer.sampling.space import SignalSpace, signal_space

__all__ = ["STRATEGIES", "Strategy", "sample_signals"]

Floats = NDArray[np.float64]
Strategy = Callable[[SignalSpace, int, int], Floats]
"""Space, number of the first signal and number of signals to (count, n_bins) yields.

Signal i depends on the space and on i alone, bit for bit, whichever part of the sequence is asked for.
"""

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {
        "metropolis": metropolis_signals,
        "mixed": mixed_signals,
        "rays": rays_signals,
        "sobol": sobol_signals,
    }
)
"""Every strategy that needs no ensemble; `active_signals` is the one that does."""


def sample_signals(
    background: Background, published: Floats, n: int, sampling: Sampling, *, first: int = 0
) -> Floats:
    """Draw signals `first` to `first + n` of the endless sequence that `sampling` stands for.

    Args:
        background: of the analysis.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: how many.
        sampling: how.
        first: number of the first one.

    Returns:
        (n, n_bins) signal yields in events, finite, not negative; signal 0 is no signal at all. Signal i
        depends on the other arguments and on i alone, bit for bit: parts can be drawn on their own.

    Raises:
        FindingError: LLB-T030 no strategy has this name; LLB-T031 more bins than a Sobol sequence has
            dimensions.
    """
    draw = STRATEGIES.get(sampling.strategy)
    if draw is None:
        message = f"no sampling strategy is called {sampling.strategy!r}"
        known = ", ".join(STRATEGIES)
        raise FindingError(finding("LLB-T030", message, expected=known, actual=sampling.strategy))
    if n == 0:
        return np.empty((0, len(background.events)))
    signals = draw(signal_space(background, published, sampling), first, n)
    if first == 0:
        signals[0] = 0.0
    return signals
