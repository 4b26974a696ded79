"""The likelihood of one model in its own parameters: what stands around the batched fits.

Fits know only the moving parameters; here they meet the fixed ones, those that do nothing, and the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.rates import Data, contents, expectation
from llb_trainer.teachers.histfactory.tables import Moving, Tables, moving, tables

__all__ = ["Likelihood"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-9
"""Events that an empty bin may be short of by rounding."""


@dataclass(frozen=True, eq=False)
class Likelihood:
    """A compiled model, signal included, ready for fits.

    Attributes:
        model: the compiled model with its signal.
        order: which parameters fits move.
        tables: the model as arrays.
    """

    model: CompiledModel
    order: Moving
    tables: Tables

    @classmethod
    def of(cls, model: CompiledModel) -> Likelihood:
        """Make a compiled model ready."""
        order = moving(model)
        return cls(model, order, tables(model, order))

    @cached_property
    def device_tables(self) -> Tables:
        """The same arrays where JAX computes."""
        return jax.device_put(self.tables)

    @cached_property
    def lower(self) -> Floats:
        """(P,) lower bounds of the moving parameters."""
        return self.model.lower[self.order.parameters]

    @cached_property
    def upper(self) -> Floats:
        """(P,) upper bounds of the moving parameters."""
        return self.model.upper[self.order.parameters]

    @cached_property
    def start(self) -> Floats:
        """(P,) where a fit starts if nothing better is known: the measurement's values, inside the bounds."""
        return np.clip(self.model.init[self.order.parameters], self.lower, self.upper)

    def data(self, sets: list[DataSet]) -> Data:
        """Data sets as columns for the fits, with what is constant in each."""
        return Data(
            jnp.asarray(np.stack([item.main for item in sets], axis=1)),
            jnp.asarray(np.stack([item.auxiliary[self.order.parameters] for item in sets], axis=1)),
            jnp.asarray([self._constant(item) for item in sets]),
        )

    def _constant(self, item: DataSet) -> float:
        """Factorials and normalisations, and the constraint terms of parameters that do not move."""
        terms = self.model.constraints
        normal, poisson = terms.kind == 1, terms.kind == 2
        constant = float(np.sum(gammaln(item.main + 1.0)))
        constant += float(np.sum(np.log(terms.width[normal]) + 0.5 * np.log(2 * np.pi)))
        constant += float(np.sum(gammaln(item.auxiliary[poisson] + 1.0)))
        theta = self.full(self.start[None], item)[0]
        still = np.ones(len(theta), dtype=bool)
        still[self.order.parameters] = False
        pull = ((theta - item.auxiliary) / terms.width)[still & normal]
        mean, counts = (terms.factor * theta)[still & poisson], item.auxiliary[still & poisson]
        return constant + float(0.5 * pull @ pull + np.sum(mean - xlogy(counts, mean)))

    def full(self, theta: Floats, item: DataSet) -> Floats:
        """All parameters (n, n_parameters) of moving ones (n, P); those that do nothing follow their data."""
        terms = self.model.constraints
        follow = np.where(terms.kind == 0, self.model.init, item.auxiliary / terms.factor)
        follow = np.clip(follow, self.model.lower, self.model.upper)
        values = np.tile(np.where(self.model.fixed, self.model.init, follow), (len(theta), 1))
        values[:, self.order.parameters] = theta
        return values

    def background(self, theta: Floats) -> tuple[Floats, Floats]:
        """Events without signal (n, n_bins) and what multiplies the signal (n,) at parameters (n, P)."""
        if not len(theta):
            return np.empty((0, len(self.model.bins.channel))), np.empty(0)
        parts = [_background(self.device_tables, jnp.asarray(block.T)) for block in _blocks(theta)]
        events, scale = (np.concatenate([np.asarray(part[i]) for part in parts], axis=-1) for i in (0, 1))
        return np.ascontiguousarray(events[:, : len(theta)].T), scale[: len(theta)]

    def expected(self, theta: Floats, signal: Floats) -> tuple[Floats, Floats]:
        """Events with a signal (n, n_bins), and what multiplies the signal (n,), at parameters (n, P)."""
        background, scale = self.background(theta)
        return background + scale[:, None] * signal, scale

    @property
    def moving_names(self) -> tuple[str, ...]:
        """Names of the moving parameters."""
        return tuple(self.model.parameters[i] for i in self.order.parameters)

    def envelope(self, theta: Floats, signal: Floats, item: DataSet) -> Floats:
        """Derivative of the profiled NLL with respect to the signal, (n, n_bins), at minima `theta` (n, P).

        Envelope theorem: `1 - n / nu` times what multiplies the signal.
        """
        expected, scale = self.expected(theta, signal)
        return scale[:, None] * (1.0 - item.main / np.where(item.main == 0, 1.0, expected))

    def possible(self, theta: Floats, signal: Floats) -> Flags:
        """Whether no bin expects less than nothing, (n,), at parameters `theta` (n, P).

        Where nothing was observed pyhf's likelihood goes on below, and rises without end.
        """
        return np.all(self.expected(theta, signal)[0] >= -_ROUNDING, axis=1)

    def covariance(self, theta: Floats, item: DataSet) -> Floats:
        """Covariance (n_bins, n_bins) of the background, linearised in the parameters at `theta` (P,).

        Nothing constrains a free normalisation but the data; it counts with 100 %.
        """
        terms, own = self.model.constraints, self.order.parameters
        jacobian = self.jacobian(theta[None], np.zeros((1, len(item.main))))[0]
        kinds = [terms.kind[own] == 1, terms.kind[own] == 2]
        variance = np.select(kinds, [terms.width[own] ** 2, 1 / terms.factor[own]], theta**2)
        return (jacobian * variance) @ jacobian.T

    def jacobian(self, theta: Floats, signal: Floats) -> Floats:
        """Derivatives of the events (n, n_bins, P) at moving parameters (n, P) and signals (n, n_bins)."""
        parts = [
            np.asarray(_jacobian(self.device_tables, jnp.asarray(t.T), jnp.asarray(s.T)))
            for t, s in zip(_blocks(theta), _blocks(signal), strict=True)
        ]
        return np.concatenate([part.transpose(2, 0, 1) for part in parts])[: len(theta)]

    def __getstate__(self) -> dict[str, object]:
        """What travels to other processes: not what lies where JAX computes."""
        return {name: value for name, value in self.__dict__.items() if name in self.__dataclass_fields__}


_BLOCK = 128


def _blocks(rows: Floats) -> list[Floats]:
    """Blocks of one size, so that functions are compiled once; the last row fills the last block."""
    firsts = range(0, len(rows), _BLOCK)
    return [rows[np.minimum(np.arange(first, first + _BLOCK), len(rows) - 1)] for first in firsts]


@jax.jit
def _background(t: Tables, theta: Array) -> tuple[Array, Array]:
    found = contents(t, theta, jnp.zeros((len(t.nominal), theta.shape[1])))
    return jnp.sum(found.rate, axis=1), found.product[0, -1]


@jax.jit
def _jacobian(t: Tables, theta: Array, signal: Array) -> Array:
    return expectation(t, theta, signal).jacobian
