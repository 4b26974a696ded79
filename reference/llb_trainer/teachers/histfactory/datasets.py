"""The data sets of a HistFactory model: main data per bin and auxiliary data per parameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.compile import CompiledModel

__all__ = ["DataSet", "asimov", "nominal", "observed"]

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


def nominal(model: CompiledModel, background: Floats) -> DataSet:
    """The background (n_bins,) expected at the measurement's initial parameters, nominal auxiliary data."""
    return DataSet(background, model.constraints.nominal)


def asimov(model: CompiledModel, background: Floats, theta: Floats) -> DataSet:
    """Background-only Asimov data of all parameters `theta`; auxiliary data move with them.

    A normal term has `theta` as its datum, a Poisson term `tau * theta` (Cowan et al.,
    arXiv:1007.1727, section 3.2; as `pyhf.Model.expected_data`).
    """
    terms = model.constraints
    return DataSet(background, np.where(terms.kind == 0, 0.0, theta * terms.factor))
