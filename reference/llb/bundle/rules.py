"""What a schema cannot say about the manifest of a profile likelihood: how its parts have to fit together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain

from llb.bundle.head_rules import head_rules, listed, repeated
from llb.bundle.manifest import Manifest
from llb_schema import Finding, finding

__all__ = ["check_rules"]

# Nominal expectations are sums of samples; two orders of summation may differ in the last digits.
_BACKGROUND_TOLERANCE = 1e-6


def check_rules(manifest: Manifest) -> tuple[Finding, ...]:
    """All findings about the meaning of a schema-valid manifest, sorted by code and place."""
    rules: tuple[Callable[[Manifest], Iterator[Finding]], ...] = (
        _inputs,
        _columns,
        _teacher,
        _curve_columns,
        _aliases,
        _data,
        _domain,
        _graphs,
        _uncertainty,
        _metrics,
    )
    findings = chain(head_rules(manifest), *(rule(manifest) for rule in rules))
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _inputs(manifest: Manifest) -> Iterator[Finding]:
    channels: dict[str, list[int]] = {}
    for position, item in enumerate(manifest.inputs):
        channels.setdefault(item.channel, []).append(item.index)
        expected = f"{item.channel}[{item.index}]"
        if item.id != expected:
            message = f"the input {item.id} is bin {item.index} of channel {item.channel}"
            yield finding(
                "LLB-M001", message, pointer=f"/inputs/{position}/id", expected=expected, actual=item.id
            )
        if not item.observed.is_integer():
            yield finding("LLB-M031", pointer=f"/inputs/{position}/observed", actual=item.observed)
    for name in sorted(repeated(item.id for item in manifest.inputs)):
        yield finding(
            "LLB-M002", f"the input {name} is listed more than once", pointer="/inputs", actual=name
        )
    for channel, found in sorted(channels.items()):
        indices = sorted(found)
        if indices != list(range(len(indices))):
            message = f"the bins of channel {channel} are not 0 to {len(indices) - 1}"
            yield finding("LLB-M004", message, pointer="/inputs", actual=listed(indices))


def _columns(manifest: Manifest) -> Iterator[Finding]:
    columns = sorted(item.column for item in manifest.inputs)
    if columns != list(range(len(columns))):
        expected = f"each of 0 to {len(columns) - 1} once"
        yield finding("LLB-M003", pointer="/inputs", expected=expected, actual=listed(columns))


def _teacher(manifest: Manifest) -> Iterator[Finding]:
    bins = {channel.name: channel.bins for channel in manifest.teacher.channels}
    for position, item in enumerate(manifest.inputs):
        if item.channel not in bins:
            message = f"the teacher has no channel {item.channel}"
            yield finding("LLB-M020", message, pointer=f"/inputs/{position}/channel", actual=item.channel)
        elif item.index >= bins[item.channel]:
            message = f"the teacher's channel {item.channel} has {bins[item.channel]} bins"
            yield finding("LLB-M020", message, pointer=f"/inputs/{position}/index", actual=item.index)


def _curve_columns(manifest: Manifest) -> Iterator[Finding]:
    names = [curve.name for curve in manifest.curves]
    for name in sorted(repeated(names)):
        yield finding(
            "LLB-M005", f"the curve {name} is listed more than once", pointer="/curves", actual=name
        )
    if "observed" not in names:
        yield finding("LLB-M012", pointer="/curves", expected="observed", actual=", ".join(names))
    own = [curve.column for curve in manifest.own_curves]
    if own != list(range(len(own))):
        expected = f"each of 0 to {len(own) - 1} once among the curves that are no alias"
        yield finding("LLB-M006", pointer="/curves", expected=expected, actual=listed(own))


def _aliases(manifest: Manifest) -> Iterator[Finding]:
    targets = {curve.name: curve for curve in manifest.own_curves}
    for position, curve in enumerate(manifest.curves):
        if curve.alias_of is None:
            continue
        target = targets.get(curve.alias_of)
        if target is None:
            message = f"{curve.name} is an alias of {curve.alias_of}, which is missing or itself an alias"
            yield finding("LLB-M007", message, pointer=f"/curves/{position}/alias_of", actual=curve.alias_of)
        elif target.column != curve.column:
            message = f"{curve.name} has another column than {target.name}, of which it is an alias"
            place = f"/curves/{position}/column"
            yield finding("LLB-M007", message, pointer=place, expected=target.column, actual=curve.column)


def _data(manifest: Manifest) -> Iterator[Finding]:
    bins = manifest.bins
    parts = [(item.name, len(item.values)) for item in manifest.curves[0].data.auxiliary]
    for position, curve in enumerate(manifest.curves):
        place = f"/curves/{position}/data/main"
        main = curve.data.main
        if [(item.name, len(item.values)) for item in curve.data.auxiliary] != parts:
            yield finding("LLB-M029", pointer=f"/curves/{position}/data/auxiliary")
        if len(main) != len(bins):
            yield finding("LLB-M010", pointer=place, expected=f"{len(bins)} numbers", actual=f"{len(main)}")
            continue
        for column, (value, item) in enumerate(zip(main, bins, strict=True)):
            where = f"{place}/{column}"
            if curve.name == "observed" and value != item.observed:
                message = f"{item.id} has other observed events in the data of the curve"
                yield finding("LLB-M011", message, pointer=where, expected=item.observed, actual=value)
            if curve.name == "apriori" and not math.isclose(
                value, item.background, rel_tol=_BACKGROUND_TOLERANCE, abs_tol=_BACKGROUND_TOLERANCE
            ):
                message = f"{item.id} has another expectation in the data of the curve than its background"
                yield finding("LLB-M013", message, pointer=where, expected=item.background, actual=value)


def _domain(manifest: Manifest) -> Iterator[Finding]:
    count = len(manifest.inputs)
    lower, upper = manifest.domain.lower, manifest.domain.upper
    for name, values in (("lower", lower), ("upper", upper)):
        if len(values) != count:
            yield finding(
                "LLB-M008", pointer=f"/domain/{name}", expected=f"{count} numbers", actual=f"{len(values)}"
            )
    for column, (low, high) in enumerate(zip(lower, upper, strict=False)):
        if not (low <= 0 <= high and low < high):
            actual = f"{low:g} to {high:g}"
            place = f"/domain/{'lower' if low > 0 else 'upper'}/{column}"
            yield finding("LLB-M009", pointer=place, expected="lower <= 0 <= upper", actual=actual)


def _graphs(manifest: Manifest) -> Iterator[Finding]:
    roles = [graph.role for graph in manifest.graphs]
    if roles.count("delta_nll") != 1 or repeated(roles):
        yield finding("LLB-M017", pointer="/graphs", actual=", ".join(roles))
    inputs, curves = len(manifest.inputs), len(manifest.own_curves)
    for position, graph in enumerate(manifest.graphs):
        wanted = [(graph.input, f"/graphs/{position}/input/shape", inputs)]
        wanted += [
            (out, f"/graphs/{position}/outputs/{n}/shape", curves) for n, out in enumerate(graph.outputs)
        ]
        for tensor, place, width in wanted:
            if tensor.shape != ("batch", width):
                actual = listed(tensor.shape)
                yield finding("LLB-M018", pointer=place, expected=f"batch, {width}", actual=actual)


def _uncertainty(manifest: Manifest) -> Iterator[Finding]:
    stated, graph = manifest.uncertainty, manifest.graph("delta_nll")
    if stated.kind == "none":
        if stated.output is not None or stated.method or stated.coverage:
            message = "there is no uncertainty to which an output, a method or a coverage could belong"
            yield finding("LLB-M021", message, pointer="/uncertainty", expected="kind alone")
        return
    tensors = {} if graph is None else {item.name: item for item in graph.outputs[1:]}
    place = "/uncertainty/output"
    if stated.output not in tensors:
        yield finding("LLB-M021", pointer=place, expected=", ".join(sorted(tensors)), actual=stated.output)
    elif graph is not None and tensors[stated.output].dtype != graph.outputs[0].dtype:
        expected, actual = graph.outputs[0].dtype, tensors[stated.output].dtype
        yield finding("LLB-M041", pointer=place, expected=expected, actual=actual)
    own = [curve.name for curve in manifest.own_curves]
    twice = repeated(item.curve for item in stated.coverage)
    for position, item in enumerate(stated.coverage):
        if item.curve not in own or item.curve in twice:
            yield finding(
                "LLB-M042",
                pointer=f"/uncertainty/coverage/{position}/curve",
                expected=", ".join(own),
                actual=item.curve,
            )


def _metrics(manifest: Manifest) -> Iterator[Finding]:
    names = {curve.name for curve in manifest.curves}
    for position, metric in enumerate(manifest.validation.metrics):
        if metric.curve not in names:
            yield finding("LLB-M019", pointer=f"/validation/metrics/{position}/curve", actual=metric.curve)
