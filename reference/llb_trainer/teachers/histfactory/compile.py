"""Compile a HistFactory workspace to flat arrays, only the entries that do something.

The expected number of events in a bin is the sum over samples of

    rate = (nominal + sum of histosys shifts) * product of factors

(HistFactory, CERN-OPEN-2012-016; pyhf, JOSS 6 (2021) 2823). A *rate* here is one (sample, bin) pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.interpolation import code4_coefficients
from llb_trainer.teachers.histfactory.workspace import Workspace

__all__ = ["Bins", "CompiledModel", "Constraints", "FactorTable", "ShiftTable", "compile_workspace"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """The bins in pyhf's order (channels sorted by name), one entry per bin."""

    channel: tuple[str, ...]
    index: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.channel)


@dataclass(frozen=True)
class Constraints:
    """Constraint terms, one entry per parameter.

    Attributes:
        kind: 0 free, 1 normal, 2 Poisson.
        width: sigma of a normal term, 1 elsewhere.
        factor: tau of a Poisson term (its rate is `tau * parameter`), 1 elsewhere.
        nominal: auxiliary datum, 0 for free parameters.
    """

    kind: Ints
    width: Floats
    factor: Floats
    nominal: Floats


@dataclass(frozen=True)
class FactorTable:
    """Multiplicative entries. Entry 0..n_direct-1 is the parameter itself, the rest is normsys code4.

    Attributes:
        direct_parameter: parameter of each direct entry (normfactor, lumi, gammas).
        normsys_parameter: parameter of each normsys entry.
        log_hi, log_lo: natural logarithms of the +1 and -1 sigma factors, per normsys entry.
        coefficients: shape (6, n_normsys), the polynomial inside |alpha| < 1.
        rate_entries: shape (n_rates, depth), the entries of each rate, padded with n_entries.
        cell: shape (n_rates, n_parameters), the entry at that place or n_entries.
    """

    direct_parameter: Ints
    normsys_parameter: Ints
    log_hi: Floats
    log_lo: Floats
    coefficients: Floats
    rate_entries: Ints
    cell: Ints


@dataclass(frozen=True)
class ShiftTable:
    """Additive entries (histosys code4p).

    Attributes:
        parameter: parameter of each entry.
        up, down: shift at +1 sigma, and minus the shift at -1 sigma.
        rate_entries, cell: as in `FactorTable`.
    """

    parameter: Ints
    up: Floats
    down: Floats
    rate_entries: Ints
    cell: Ints


@dataclass(frozen=True)
class CompiledModel:
    """A background model as arrays; the signal comes in at evaluation.

    Attributes:
        bins: the bins, pyhf's order.
        parameters: name of each parameter element, pyhf's order (`gamma[2]` for elements of a set).
        init, lower, upper: starting value and bounds per parameter.
        fixed: parameters held constant by the measurement or by pyhf.
        free_norms: indices of unconstrained, not fixed parameters.
        lumi: index of the luminosity parameter, or -1.
        constraints: constraint terms.
        auxiliary: (parameter set name, parameter indices) in pyhf's order of auxiliary data.
        nominal: shape (n_rates,), nominal content of each rate.
        rate_bin: bin of each rate.
        factors, shifts: the modifiers.
    """

    bins: Bins
    parameters: tuple[str, ...]
    init: Floats
    lower: Floats
    upper: Floats
    fixed: NDArray[np.bool_]
    free_norms: tuple[int, ...]
    lumi: int
    constraints: Constraints
    auxiliary: tuple[tuple[str, tuple[int, ...]], ...]
    nominal: Floats
    rate_bin: Ints
    factors: FactorTable
    shifts: ShiftTable

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.bins)

    @property
    def n_parameters(self) -> int:
        """Number of parameter elements, fixed ones included."""
        return len(self.parameters)


def compile_workspace(workspace: Workspace) -> CompiledModel:
    """Compile the workspace's measurement."""
    config = workspace.model.config
    offsets = {name: int(config.par_slice(name).start) for name in config.par_order}
    bins = Bins(
        tuple(name for name in config.channels for _ in range(config.channel_nbins[name])),
        tuple(index for name in config.channels for index in range(config.channel_nbins[name])),
    )
    builder = _Builder(offsets, config.npars)
    first_bin = {name: int(config.channel_slices[name].start) for name in config.channels}
    by_name = {channel["name"]: channel for channel in workspace.spec["channels"]}
    for channel_name in config.channels:
        builder.add_channel(by_name[channel_name], first_bin[channel_name])

    constraints, auxiliary = _constraints(config, offsets)
    fixed = np.asarray(config.suggested_fixed(), dtype=bool)
    bounds = np.asarray(config.suggested_bounds(), dtype=np.float64)
    free = tuple(int(i) for i in np.flatnonzero((constraints.kind == 0) & ~fixed))
    return CompiledModel(
        bins=bins,
        parameters=_parameter_names(config),
        init=np.asarray(config.suggested_init(), dtype=np.float64),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        fixed=fixed,
        free_norms=free,
        lumi=next((offsets[name] for name, kind in config.modifiers if kind == "lumi"), -1),
        constraints=constraints,
        auxiliary=auxiliary,
        nominal=np.asarray(builder.nominal, dtype=np.float64),
        rate_bin=np.asarray(builder.rate_bin, dtype=np.int64),
        factors=builder.factor_table(),
        shifts=builder.shift_table(),
    )


