"""A profile with its intervals as a JSON document and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import printable
from llb_schema import number_to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llb.runtime import Density, DensityProfile

__all__ = ["profile_document", "write_profile"]

_DROPS = {"68.3 %": 0.5, "95 %": 1.92}
_CREDIBILITIES = {"68.3 %": 0.6827, "95 %": 0.95}
_NOTES = {
    "posterior": "A profile of a posterior holds its prior and is none of a likelihood: see --divide-prior.",
    "divided": "The prior was divided out: the profile is that of the likelihood, up to a constant.",
}


def profile_document(
    density: Density, profile: DensityProfile, drawn: NDArray[np.float64] | None
) -> dict[str, Any]:
    """All that is said of a profile.

    Args:
        density: whose.
        profile: the maxima.
        drawn: (n, 1) draws of the parameter, for the marginal intervals; None without.
    """
    kind = density.manifest.density.kind
    best = int(profile.log_density.argmax())
    document: dict[str, Any] = {
        "parameter": profile.parameter,
        "kind": kind,
        "prior_divided": profile.prior_divided,
        "note": _NOTES["divided"] if profile.prior_divided else _NOTES.get(kind, ""),
        "best": {
            "value": float(profile.values[best]),
            "point": dict(zip(density.parameters, profile.points[best].tolist(), strict=True)),
        },
        "profile": [
            {"value": float(value), "log_density": number_to_json(height), "drop": number_to_json(drop)}
            for value, height, drop in zip(profile.values, profile.log_density, profile.drop, strict=True)
        ],
        "profile_intervals": {name: profile.intervals(drop) for name, drop in _DROPS.items()},
        "marginal_intervals": {},
        "findings": [item.to_json() for item in profile.findings],
    }
    if drawn is not None:
        from llb.evaluation import central_intervals, shortest_intervals

        for form, intervals in (("shortest", shortest_intervals), ("central", central_intervals)):
            document["marginal_intervals"][form] = {
                name: intervals(drawn, part)[:, 0].tolist() for name, part in _CREDIBILITIES.items()
            }
    return document


def write_profile(document: dict[str, Any]) -> None:
    """Prints a profile as a table."""
    name = printable(document["parameter"])
    click.echo(f"{name:>14}  {'ln density':>14}  below the top")
    for row in document["profile"]:
        height, drop = ("-" if row[key] is None else f"{row[key]:.6f}" for key in ("log_density", "drop"))
        click.echo(f"{row['value']:>14.6g}  {height:>14}  {drop:>13}")
    click.echo(f"top at {name} = {document['best']['value']:.6g}")
    for level, intervals in document["profile_intervals"].items():
        click.echo(f"profile {level:>7}: {' and '.join(map(_interval, intervals))}")
    for form, by_level in document["marginal_intervals"].items():
        for level, interval in by_level.items():
            click.echo(f"{form} {level:>7}: {_interval(interval)}")
    if document["note"]:
        click.echo(document["note"])


def _interval(ends: list[float]) -> str:
    return f"{ends[0]:.6g} to {ends[1]:.6g}"
