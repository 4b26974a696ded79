"""NUTS of BlackJAX on many chains at once, in blocks, so that somebody can watch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import blackjax
import jax
import numpy as np
from blackjax.adaptation.base import get_filter_adapt_info_fn
from jax import Array
from numpy.typing import NDArray

from llb_trainer.mcmc.settings import NutsSettings

__all__ = ["Chains", "Nuts"]

Floats = NDArray[np.float64]

_BLOCK = 50
"""Draws of each chain between two words to the progress; always as many, so one program serves all runs."""


@dataclass(frozen=True, eq=False)
class Chains:
    """What came of a run.

    Attributes:
        positions: (chains, draws, D).
        acceptance: mean acceptance of the proposals.
        steps: gradients that the draws took, of all chains together.
        divergences: draws, thinned ones included, whose trajectory diverged.
    """

    positions: Floats
    acceptance: float
    steps: int
    divergences: int


@dataclass(frozen=True, eq=False)
class Nuts:
    """The sampler of one density; it is compiled at the first run, which takes longer than most runs.

    Attributes:
        log_density: of one position (D,), traced and run inside `jax.enable_x64(True)`.
        settings: of the sampler.
    """

    log_density: Callable[[Array], Array]
    settings: NutsSettings

    def run(
        self, starts: Array, draws: int, seed: int, progress: Callable[[int, int], None] | None = None
    ) -> Chains:
        """Run chains; the same seed gives the same chains on the same machine.

        Every chain adapts its own step size and diagonal metric (Stan's windows), then keeps them.

        Args:
            starts: (chains, D) positions of positive density.
            draws: of each chain, thinned ones not counted.
            seed: of everything random.
            progress: told how many draws of all chains are done, and how many there will be.
        """
        count = len(starts)
        warm, draw = jax.random.split(jax.random.key(seed))
        states, *tuned = self._adapted(jax.random.split(warm, count), starts)
        parts = list[tuple[NDArray[Any], ...]]()
        for number in range(-(-draws // _BLOCK)):
            keys = jax.random.split(jax.random.fold_in(draw, number), _BLOCK)
            states, found = self._drawn(states, tuned, keys)
            parts.append(tuple(np.asarray(part) for part in found))
            if progress:
                progress(min((number + 1) * _BLOCK, draws) * count, draws * count)
        positions, acceptance, steps, divergent = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Chains(
            np.ascontiguousarray(np.swapaxes(positions[:draws], 0, 1)),
            float(acceptance[:draws].mean()),
            int(steps[:draws].sum()),
            int(divergent[:draws].sum()),
        )

    @cached_property
    def _adapted(self) -> Callable[[Array, Array], tuple[Any, ...]]:
        """From keys and starts to states, step sizes and metrics, chain by chain."""
        adaptation: Any = blackjax.window_adaptation(
            blackjax.nuts,
            self.log_density,
            target_acceptance_rate=self.settings.acceptance,
            adaptation_info_fn=get_filter_adapt_info_fn(),
            max_num_doublings=self.settings.doublings,
        )

        def adapted(key: Array, start: Array) -> tuple[Any, Array, Array]:
            (state, tuned), _ = adaptation.run(key, start, self.settings.warm_up)
            return state, tuned["step_size"], tuned["inverse_mass_matrix"]

        return jax.jit(jax.vmap(adapted))

    @cached_property
    def _drawn(self) -> Callable[[Any, Any, Array], tuple[Any, Any]]:
        """From states, what was tuned, and keys to states, and what a block of draws gave."""
        kernel: Any = blackjax.nuts.build_kernel()

        def step(key: Array, state: Any, size: Array, metric: Array) -> tuple[Any, Any]:
            return kernel(key, state, self.log_density, size, metric, self.settings.doublings)

        def drawn(states: Any, tuned: tuple[Array, Array], keys: Array) -> tuple[Any, Any]:
            def one(states: Any, key: Array) -> tuple[Any, tuple[Array, Array, Array]]:
                each = jax.random.split(key, len(tuned[0]))
                states, info = jax.vmap(step)(each, states, *tuned)
                told = (
                    info.acceptance_rate.mean(),
                    info.num_integration_steps.sum(),
                    info.is_divergent.sum(),
                )
                return states, told

            def kept(states: Any, key: Array) -> tuple[Any, tuple[Array, ...]]:
                """One draw of each chain that is kept, after those that are not."""
                every = jax.random.split(key, self.settings.thin)
                states, (acceptance, steps, divergent) = jax.lax.scan(one, states, every)
                return states, (states.position, acceptance.mean(), steps.sum(), divergent.sum())

            return jax.lax.scan(kept, states, keys)

        return jax.jit(drawn)
