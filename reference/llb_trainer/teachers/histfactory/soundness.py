"""What pyhf accepts and yet makes no sense, or no more sense than pyhf gives it: findings with a name.

Errors are models for which pyhf's own likelihood is undefined, or not what its author can have meant. Where
pyhf does something well defined that surprises (a parameter it fixes, a modifier it drops), the teacher does
the same and says so in a warning. A negative template or an empty bin alone is neither: real models have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, finding, has_errors

if TYPE_CHECKING:
    import pyhf

__all__ = ["document_findings", "model_findings", "non_finite_findings"]

Floats = NDArray[np.float64]

_SUPPORTED = frozenset({"histosys", "lumi", "normfactor", "normsys", "shapefactor", "shapesys", "staterror"})
_LARGEST = float(np.finfo(np.float64).max)


def non_finite_findings(document: object, pointer: str) -> Iterator[Finding]:
    """Numbers that are no finite float64 (LLB-W005): Python's json module reads NaN, Infinity and 1e999.

    A bound may be infinite: the parameter then has none on that side.
    """
    stack: list[tuple[object, str, bool]] = [(document, pointer, False)]
    while stack:
        item, where, bound = stack.pop()
        if isinstance(item, Mapping):
            members = item.items()
            stack.extend((value, f"{where}/{key}", bound or key == "bounds") for key, value in members)
        elif isinstance(item, list):
            stack.extend((value, f"{where}/{index}", bound) for index, value in enumerate(item))
        elif isinstance(item, int | float) and not (abs(item) <= _LARGEST or (bound and _infinite(item))):
            yield finding("LLB-W005", pointer=where, actual=item if isinstance(item, float) else "")


def _infinite(number: float) -> bool:
    return isinstance(number, float) and abs(number) == float("inf")


def document_findings(
    spec: Mapping[str, Any], settings: Sequence[Mapping[str, Any]], pointer: str
) -> Iterator[Finding]:
    """Faults of a document that pyhf's schema accepts, found without building the model.

    Args:
        spec: the workspace.
        settings: parameter settings of the measurement in use.
        pointer: name of the workspace, for the findings.
    """
    yield from _repeated((item["name"] for item in spec["channels"]), "channel", pointer)
    yield from _repeated((item["name"] for item in spec["observations"]), "observation", pointer)
    yield from _repeated((item["name"] for item in spec["measurements"]), "measurement", pointer)
    for observation in spec["observations"]:
        for index, count in enumerate(observation["data"]):
            if count < 0:
                yield finding("LLB-W014", pointer=f"{pointer}/{observation['name']}[{index}]", actual=count)
    types: set[str] = set()
    for channel in spec["channels"]:
        where = f"{pointer}/{channel['name']}"
        yield from _repeated((item["name"] for item in channel["samples"]), "sample", where)
        for sample in channel["samples"]:
            types |= {modifier["type"] for modifier in sample["modifiers"]}
            yield from _modifier_findings(sample["modifiers"], f"{where}/{sample['name']}")
    if "lumi" in types:
        given = next((item for item in settings if item["name"] == "lumi"), {})
        missing = [key for key in ("inits", "bounds", "auxdata") if key not in given]
        if missing:
            yield finding("LLB-W018", pointer=pointer, expected=", ".join(missing))


def _repeated(names: Iterable[str], kind: str, pointer: str) -> Iterator[Finding]:
    for name, times in Counter(names).items():
        if times > 1:
            yield finding("LLB-W008", f"Two {kind}s have the name {name!r}", pointer=pointer)


def _modifier_findings(modifiers: Sequence[Mapping[str, Any]], pointer: str) -> Iterator[Finding]:
    """Faults of the modifiers of one sample, one by one."""
    seen: set[tuple[str, str]] = set()
    for modifier in modifiers:
        kind, where = modifier["type"], f"{pointer}/{modifier['name']}"
        if (kind, modifier["name"]) in seen:
            yield finding("LLB-W032", pointer=where, actual=kind)
        seen.add((kind, modifier["name"]))
        if kind not in _SUPPORTED:
            yield finding("LLB-W010", pointer=where, actual=kind)
        elif kind == "normsys" and min(modifier["data"].values()) <= 0:
            yield finding("LLB-W011", pointer=where, actual=modifier["data"])
        elif kind in ("shapesys", "staterror") and min(modifier["data"]) < 0:
            yield finding("LLB-W013", pointer=where, actual=min(modifier["data"]))


def model_findings(
    spec: Mapping[str, Any], model: pyhf.Model, observed: Mapping[str, Sequence[float]], pointer: str
) -> Iterator[Finding]:
    """Faults that show in the model which pyhf has built.

    Args:
        spec: the workspace.
        model: pyhf's model of the measurement in use, without a POI.
        observed: observed main data per channel name.
        pointer: name of the workspace, for the findings.
    """
    config = model.config
    found = [
        finding("LLB-W006", pointer=f"{pointer}/{name}")
        for name, bins in config.channel_nbins.items()
        if len(observed.get(name, ())) != bins
    ]
    for name in config.par_order:
        found += _parameter_findings(config.param_set(name), f"{pointer}/{name}")
    found += _sharing_findings(spec, config, pointer)
    found += _idle_uncertainties(spec, pointer)
    yield from found
    if not has_errors(found):
        counts = np.asarray([n for name in config.channels for n in observed[name]], dtype=np.float64)
        yield from _expectation_findings(model, counts, pointer)


def _parameter_findings(parameter: Any, pointer: str) -> Iterator[Finding]:
    """Bounds, initial values and constraint terms of one parameter set."""
    bounds = [tuple(pair) for pair in parameter.suggested_bounds]
    if any(len(pair) != 2 or not pair[0] <= pair[1] for pair in bounds):
        yield finding("LLB-W015", pointer=pointer, actual=bounds)
        return
    constraint = _constraint(parameter)
    lists = {"inits": parameter.suggested_init, "bounds": bounds, **constraint}
    # pyhf compares with the lengths of its defaults, and lumi has none
    wrong = [key for key, values in lists.items() if len(values) != parameter.n_parameters]
    if wrong:
        yield finding("LLB-W015", pointer=pointer, expected=f"{parameter.n_parameters} {wrong[0]}")
        return
    moving = zip(bounds, parameter.suggested_init, parameter.suggested_fixed, strict=True)
    if any(not fixed and not low <= start <= high for (low, high), start, fixed in moving):
        yield finding("LLB-W030", pointer=pointer, actual=parameter.suggested_init)
    for key, values in constraint.items():
        least = min(values)
        if least < 0 if key == "counts" else key != "auxdata" and least <= 0:
            yield finding("LLB-W013", pointer=pointer, actual=f"{key} {values}")


def _constraint(parameter: Any) -> dict[str, Sequence[float]]:
    """What a constraint term is made of: auxdata and sigmas, or counts and factors of a Poisson term."""
    if not parameter.constrained:
        return {}
    if parameter.pdf_type == "normal":
        return {"auxdata": parameter.auxdata, "sigmas": parameter.width()}
    return {"counts": parameter.auxdata, "factors": parameter.factors}


def _sharing_findings(spec: Mapping[str, Any], config: Any, pointer: str) -> Iterator[Finding]:
    """Modifiers whose entries pyhf assigns to the wrong bins without a word.

    It checks lengths summed over channels, so errors in two channels may cancel; and a shapefactor has as
    many parameters as the first channel with it has bins, further bins of another channel get the first
    parameter of the whole model.
    """
    for channel in spec["channels"]:
        bins = config.channel_nbins[channel["name"]]
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                where = f"{pointer}/{channel['name']}/{sample['name']}/{modifier['name']}"
                if any(length != bins for length in _lengths(modifier)):
                    yield finding("LLB-W016", pointer=where, expected=f"{bins} values")
                elif modifier["type"] == "shapefactor":
                    parameters = config.param_set(modifier["name"]).n_parameters
                    if parameters < bins:
                        message = "A shapefactor is shared with a channel of fewer bins"
                        yield finding("LLB-W016", message, pointer=where, expected=f"{parameters} bins")


def _lengths(modifier: Mapping[str, Any]) -> tuple[int, ...]:
    """Number of entries in each list that the modifier holds per bin."""
    if modifier["type"] == "histosys":
        return len(modifier["data"]["hi_data"]), len(modifier["data"]["lo_data"])
    return (len(modifier["data"]),) if modifier["type"] in ("shapesys", "staterror") else ()


def _idle_uncertainties(spec: Mapping[str, Any], pointer: str) -> Iterator[Finding]:
    """Uncertainties that pyhf drops, holding the parameter at 1, for want of a positive yield to refer to."""
    for channel in spec["channels"]:
        totals: dict[str, Floats] = {}
        errors: dict[str, Floats] = {}
        for sample in channel["samples"]:
            for modifier in sample["modifiers"]:
                if modifier["type"] in ("shapesys", "staterror") and len(modifier["data"]) == len(
                    sample["data"]
                ):
                    name = modifier["name"]
                    totals[name] = totals.get(name, 0.0) + np.asarray(sample["data"], dtype=np.float64)
                    errors[name] = errors.get(name, 0.0) + np.asarray(modifier["data"], dtype=np.float64)
        for name, total in totals.items():
            idle = np.flatnonzero((total <= 0) & (errors[name] > 0))
            if idle.size:
                where = f"{pointer}/{channel['name']}/{name}"
                yield finding("LLB-W031", pointer=where, actual=f"bins {', '.join(map(str, idle))}")


def _expectation_findings(model: pyhf.Model, counts: Floats, pointer: str) -> Iterator[Finding]:
    """What pyhf's likelihood is at the measurement's initial parameters: every fit starts from there."""
    with np.errstate(all="ignore"):
        init = model.config.suggested_init()
        expected = np.asarray(model.expected_actualdata(init), dtype=np.float64)
        density = float(np.asarray(model.logpdf(init, [*counts, *model.config.auxdata])).ravel()[0])
    usable = np.isfinite(expected) & ((expected > 0) | ((expected == 0) & (counts == 0)))
    for name in model.config.channels:
        where = model.config.channel_slices[name]
        for index in np.flatnonzero(~usable[where]):
            yield finding(
                "LLB-W009",
                pointer=f"{pointer}/{name}[{index}]",
                actual=f"{expected[where][index]} expected, {counts[where][index]:g} observed",
            )
        if not expected[where].any() and not counts[where].any():
            yield finding("LLB-W033", pointer=f"{pointer}/{name}")
    if usable.all() and not np.isfinite(density):
        message = "pyhf's likelihood is not finite at the measurement's initial parameters"
        yield finding("LLB-W009", message, pointer=pointer, actual=f"log density {density}")
