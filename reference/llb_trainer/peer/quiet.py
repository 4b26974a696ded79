"""Runs pyhf as this project needs it: numpy, SciPy's SLSQP, no chatter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import pyhf

__all__ = ["numpy_pyhf"]


@contextmanager
def numpy_pyhf() -> Generator[None]:
    """Switch pyhf to its numpy backend with SLSQP inside the block, and back afterwards.

    An optimiser on its way probes points where a rate is not positive; numpy then warns of the
    logarithm and SciPy of the step it clips. pyhf logs a failed fit at level ERROR before it
    raises; the caller hears of it from the exception. All three stay silent inside the block.
    """
    backend, optimizer = pyhf.get_backend()
    logger = logging.getLogger("pyhf")
    level = logger.level
    pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer())
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"pyhf\.")
            warnings.filterwarnings("ignore", "Values in x were outside bounds", RuntimeWarning)
            yield
    finally:
        logger.setLevel(level)
        pyhf.set_backend(backend, optimizer)
