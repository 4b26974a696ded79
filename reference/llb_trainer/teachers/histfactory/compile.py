"""Compile a HistFactory workspace to flat arrays, only the entries that do something.

The expected number of events in a bin is the sum over samples of

    rate = (nominal + sum of histosys shifts) * product of factors

(HistFactory, CERN-OPEN-2012-016; pyhf, JOSS 6 (2021) 2823). The samples of a bin stand in *slots*, so that
a sum over samples is a sum over an axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.workspace import Workspace

__all__ = ["Bins", "CompiledModel", "Constraints", "Factors", "Shifts", "compile_workspace", "with_signal"]

SIGNAL_UNCERTAINTY = "signal_uncertainty"
"""Name of the parameter that scales the signal by a flat relative uncertainty."""

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
class Factors:
    """Multiplicative entries. Entry `i < n_parameters` is the parameter itself, the others are normsys.

    Attributes:
        parameter: parameter of each normsys entry.
        hi, lo: factors at +1 and -1 sigma, per normsys entry.
        entries: per (bin, slot) the entries of the rate there.
    """

    parameter: Ints
    hi: Floats
    lo: Floats
    entries: tuple[tuple[tuple[int, ...], ...], ...]


@dataclass(frozen=True)
class Shifts:
    """Additive entries (histosys); every code is linear in the mean and the difference of its two shifts.

    Attributes:
        parameter: (n_shifted,) the parameters that shift anything.
        mean: (n_bins, n_slots, n_shifted), mean of the shift upwards and the one downwards.
        difference: same shape, shift upwards minus the one downwards.
    """

    parameter: Ints
    mean: Floats
    difference: Floats


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
        interpolation: code of normsys and of histosys.
        nominal: (n_bins, n_slots), nominal content of each rate, 0 where a bin has fewer samples.
        factors, shifts: the modifiers.
        signal: entries (as in `Factors`) that multiply the signal.
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
    interpolation: tuple[str, str]
    nominal: Floats
    factors: Factors
    shifts: Shifts
    signal: tuple[int, ...] = ()

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
        tuple(name for name, _ in workspace.bins),
        tuple(index for _, index in workspace.bins),
    )
    by_name = {channel["name"]: channel for channel in workspace.spec["channels"]}
    rates = _Rates(offsets, config.npars)
    for name in config.channels:
        rates.add_channel(by_name[name]["samples"], config.channel_nbins[name])

    constraints, auxiliary = _constraints(config, offsets)
    bounds = np.asarray(config.suggested_bounds(), dtype=np.float64)
    # where the bounds meet there is nothing to fit
    fixed = np.asarray(config.suggested_fixed(), dtype=bool) | (bounds[:, 0] >= bounds[:, 1])
    return CompiledModel(
        bins=bins,
        parameters=_parameter_names(config),
        init=np.asarray(config.suggested_init(), dtype=np.float64),
        lower=bounds[:, 0],
        upper=bounds[:, 1],
        fixed=fixed,
        free_norms=tuple(int(i) for i in np.flatnonzero((constraints.kind == 0) & ~fixed)),
        lumi=next((offsets[name] for name, kind in config.modifiers if kind == "lumi"), -1),
        constraints=constraints,
        auxiliary=auxiliary,
        interpolation=(workspace.interpolation["normsys"], workspace.interpolation["histosys"]),
        nominal=rates.nominal_table(),
        factors=rates.factors(),
        shifts=rates.shift_tables(),
    )


def with_signal(model: CompiledModel, *, lumi: bool, uncertainty: float = 0.0) -> CompiledModel:
    """The model together with what multiplies the signal besides the POI.

    Args:
        model: as compiled.
        lumi: whether the luminosity parameter does.
        uncertainty: relative, the same in all bins; a parameter with a unit Gaussian constraint scales the
            signal by `1 + uncertainty` at +1 and by its inverse at -1. None if 0.
    """
    entries = (model.lumi,) if lumi else ()
    if uncertainty == 0.0:
        return replace(model, signal=entries)
    new, terms, factors = model.n_parameters, model.constraints, model.factors
    # entries beyond the parameters are normsys: one more parameter moves them up by one
    shifted = tuple(tuple(tuple(e + (e >= new) for e in rate) for rate in rates) for rates in factors.entries)
    return replace(
        model,
        parameters=(*model.parameters, SIGNAL_UNCERTAINTY),
        init=np.append(model.init, 0.0),
        lower=np.append(model.lower, -5.0),
        upper=np.append(model.upper, 5.0),
        fixed=np.append(model.fixed, False),
        constraints=Constraints(
            np.append(terms.kind, 1),
            np.append(terms.width, 1.0),
            np.append(terms.factor, 1.0),
            np.append(terms.nominal, 0.0),
        ),
        auxiliary=(*model.auxiliary, (SIGNAL_UNCERTAINTY, (new,))),
        factors=Factors(
            np.append(factors.parameter, new),
            np.append(factors.hi, 1.0 + uncertainty),
            np.append(factors.lo, 1.0 / (1.0 + uncertainty)),
            shifted,
        ),
        signal=(*entries, new + 1 + len(factors.parameter)),
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


@dataclass
class _Rate:
    """One sample in one bin."""

    nominal: float
    direct: list[int]
    normsys: list[int]
    shifts: list[tuple[int, float, float]]


class _Rates:
    """Collects the rates bin by bin; the tables are made at the end, when their sizes are known."""

    def __init__(self, offsets: dict[str, int], n_parameters: int) -> None:
        self.offsets, self.n_parameters = offsets, n_parameters
        self.normsys: dict[tuple[int, float, float], int] = {}
        self.bins: list[list[_Rate]] = []
        self.staterrors: dict[str, int] = {}

    def add_channel(self, samples: list[dict[str, Any]], n_bins: int) -> None:
        """Add the rates of every sample in every bin of a channel, but for those that are always zero."""
        # of two modifiers with one type and name in a sample pyhf knows the last
        modifiers = [
            list({(m["type"], m["name"]): m for m in sample["modifiers"]}.values()) for sample in samples
        ]
        for index in range(n_bins):
            rates = [
                self._rate(sample["data"][index], own, index)
                for sample, own in zip(samples, modifiers, strict=True)
            ]
            self.bins.append([rate for rate in rates if rate.nominal != 0 or rate.shifts])
        # the parameters of a staterror run through all channels that have it
        for name in {m["name"] for own in modifiers for m in own if m["type"] == "staterror"}:
            self.staterrors[name] = self.staterrors.get(name, 0) + n_bins

    def _rate(self, nominal: float, modifiers: list[dict[str, Any]], index: int) -> _Rate:
        rate = _Rate(float(nominal), [], [], [])
        for modifier in modifiers:
            start = self.offsets[modifier["name"]]
            match modifier["type"]:
                case "normsys":
                    hi, lo = float(modifier["data"]["hi"]), float(modifier["data"]["lo"])
                    if (hi, lo) != (1.0, 1.0):
                        key = (start, hi, lo)
                        rate.normsys.append(self.normsys.setdefault(key, len(self.normsys)))
                case "histosys":
                    up = float(modifier["data"]["hi_data"][index]) - rate.nominal
                    down = rate.nominal - float(modifier["data"]["lo_data"][index])
                    if (up, down) != (0.0, 0.0):
                        rate.shifts.append((start, up, down))
                case "normfactor" | "lumi":
                    rate.direct.append(start)
                case "staterror":
                    rate.direct.append(start + self.staterrors.get(modifier["name"], 0) + index)
                case _:  # shapesys, shapefactor: one parameter per bin of the channel
                    rate.direct.append(start + index)
        return rate

    @property
    def slots(self) -> int:
        """Most samples in a bin."""
        return max(1, *(len(rates) for rates in self.bins))

    def nominal_table(self) -> Floats:
        """Nominal contents, (n_bins, n_slots)."""
        table = np.zeros((len(self.bins), self.slots))
        for b, rates in enumerate(self.bins):
            table[b, : len(rates)] = [rate.nominal for rate in rates]
        return table

    def factors(self) -> Factors:
        """The multiplicative entries of all rates."""
        keys = list(self.normsys)
        return Factors(
            parameter=np.asarray([key[0] for key in keys], dtype=np.int64),
            hi=np.asarray([key[1] for key in keys], dtype=np.float64),
            lo=np.asarray([key[2] for key in keys], dtype=np.float64),
            entries=tuple(
                tuple((*rate.direct, *(self.n_parameters + i for i in rate.normsys)) for rate in rates)
                for rates in self.bins
            ),
        )

    def shift_tables(self) -> Shifts:
        """The additive entries of all rates."""
        shifted = sorted({entry[0] for rates in self.bins for rate in rates for entry in rate.shifts})
        column = {parameter: i for i, parameter in enumerate(shifted)}
        mean = np.zeros((len(self.bins), self.slots, len(shifted)))
        difference = np.zeros_like(mean)
        for b, rates in enumerate(self.bins):
            for s, rate in enumerate(rates):
                for parameter, up, down in rate.shifts:
                    mean[b, s, column[parameter]] += 0.5 * (up + down)
                    difference[b, s, column[parameter]] += up - down
        return Shifts(np.asarray(shifted, dtype=np.int64), mean, difference)
