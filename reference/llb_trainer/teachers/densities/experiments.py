"""Pseudo-experiments of a workspace: parameters drawn from the prior, counts drawn at the parameters.

Such pairs are what a conditional density p(parameters | counts) is learned from: no likelihood is evaluated,
and none has to be sampled for each data set.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from llb_schema import FindingError, finding
from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.chains.samples import ParameterSamples
from llb_trainer.teachers.densities.blocks import in_blocks
from llb_trainer.teachers.densities.histfactory import HistFactoryDensity

__all__ = ["Experiments", "draw_experiments"]

Floats = NDArray[np.float64]

_TRIES = 20
"""How often draws of which a bin expects less than nothing are drawn again."""


@dataclass(frozen=True, eq=False)
class Experiments:
    """Parameters and what an experiment saw that had them.

    Attributes:
        parameters: (n, D) independent draws of the prior.
        bins: ids of the bins, by column of `counts`.
        counts: (n, bins) Poisson counts.
    """

    parameters: ParameterSamples
    bins: tuple[str, ...]
    counts: Floats


def draw_experiments(density: HistFactoryDensity, n: int, seed: int) -> Experiments:
    """Draw parameters and counts.

    The prior is that of the density: constraint terms at the nominal auxiliary data, flat where there is
    none, all within the bounds. Parameters at which a bin expects less than nothing are no model, and are
    drawn again.

    Args:
        density: the workspace's; its observed data are not used.
        n: experiments.
        seed: of everything random.

    Raises:
        FindingError: LLB-L220 hardly any draw of the prior is a model.
    """
    generator = np.random.default_rng(seed)
    theta = np.empty((0, len(density.parameters)))
    expected = np.empty((0, len(density.bins)))
    with jax.enable_x64(True):
        events = jax.jit(jax.vmap(density.expected_events))
        for _ in range(_TRIES):
            fresh = _prior_draws(density, generator, n - len(theta))
            found = in_blocks(events, fresh)
            good = np.all(found >= 0.0, axis=1)
            theta, expected = np.vstack([theta, fresh[good]]), np.vstack([expected, found[good]])
            if len(theta) == n:
                break
        else:
            message = (
                f"after {_TRIES} tries only {len(theta)} of {n} draws of the prior expect no negative events"
            )
            raise FindingError(finding("LLB-L220", message))
    counts = generator.poisson(expected).astype(np.float64)
    return Experiments(ParameterSamples(density.parameters, theta), density.bins, counts)


def _prior_draws(density: HistFactoryDensity, generator: np.random.Generator, n: int) -> Floats:
    """(n, D) draws by the inverse of each parameter's distribution function, between its bounds."""
    low, high = lower_bounds(density.parameters), upper_bounds(density.parameters)
    terms = density.constraint_terms
    uniform = generator.random((n, len(low)))
    found = low + uniform * (high - low)
    normal, poisson = terms.kind == 1, terms.kind == 2

    def between(columns: NDArray[np.bool_], first: Floats, last: Floats) -> Floats:
        return first + uniform[:, columns] * (last - first)

    mean, width = terms.nominal[normal], terms.width[normal]
    edges = ndtr((low[normal] - mean) / width), ndtr((high[normal] - mean) / width)
    found[:, normal] = mean + width * ndtri(between(normal, *edges))
    # As a function of the parameter a Poisson term is a gamma density.
    shape, factor = terms.nominal[poisson] + 1.0, terms.factor[poisson]
    edges = gammainc(shape, factor * np.maximum(low[poisson], 0.0)), gammainc(shape, factor * high[poisson])
    found[:, poisson] = gammaincinv(shape, between(poisson, *edges)) / factor
    return np.clip(found, low, high)