def _parameter_names(config: Any) -> tuple[str, ...]:
    names: list[str] = []
    for name in config.par_order:
        parameter = config.param_set(name)
        if parameter.is_scalar:
            names.append(str(name))
        else:
            names.extend(f"{name}[{i}]" for i in range(parameter.n_parameters))
    return tuple(names)


def _constraints(
    config: Any, offsets: dict[str, int]
) -> tuple[Constraints, tuple[tuple[str, tuple[int, ...]], ...]]:
    kind = np.zeros(config.npars, dtype=np.int64)
    width = np.ones(config.npars)
    factor = np.ones(config.npars)
    nominal = np.zeros(config.npars)
    auxiliary: list[tuple[str, tuple[int, ...]]] = []
    for name in config.auxdata_order:
        parameter = config.param_set(name)
        where = slice(offsets[name], offsets[name] + parameter.n_parameters)
        nominal[where] = parameter.auxdata
        if parameter.pdf_type == "normal":
            kind[where] = 1
            width[where] = parameter.width()
        else:
            kind[where] = 2
            factor[where] = parameter.factors
        auxiliary.append((str(name), tuple(range(where.start, where.stop))))
    return Constraints(kind, width, factor, nominal), tuple(auxiliary)


class _Builder:
    """Collects the entries of all rates; the tables are made at the end, when the padding is known."""

    def __init__(self, offsets: dict[str, int], n_parameters: int) -> None:
        self.offsets = offsets
        self.n_parameters = n_parameters
        self.nominal: list[float] = []
        self.rate_bin: list[int] = []
        self.direct: dict[int, int] = {}
        self.normsys: dict[tuple[int, float, float], int] = {}
        self.shifts: list[tuple[int, float, float]] = []
        self.rate_direct: list[list[int]] = []
        self.rate_normsys: list[list[int]] = []
        self.rate_shifts: list[list[int]] = []

    def add_channel(self, channel: dict[str, Any], first_bin: int) -> None:
        """Add every sample of a channel, one rate per bin."""
        for sample in channel["samples"]:
            for index, nominal in enumerate(sample["data"]):
                self.nominal.append(float(nominal))
                self.rate_bin.append(first_bin + index)
                self.rate_direct.append([])
                self.rate_normsys.append([])
                self.rate_shifts.append([])
                for modifier in sample["modifiers"]:
                    self._add_modifier(modifier, index, float(nominal))

    def _add_modifier(self, modifier: dict[str, Any], index: int, nominal: float) -> None:
        start = self.offsets[modifier["name"]]
        match modifier["type"]:
            case "normsys":
                hi, lo = float(modifier["data"]["hi"]), float(modifier["data"]["lo"])
                if (hi, lo) != (1.0, 1.0):
                    key = (start, hi, lo)
                    self.rate_normsys[-1].append(self.normsys.setdefault(key, len(self.normsys)))
            case "histosys":
                up = float(modifier["data"]["hi_data"][index]) - nominal
                down = nominal - float(modifier["data"]["lo_data"][index])
                if (up, down) != (0.0, 0.0):
                    self.rate_shifts[-1].append(len(self.shifts))
                    self.shifts.append((start, up, down))
            case "normfactor" | "lumi":
                self._add_direct(start)
            case _:  # shapesys, staterror, shapefactor: one parameter per bin of the channel
                self._add_direct(start + index)

    def _add_direct(self, parameter: int) -> None:
        self.rate_direct[-1].append(self.direct.setdefault(parameter, len(self.direct)))

    def factor_table(self) -> FactorTable:
        """The multiplicative entries of all rates."""
        n_direct = len(self.direct)
        rates = [
            [*direct, *(n_direct + entry for entry in normsys)]
            for direct, normsys in zip(self.rate_direct, self.rate_normsys, strict=True)
        ]
        hi = np.asarray([key[1] for key in self.normsys], dtype=np.float64)
        lo = np.asarray([key[2] for key in self.normsys], dtype=np.float64)
        normsys_parameter = [key[0] for key in self.normsys]
        owner = [*self.direct, *normsys_parameter]
        return FactorTable(
            direct_parameter=np.asarray(list(self.direct), dtype=np.int64),
            normsys_parameter=np.asarray(normsys_parameter, dtype=np.int64),
            log_hi=np.log(hi),
            log_lo=np.log(lo),
            coefficients=code4_coefficients(hi, lo),
            rate_entries=_padded(rates, len(owner)),
            cell=self._cells(rates, owner),
        )

    def shift_table(self) -> ShiftTable:
        """The additive entries of all rates."""
        owner = [entry[0] for entry in self.shifts]
        return ShiftTable(
            parameter=np.asarray(owner, dtype=np.int64),
            up=np.asarray([entry[1] for entry in self.shifts], dtype=np.float64),
            down=np.asarray([entry[2] for entry in self.shifts], dtype=np.float64),
            rate_entries=_padded(self.rate_shifts, len(owner)),
            cell=self._cells(self.rate_shifts, owner),
        )

    def _cells(self, rates: list[list[int]], owner: list[int]) -> Ints:
        cell = np.full((len(rates), self.n_parameters), len(owner), dtype=np.int64)
        for rate, entries in enumerate(rates):
            for entry in entries:
                cell[rate, owner[entry]] = entry
        return cell


def _padded(rows: list[list[int]], fill: int) -> Ints:
    depth = max((len(row) for row in rows), default=0)
    table = np.full((len(rows), max(depth, 1)), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        table[index, : len(row)] = row
    return table
