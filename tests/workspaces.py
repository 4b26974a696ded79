"""Workspaces of all kinds that HistFactory allows, for property tests: a hypothesis strategy.

What it draws is valid: pyhf accepts it, and every bin expects events at the initial parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

__all__ = ["INTERPOLATIONS", "workspaces"]

INTERPOLATIONS = [
    {"normsys": normsys, "histosys": histosys}
    for normsys in ("code1", "code4")
    for histosys in ("code0", "code2", "code4p")
]
"""Every combination of interpolation codes that pyhf knows."""

SAMPLES = ["ttbar", "Zjets", "fakes", "a_rare"]  # not in alphabetical order, as pyhf sorts
CHANNELS = ["SR", "CR_top", "aVR"]
SYSTEMATICS = ["jes", "alpha_pdf", "scale"]
NORMALISATIONS = ["mu_top", "k_Z"]


@dataclass
class Plan:
    """What is shared between channels, drawn once per workspace.

    Attributes:
        bins: number of bins per channel.
        common: samples that every channel has; a staterror shared by all channels needs one.
        shared_staterror: whether those samples carry one staterror for all channels.
        shapefactor: channels whose first sample carries the shared shapefactor.
        sets: parameter set -> (kind, number of elements), of those used so far.
    """

    bins: dict[str, int]
    common: list[str]
    shared_staterror: bool
    shapefactor: list[str]
    sets: dict[str, tuple[str, int]] = field(default_factory=dict)


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Plain decimal numbers: failures then read well, and no arithmetic is near underflow."""
    return st.integers(0, 1000).map(lambda i: round(low + (high - low) * i / 1000, 6))


def sometimes(draw: st.DrawFn, one_in: int) -> bool:
    return draw(st.integers(1, one_in)) == one_in


def uncertainty(draw: st.DrawFn, nominal: float) -> float:
    """Of a template's bin: zero now and then, also where the bin itself is zero or negative."""
    return 0.0 if sometimes(draw, 5) else round((abs(nominal) + 0.1) * draw(numbers(0.02, 0.6)), 6)


@st.composite
def workspaces(draw: st.DrawFn) -> dict[str, Any]:
    """A workspace of one to three channels with any of HistFactory's modifiers and one or two measurements.

    Templates may be zero or negative, uncertainties zero, names shared between modifiers, samples and
    channels; no sample carries the POI `mu_SIG`.
    """
    names = draw(st.permutations(CHANNELS))[: draw(st.integers(1, 3))]
    bins = {name: draw(st.integers(1, 4)) for name in names}
    samples = draw(st.permutations(SAMPLES))
    # the first channel with a shapefactor, by name, says how many parameters it has
    with_shape = [name for name in sorted(names) if sometimes(draw, 3)]
    plan = Plan(
        bins=bins,
        common=list(samples[:1]),
        shared_staterror=sometimes(draw, 3),
        shapefactor=[name for name in with_shape if bins[name] <= bins[with_shape[0]]],
    )
    if plan.shared_staterror:
        plan.sets["stat_all"] = ("staterror", sum(bins.values()))
    if plan.shapefactor:
        plan.sets["free_shape"] = ("free", bins[plan.shapefactor[0]])
    channels = [_channel(draw, plan, name, list(samples)) for name in names]
    count = draw(st.integers(1, 2))
    spec = {
        "version": "1.0.0",
        "channels": channels,
        "observations": [{"name": c["name"], "data": _counts(draw, c, bins[c["name"]])} for c in channels],
        "measurements": [
            {"name": f"measurement{i}", "config": {"poi": "mu_SIG", "parameters": _settings(draw, plan)}}
            for i in range(count)
        ],
    }
    assume(_starts_well(spec))
    return spec


def _channel(draw: st.DrawFn, plan: Plan, name: str, samples: list[str]) -> dict[str, Any]:
    bins = plan.bins[name]
    others = [item for item in samples if item not in plan.common and sometimes(draw, 2)]
    chosen = draw(st.permutations([*plan.common, *others]))
    built = [
        {"name": item, "data": [_content(draw) for _ in range(bins)], "modifiers": []} for item in chosen
    ]
    for index in range(bins):
        total = sum(sample["data"][index] for sample in built)
        built[0]["data"][index] = round(built[0]["data"][index] + max(0.0, 2.0 - total), 6)
    staterror = not plan.shared_staterror and sometimes(draw, 2)
    if staterror:
        plan.sets[f"stat_{name}"] = ("staterror", bins)
    for position, sample in enumerate(built):
        _normalisations(draw, plan, sample)
        _systematics(draw, plan, sample)
        if plan.shared_staterror and sample["name"] in plan.common:
            _per_bin(draw, sample, "stat_all", "staterror")
        elif staterror and (position == 0 or sometimes(draw, 2)):
            _per_bin(draw, sample, f"stat_{name}", "staterror")
        if sometimes(draw, 4):
            own = f"shape_{name}_{sample['name']}"
            _per_bin(draw, sample, own, "shapesys")
            plan.sets[own] = ("shapesys", bins)
        if name in plan.shapefactor and position == 0:
            sample["modifiers"].append({"name": "free_shape", "type": "shapefactor", "data": None})
        sample["modifiers"] = list(draw(st.permutations(sample["modifiers"])))
    if not plan.sets:  # pyhf wants at least one parameter
        built[0]["modifiers"].append({"name": "mu_top", "type": "normfactor", "data": None})
        plan.sets["mu_top"] = ("free", 1)
    return {"name": name, "samples": built}


