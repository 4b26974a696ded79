"""The four data sets of a HistFactory model and the background-only fits that define them."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.rates import Data, Tables, events

__all__ = ["DataSet", "asimov", "nominal", "observed", "stack"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DataSet:
    """Main data per bin and auxiliary data per parameter (0 for free parameters)."""

    main: Floats
    auxiliary: Floats


def observed(model: CompiledModel, counts: dict[str, tuple[float, ...]]) -> DataSet:
    """Observed counts with the nominal auxiliary data."""
    main = [counts[name][index] for name, index in zip(model.bins.channel, model.bins.index, strict=True)]
    return DataSet(np.asarray(main, dtype=np.float64), model.constraints.nominal)


def nominal(model: CompiledModel, t: Tables) -> DataSet:
    """The background expected at the measurement's initial parameters, nominal auxiliary data."""
    return DataSet(_background(model, t, model.init), model.constraints.nominal)


def asimov(model: CompiledModel, t: Tables, theta: Floats) -> DataSet:
    """Background-only Asimov data of the nuisance parameters `theta`; auxiliary data move with them.

    A normal term has `theta` as its datum, a Poisson term `tau * theta` (Cowan et al.,
    arXiv:1007.1727, section 3.2; as `pyhf.Model.expected_data`).
    """
    terms = model.constraints
    auxiliary = np.where(terms.kind == 0, 0.0, theta * terms.factor)
    return DataSet(_background(model, t, theta), auxiliary)


def stack(sets: list[DataSet]) -> Data:
    """Data sets as rows of JAX arrays."""
    return Data(
        jnp.asarray(np.stack([item.main for item in sets])),
        jnp.asarray(np.stack([item.auxiliary for item in sets])),
    )


def _background(model: CompiledModel, t: Tables, theta: Floats) -> Floats:
    return np.asarray(jax.jit(events)(t, jnp.asarray(theta), jnp.zeros(model.n_bins)))
