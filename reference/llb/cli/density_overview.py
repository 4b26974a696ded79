"""The manifest of a density as tables on a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.table import Table

from llb.bundle import Column, DensityManifest, Parameter, PriorFactor
from llb.cli.plain_table import plain_table

__all__ = ["claim_tables", "density_tables"]


def density_tables(manifest: DensityManifest) -> tuple[Table, ...]:
    """What the numbers of a density mean, and what is claimed of them."""
    tables = [_meaning(manifest), _parameters(manifest)]
    if manifest.conditions:
        rows = [(item.column, item.name, item.unit, _bounds(item)) for item in manifest.conditions]
        tables.append(plain_table("Conditions", ("column", "condition", "unit", "bounds"), rows))
    return (*tables, *claim_tables(manifest))


def _meaning(manifest: DensityManifest) -> Table:
    density = manifest.density
    rows = [("kind", density.kind.replace("_", " "))]
    if not density.is_normalized:
        rows.append(("offset", f"{density.offset!r}"))
    rows.append(("samples", "yes" if manifest.graph("sample") else "no"))
    rows.append(("score", "yes" if manifest.graph("score") else "by differences"))
    return plain_table("Density", ("", ""), rows)


def _parameters(manifest: DensityManifest) -> Table:
    priors = {item.parameter: item for item in manifest.density.prior}
    lower, upper = manifest.domain.lower, manifest.domain.upper
    rows = [
        (
            item.column,
            item.name,
            item.role,
            item.unit,
            _bounds(item),
            f"{lower[item.column]:g} to {upper[item.column]:g}",
            _prior(item, priors),
        )
        for item in manifest.parameters
    ]
    heads = ("column", "parameter", "role", "unit", "bounds", "domain", "prior")
    return plain_table("Parameters", heads, rows)


def _bounds(item: Column) -> str:
    lower, upper = ("" if math.isinf(value) else f"{value:g}" for value in (item.lower, item.upper))
    return f"{lower} to {upper}" if lower or upper else "open"


def _prior(item: Parameter, priors: dict[str, PriorFactor]) -> str:
    factor = priors.get(item.name)
    if factor is None:
        return ""
    if factor.kind in ("normal", "lognormal"):
        return f"{factor.kind} {factor.mean:g} +- {factor.width:g}"
    return factor.text or factor.kind


def claim_tables(manifest: DensityManifest) -> Iterator[Table]:
    """What a density claims of itself."""
    validation = manifest.validation
    if validation.metrics:
        rows = [
            (item.count, *(f"{value:.2g}" for value in (item.median, item.p95, item.p99, item.max)))
            for item in validation.metrics
        ]
        yield plain_table("|error of log_prob|", ("points", "median", "95 %", "99 %", "max"), rows)
    if validation.sample_metrics:
        distances = [
            (item.quantity, f"{item.value:.4g}", f"{item.null:.4g} +- {item.null_std:.2g}", item.n)
            for item in validation.sample_metrics
        ]
        yield plain_table("Distances of samples", ("quantity", "value", "null", "points"), distances)
