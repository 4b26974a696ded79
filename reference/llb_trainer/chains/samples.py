"""Samples of a density over parameters, in the parameters' own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter

__all__ = ["ParameterSamples"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ParameterSamples:
    """Samples of equal weight; weighted ones have to be drawn anew in proportion to their weights first.

    Whether they are sound is asked of `llb_trainer.chains.sample_findings`.

    Attributes:
        parameters: what the columns are.
        values: (n, D) values in physical units.
        log_density: (n,) natural logarithm of the density there, up to one constant, or None.
        chain: (n,) number of the Markov chain that made each sample, in the order of the chain, or None if
            the samples are independent of each other or nobody knows.
    """

    parameters: tuple[Parameter, ...]
    values: Floats
    log_density: Floats | None = None
    chain: Ints | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(item.name for item in self.parameters)

    def by_chain(self) -> Floats:
        """The values by chain, (chains, draws, D), each chain cut to the length of the shortest.

        Without chain numbers everything is one chain.
        """
        if self.chain is None:
            return self.values[None]
        parts = [self.values[self.chain == number] for number in np.unique(self.chain)]
        shortest = min(map(len, parts), default=0)
        return np.stack([part[:shortest] for part in parts]) if parts else self.values[None]

    def posterior(self) -> Mapping[str, Floats]:
        """The values (chains, draws) by name of the parameter, as `arviz.from_dict` takes a posterior."""
        chains = self.by_chain()
        return {name: chains[:, :, column] for column, name in enumerate(self.names)}