def _content(draw: st.DrawFn) -> float:
    if sometimes(draw, 8):
        return draw(st.sampled_from([0.0, -0.5, -1.25]))
    return draw(numbers(0.1, 60.0))


def _normalisations(draw: st.DrawFn, plan: Plan, sample: dict[str, Any]) -> None:
    for name in NORMALISATIONS:
        if sometimes(draw, 3):
            sample["modifiers"].append({"name": name, "type": "normfactor", "data": None})
            plan.sets[name] = ("free", 1)
    if sometimes(draw, 3):
        sample["modifiers"].append({"name": "lumi", "type": "lumi", "data": None})
        plan.sets["lumi"] = ("lumi", 1)


def _systematics(draw: st.DrawFn, plan: Plan, sample: dict[str, Any]) -> None:
    """normsys and histosys, of the same names: those are one parameter."""
    for name in SYSTEMATICS:
        if sometimes(draw, 2):
            data = {"hi": draw(numbers(0.3, 2.0)), "lo": draw(numbers(0.3, 2.0))}
            sample["modifiers"].append({"name": name, "type": "normsys", "data": data})
            plan.sets[name] = ("alpha", 1)
            if sometimes(draw, 6):  # the same again with other factors: pyhf takes the last
                again = {"hi": draw(numbers(0.3, 2.0)), "lo": draw(numbers(0.3, 2.0))}
                sample["modifiers"].append({"name": name, "type": "normsys", "data": again})
        if sometimes(draw, 2):
            lists = {
                key: [round(n + draw(numbers(-0.3, 0.3)) * (abs(n) + 0.5), 6) for n in sample["data"]]
                for key in ("hi_data", "lo_data")
            }
            sample["modifiers"].append({"name": name, "type": "histosys", "data": lists})
            plan.sets[name] = ("alpha", 1)


def _per_bin(draw: st.DrawFn, sample: dict[str, Any], name: str, kind: str) -> None:
    data = [uncertainty(draw, nominal) for nominal in sample["data"]]
    sample["modifiers"].append({"name": name, "type": kind, "data": data})


def _counts(draw: st.DrawFn, channel: dict[str, Any], bins: int) -> list[float]:
    totals = [sum(sample["data"][index] for sample in channel["samples"]) for index in range(bins)]
    return [float(draw(st.integers(0, int(2 * total) + 3))) for total in totals]


def _settings(draw: st.DrawFn, plan: Plan) -> list[dict[str, Any]]:
    """Parameter settings of a measurement; lumi has no defaults, all others may be left out."""
    chosen = [name for name in plan.sets if name == "lumi" or sometimes(draw, 3)]
    return [_setting(draw, name, *plan.sets[name]) for name in chosen]


def _setting(draw: st.DrawFn, name: str, kind: str, size: int) -> dict[str, Any]:
    def each(values: st.SearchStrategy[Any]) -> list[Any]:
        return [draw(values) for _ in range(size)]

    alpha = kind == "alpha"
    offered = {
        "inits": lambda: each(numbers(-0.4, 0.4) if alpha else numbers(0.8, 1.2)),
        "bounds": lambda: each(
            st.sampled_from([[-3.0, 2.0], [-0.4, 6.0]] if alpha else [[0.8, 1.2], [0.0, 4.0]])
        ),
        "fixed": lambda: draw(st.booleans()),
    }
    if kind in ("alpha", "staterror", "lumi"):
        offered["auxdata"] = lambda: each(numbers(-0.5, 0.5) if alpha else numbers(0.9, 1.1))
    if kind in ("staterror", "lumi"):
        offered["sigmas"] = lambda: each(numbers(0.01, 0.4))
    if kind == "shapesys":
        offered["factors"] = lambda: each(numbers(2.0, 80.0))
        offered["auxdata"] = lambda: each(numbers(2.0, 80.0))
    required = ("inits", "bounds", "auxdata", "sigmas") if kind == "lumi" else ()
    given = {key: make() for key, make in offered.items() if key in required or sometimes(draw, 3)}
    return {"name": name, **given}


def _starts_well(spec: dict[str, Any]) -> bool:
    """Whether every bin expects events at the initial parameters, by a margin for other interpolation."""
    import pyhf

    workspace = pyhf.Workspace(spec)
    for name in workspace.measurement_names:
        model = workspace.model(measurement_name=name, poi_name=None)
        if model.expected_actualdata(model.config.suggested_init()).min() < 0.5:
            return False
    return True
