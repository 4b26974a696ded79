"""Random numbers by index: those of row i depend on the seed and on i, never on what was asked before.

Rows come in blocks of a fixed size, and a block is always computed as a whole: then a row has the same
bits whichever part of the sequence is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from llb_schema import FindingError, finding

__all__ = ["BLOCK", "Stream", "by_blocks", "generator", "sobol_block"]

Floats = NDArray[np.float64]

BLOCK: Final = 256
"""Rows of a block: a power of two, so that each block of a Sobol sequence is balanced by itself."""


class Stream(IntEnum):
    """What random numbers are for: equal seeds give unrelated numbers on different streams."""

    SCRAMBLE = 0
    CHOICE = 1
    CHAIN = 2
    PICK = 3


def generator(seed: int, stream: Stream, number: int = 0) -> np.random.Generator:
    """Counter-based random numbers (Philox) for one block of one stream."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(stream, number))))


def sobol_block(seed: int, block: int, columns: int) -> Floats:
    """One block of the scrambled Sobol sequence of this seed, (BLOCK, columns), inside (0, 1).

    Raises:
        FindingError: LLB-T031 more columns than the sequence has dimensions.
    """
    if columns > qmc.Sobol.MAXDIM:
        message = f"a Sobol sequence has at most {qmc.Sobol.MAXDIM} dimensions, and {columns} are needed"
        raise FindingError(finding("LLB-T031", message, actual=str(columns)))
    engine = qmc.Sobol(columns, scramble=True, rng=generator(seed, Stream.SCRAMBLE))
    if block:
        engine.fast_forward(block * BLOCK)
    # The sequence lives on multiples of 2^-30: half a step keeps it off 0 and 1.
    return engine.random(BLOCK) + 2.0**-31


def by_blocks(draw: Callable[[int], Floats], size: int, first: int, count: int) -> Floats:
    """Rows `first` to `first + count` of a sequence that comes in blocks.

    Args:
        draw: gives block number b, (size, n_bins): the rows from b * size.
        size: rows of a block.
        first: first row wanted.
        count: number of rows, at least one.
    """
    low, high = first // size, (first + count - 1) // size
    blocks = [draw(block) for block in range(low, high + 1)]
    return np.concatenate(blocks)[first - low * size :][:count]
