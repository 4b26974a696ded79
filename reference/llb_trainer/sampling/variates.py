"""The random numbers of one block of signals, by what they decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.sampling.randomness import BLOCK, Stream, generator, sobol_block
from llb_trainer.sampling.space import SignalSpace

__all__ = ["Variates", "filled_bins", "variates"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Variates:
    """Numbers spread evenly over (0, 1).

    The first five are coordinates of one scrambled Sobol sequence, so that signals of one kind fill their
    space as evenly as all do; the others are independent.

    Attributes:
        strength: (BLOCK,) how strong the signal is.
        kind: (BLOCK,) to which family it belongs.
        which: (BLOCK,) which published signal, or which bin, leads.
        variety: (BLOCK,) how far it departs from the plainest signal of its family.
        bins: (BLOCK, n_bins) how much is in each bin.
        second: (BLOCK,) which published signal is mixed with the leading one.
        mixture: (BLOCK,) whether one is.
        weight: (BLOCK,) of the second one.
        filling: (BLOCK, n_bins) whether a bin is filled.
        depth: (BLOCK, n_bins) how far behind the wall of the box a yield beyond it ends.
        far: (BLOCK,) whether the signal is a strong one.
        sign: (BLOCK,) whether yields are negative.
    """

    strength: Floats
    kind: Floats
    which: Floats
    variety: Floats
    bins: Floats
    second: Floats
    mixture: Floats
    weight: Floats
    filling: Floats
    depth: Floats
    far: Floats
    sign: Floats


def variates(space: SignalSpace, block: int) -> Variates:
    """The numbers of one block.

    Raises:
        FindingError: LLB-T031 more bins than a Sobol sequence has dimensions.
    """
    seed, n_bins = space.sampling.seed, space.n_bins
    quasi = sobol_block(seed, block, n_bins + 4)
    free = generator(seed, Stream.CHOICE, block).random((BLOCK, 2 * n_bins + 5))
    return Variates(
        strength=quasi[:, 0],
        kind=quasi[:, 1],
        which=quasi[:, 2],
        variety=quasi[:, 3],
        bins=quasi[:, 4:],
        second=free[:, 0],
        mixture=free[:, 1],
        weight=free[:, 2],
        filling=free[:, 3 : n_bins + 3],
        depth=free[:, n_bins + 3 : -2],
        far=free[:, -2],
        sign=free[:, -1],
    )


def filled_bins(numbers: Variates, alone: float) -> NDArray[np.bool_]:
    """(BLOCK, n_bins) bins that hold signal: one bin only in the fraction `alone`, then ever more, up to all.

    A bin that leads always holds some; every other one with a probability from 0.2 up, and 1 in a sixth of
    the rows.
    """
    rows, n_bins = numbers.bins.shape
    leader = (numbers.which * n_bins).astype(np.int64)
    share = (numbers.variety - alone) / max(1.0 - alone, 1e-9)
    probability = np.where(share < 0, 0.0, 0.2 + 1.2 * share)
    filled = numbers.filling < probability[:, None]
    filled[np.arange(rows), leader] = True
    return filled
