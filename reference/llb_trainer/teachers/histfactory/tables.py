"""A compiled model as JAX arrays, in the order in which fits move parameters.

Many parameters of a published model are fixed or do nothing: only the *moving* ones enter a fit, those that
shift templates first, those that multiply something last. Arrays carry a trailing axis for the fits of a
batch, so that every operation runs along it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.interpolation import code4_coefficients, shifting

__all__ = ["Moving", "Tables", "moving", "tables"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Moving:
    """Which parameters a fit moves.

    Attributes:
        parameters: their indices in the model: those that only shift templates, those that multiply something
            as well, and those that only multiply.
        shifting: how many shift templates.
        multiplying: how many multiply something.
        held: fixed parameters that do something.
    """

    parameters: Ints
    shifting: int
    multiplying: int
    held: Ints

    def __len__(self) -> int:
        return len(self.parameters)


@dataclass(frozen=True)
class Tables:
    """The model, as NumPy arrays, which travel between processes without loss.

    `P` moving parameters, `C` held ones, `M` normsys, `S` slots, `H` shifting parameters, `Q` pairs.

    A *pair* is a bin and a parameter that multiplies something in it. The signal fills the last slot.

    Attributes:
        codes: interpolation of normsys and of histosys.
        nominal: (n_bins, S - 1, 1).
        held: (C, 1) values of held parameters; they follow the moving ones.
        normsys_parameter: (M,) into moving and held parameters.
        log_hi, log_lo: (M, 1).
        coefficients: (6, M, 1), of code 4.
        factor_entries: (depth, n_bins * S) into moving, held, normsys, and a 1 at the end.
        pair_rate: (depth, Q) into the rates, and a 0 at the end.
        pair_entry: (depth, Q) into the entries.
        pair_cell: (n_bins, P) the pair of that bin and parameter, or Q.
        factor_cell: (n_bins * S, F) the entry by which each of the last F parameters, those that multiply
            something, multiplies the rate, or the last one.
        mean, difference: (n_bins, S - 1, H) of the shifts.
        weight: (P, 1) 1 / sigma^2 of normal terms, 0 elsewhere.
        poisson: (P, 1) tau of Poisson terms, 0 elsewhere.
    """

    codes: tuple[str, str]
    nominal: Array
    held: Array
    normsys_parameter: Array
    log_hi: Array
    log_lo: Array
    coefficients: Array
    factor_entries: Array
    pair_rate: Array
    pair_entry: Array
    pair_cell: Array
    factor_cell: Array
    mean: Array
    difference: Array
    weight: Array
    poisson: Array


jax.tree_util.register_dataclass(
    Tables, [field.name for field in fields(Tables) if field.name != "codes"], ["codes"]
)


def moving(model: CompiledModel) -> Moving:
    """Find the parameters that are not fixed and do something."""
    acts = np.zeros(model.n_parameters, dtype=bool)
    owner = _owners(model)
    for entries in [model.signal, *(entries for rates in model.factors.entries for entries in rates)]:
        acts[owner[list(entries)]] = True
    shifts = np.zeros(model.n_parameters, dtype=bool)
    shifts[model.shifts.parameter] = True
    groups = [
        np.flatnonzero(which & ~model.fixed) for which in (shifts & ~acts, shifts & acts, acts & ~shifts)
    ]
    only, both, rest = map(len, groups)
    return Moving(np.concatenate(groups), only + both, both + rest, np.flatnonzero(acts & model.fixed))


def _owners(model: CompiledModel) -> Ints:
    """The parameter behind every entry."""
    return np.concatenate([np.arange(model.n_parameters), model.factors.parameter]).astype(np.int64)


def tables(model: CompiledModel, order: Moving) -> Tables:
    """Put a compiled model into JAX arrays."""
    terms, factors = model.constraints, model.factors
    place = np.full(model.n_parameters, -1)
    place[np.concatenate([order.parameters, order.held])] = np.arange(len(order) + len(order.held))
    n_direct = len(order) + len(order.held)
    used = np.flatnonzero(place[factors.parameter] >= 0) if len(factors.parameter) else np.empty(0, int)
    entry_place = np.concatenate([place, np.full(len(factors.parameter), -1)]).astype(np.int64)
    entry_place[model.n_parameters + used] = n_direct + np.arange(len(used))
    n_entries = n_direct + len(used)
    slots = model.nominal.shape[1] + 1
    rates = [
        [
            [int(entry_place[e]) for e in entries]
            for entries in (*bin_rates, *([()] * (slots - 1 - len(bin_rates))), model.signal)
        ]
        for bin_rates in factors.entries
    ]
    flat = [entries for bin_rates in rates for entries in bin_rates]
    owner = np.concatenate([np.arange(n_direct), place[factors.parameter[used]]]).astype(np.int64)
    pair_rate, pair_entry, pair_cell = _pairs(rates, owner, len(order), n_entries)
    first = len(order) - order.multiplying
    cell = np.full((len(flat), order.multiplying), n_entries)
    for rate, entries in enumerate(flat):
        for entry in entries:
            if owner[entry] < len(order):
                cell[rate, owner[entry] - first] = entry
    nominal, mean, difference = _shifted(model, order)
    hi, lo = factors.hi[used], factors.lo[used]
    chosen = order.parameters
    arrays: dict[str, Any] = {
        "nominal": nominal[:, :, None],
        "held": model.init[order.held][:, None],
        "normsys_parameter": owner[n_direct:],
        "log_hi": np.log(hi)[:, None],
        "log_lo": np.log(lo)[:, None],
        "coefficients": code4_coefficients(hi, lo)[:, :, None],
        "factor_entries": _columns(flat, n_entries),
        "pair_rate": pair_rate,
        "pair_entry": pair_entry,
        "pair_cell": pair_cell,
        "factor_cell": cell,
        "mean": mean,
        "difference": difference,
        "weight": np.where(terms.kind == 1, terms.width**-2.0, 0.0)[chosen, None],
        "poisson": np.where(terms.kind == 2, terms.factor, 0.0)[chosen, None],
    }
    return Tables(codes=model.interpolation, **arrays)


def _pairs(rates: list[list[list[int]]], owner: Ints, n_moving: int, end: int) -> tuple[Ints, Ints, Ints]:
    """Terms of d(events)/d(parameter), for every bin and parameter that multiplies something there."""
    slots = len(rates[0])
    terms: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for b, bin_rates in enumerate(rates):
        for s, entries in enumerate(bin_rates):
            for entry in entries:
                if owner[entry] < n_moving:
                    terms.setdefault((b, int(owner[entry])), []).append((b * slots + s, entry))
    cell = np.full((len(rates), n_moving), len(terms))
    for pair, (b, parameter) in enumerate(terms):
        cell[b, parameter] = pair
    return (
        _columns([[rate for rate, _ in pair] for pair in terms.values()], len(rates) * slots),
        _columns([[entry for _, entry in pair] for pair in terms.values()], end),
        cell,
    )


def _columns(rows: list[list[int]], fill: int) -> Ints:
    """The rows as columns, filled up to the longest."""
    depth = max((len(row) for row in rows), default=0)
    table = np.full((max(depth, 1), len(rows)), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        table[: len(row), index] = row
    return table


def _shifted(model: CompiledModel, order: Moving) -> tuple[Floats, Floats, Floats]:
    """Nominal contents with the shifts of fixed parameters, and the shifts of moving ones."""
    shifts = model.shifts
    moves = ~model.fixed[shifts.parameter]
    made = shifting(model.interpolation[1], jnp.asarray(model.init[shifts.parameter]))
    along, across = (np.where(moves, 0.0, np.asarray(value)) for value, _, _ in made)
    nominal = model.nominal + shifts.mean @ along + shifts.difference @ across
    column = np.zeros(model.n_parameters, dtype=np.int64)
    column[shifts.parameter] = np.arange(len(shifts.parameter))
    chosen = column[order.parameters[: order.shifting]]
    return nominal, shifts.mean[:, :, chosen], shifts.difference[:, :, chosen]
