"""What a schema cannot say about the manifest of a density: how its parts have to fit together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from llb.bundle.density import Column, DensityManifest
from llb.bundle.head_rules import head_rules, listed, repeated
from llb_schema import Finding, finding

__all__ = ["check_density_rules"]


def check_density_rules(manifest: DensityManifest) -> tuple[Finding, ...]:
    """All findings about the meaning of a schema-valid manifest of a density, sorted by code and place."""
    rules: tuple[Callable[[DensityManifest], Iterator[Finding]], ...] = (
        _columns,
        _prior,
        _domain,
        _graphs,
        _claims,
    )
    findings = chain(head_rules(manifest), *(rule(manifest) for rule in rules))
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _columns(manifest: DensityManifest) -> Iterator[Finding]:
    yield from _named(manifest.parameters, "/parameters")
    yield from _named(manifest.conditions, "/conditions")
    for name in sorted({*manifest.columns} & {*manifest.condition_names}):
        message = f"{name} is a parameter and a condition"
        yield finding("LLB-M044", message, pointer="/conditions", actual=name)


def _named(items: Sequence[Column], place: str) -> Iterator[Finding]:
    for name in sorted(repeated(item.name for item in items)):
        yield finding("LLB-M044", f"{name} is listed more than once", pointer=place, actual=name)
    columns = [item.column for item in items]
    if columns != list(range(len(items))):
        expected = f"each of 0 to {len(items) - 1} once"
        yield finding("LLB-M045", pointer=place, expected=expected, actual=listed(columns))
    for item in items:
        if not item.lower < item.upper:
            message = f"the bounds of {item.name} do not grow"
            yield finding("LLB-M046", message, pointer=place, actual=f"{item.lower:g} to {item.upper:g}")


def _prior(manifest: DensityManifest) -> Iterator[Finding]:
    prior = manifest.density.prior
    if not prior:
        return
    factors = [item.parameter for item in prior]
    if sorted(factors) != sorted(manifest.columns):
        expected = f"one factor for each of {listed(manifest.columns)}"
        yield finding("LLB-M047", pointer="/density/prior", expected=expected, actual=listed(factors))
    bounds = {item.name: item for item in manifest.parameters}
    for position, item in enumerate(prior):
        known = bounds.get(item.parameter)
        place = f"/density/prior/{position}"
        if item.kind == "uniform" and known is not None and not _is_finite(known):
            message = f"the uniform prior of {item.parameter} has no end"
            yield finding("LLB-M048", message, pointer=place)
        if item.kind == "lognormal" and known is not None and known.lower < 0.0:
            message = f"the log-normal prior of {item.parameter} is for values above 0"
            yield finding("LLB-M048", message, pointer=place, expected="a lower bound of at least 0")


def _is_finite(item: Column) -> bool:
    return math.isfinite(item.lower) and math.isfinite(item.upper)


def _domain(manifest: DensityManifest) -> Iterator[Finding]:
    count = len(manifest.parameters)
    domain = manifest.domain
    for name, values in (("lower", domain.lower), ("upper", domain.upper)):
        if len(values) != count:
            place, expected = f"/domain/{name}", f"{count} numbers"
            yield finding("LLB-M008", pointer=place, expected=expected, actual=f"{len(values)}")
    for column, (item, low, high) in enumerate(
        zip(manifest.parameters, domain.lower, domain.upper, strict=False)
    ):
        if not low < high:
            yield finding("LLB-M049", pointer=f"/domain/upper/{column}", actual=f"{low:g} to {high:g}")
        for name, value, good in (("lower", low, low >= item.lower), ("upper", high, high <= item.upper)):
            if not good:
                message = f"the domain of {item.name} reaches beyond its bounds"
                place, expected = f"/domain/{name}/{column}", f"{item.lower:g} to {item.upper:g}"
                yield finding("LLB-M049", message, pointer=place, expected=expected, actual=value)


def _graphs(manifest: DensityManifest) -> Iterator[Finding]:
    roles = [graph.role for graph in manifest.graphs]
    if repeated(roles):
        yield finding("LLB-M017", pointer="/graphs", actual=", ".join(roles))
    count, conditions = len(manifest.parameters), len(manifest.conditions)
    for position, graph in enumerate(manifest.graphs):
        place = f"/graphs/{position}"
        wanted = [(graph.input, f"{place}/input/shape", count)]
        if graph.condition is not None:
            wanted.append((graph.condition, f"{place}/condition/shape", conditions))
        wanted.append(
            (graph.outputs[0], f"{place}/outputs/0/shape", 1 if graph.role == "log_prob" else count)
        )
        for tensor, where, width in wanted:
            if tensor.shape != ("batch", width):
                actual = listed(tensor.shape)
                yield finding("LLB-M018", pointer=where, expected=f"batch, {width}", actual=actual)


def _claims(manifest: DensityManifest) -> Iterator[Finding]:
    """Distances between samples need a graph that makes them."""
    if manifest.validation.sample_metrics and manifest.graph("sample") is None:
        yield finding("LLB-M050", pointer="/validation/sample_metrics")
