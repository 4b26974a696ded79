"""`llb sample`, `llb profile` and the part of `llb eval` that is about densities."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import EXIT_OK, printable
from llb.cli.given import FORMAT, PATH, say
from llb.cli.profile_output import profile_document, write_profile
from llb_schema import FindingError, finding, number_to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from llb.runtime import Density

__all__ = ["density_rows", "profile_command", "sample_command"]

_CONDITION = click.option(
    "--condition", "conditions", multiple=True, metavar="NAME=VALUE", help="Of a conditional density, each."
)


def density_rows(bundle: Path, parameters: Path) -> list[dict[str, Any]]:
    """`log_prob` at the points of a file, a row each; says what lies outside of the domain.

    Raises:
        FindingError: the bundle holds no density, or the file no points of it.
    """
    from llb.runtime import load_density, read_points

    density = load_density(bundle)
    table = read_points(parameters, density)
    values = density.log_prob(table.points, table.conditions)
    full = density.log_density(table.points, table.conditions)
    inside = density.in_domain(table.points, table.conditions)
    outside = int((~inside).sum())
    if outside:
        message = f"{outside} of {len(values)} points are outside the domain"
        hint = "Nothing was learned there: the graph extrapolates, and beyond the bounds the density is 0."
        say([finding("LLB-L004", message, pointer=str(parameters), hint=hint)])
    likelihood = density.manifest.density.kind == "likelihood"
    return [
        {
            "name": name,
            "in_domain": bool(inside[row]),
            "log_prob": number_to_json(values[row]),
            **({"log_likelihood": number_to_json(full[row])} if likelihood else {}),
        }
        for row, name in enumerate(table.names)
    ]


@click.command("sample", short_help="Independent draws of a density.")
@click.argument("bundle", type=PATH)
@click.option("--n", "count", type=click.IntRange(1, 10**8), required=True, help="Number of draws.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the base noise (PCG64)."
)
@click.option("--out", type=PATH, required=True, help="File to write, .csv or .npz.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@_CONDITION
@FORMAT
def sample_command(
    bundle: Path,
    count: int,
    seed: int,
    out: Path,
    overwrite: bool,
    conditions: tuple[str, ...],
    output: str,
) -> int:
    """Independent draws of a density.

    Writes a CSV with the parameters' names as header and `log_prob` as the last column, a .npz with the
    arrays `samples`, `log_prob` and `names`, or a .nc (NetCDF) that ArviZ opens. The same seed gives the same
    draws everywhere.

    \b
    Example:
        llb sample flow.llb --n 10000 --seed 1 --out draws.csv
        llb sample flow.llb --n 1000000 --out draws.npz
        llb sample flow.llb --n 10000 --out draws.nc
    """
    from llb.bundle import check_free, write_file
    from llb.runtime import DRAW_FORMATS, draws_bytes, load_density

    if out.suffix.lower() not in DRAW_FORMATS:
        raise click.UsageError(f"--out must end in {', '.join(DRAW_FORMATS)}")
    density = load_density(bundle)
    condition = _condition(conditions, density)
    check_free(out, overwrite=overwrite)
    drawn = density.sample(count, seed, condition)
    log_prob = density.log_prob(drawn, condition)
    data = draws_bytes(out.suffix.lower(), density.parameters, drawn, log_prob)
    write_file(out, data, overwrite=overwrite)
    document = {"path": str(out), "samples": count, "seed": seed, "parameters": list(density.parameters)}
    if output == "json":
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(printable(f"{count} draws of {len(density.parameters)} parameters, seed {seed}: {out}"))
    return EXIT_OK


@click.command("profile", short_help="Profile and credible intervals of a parameter.")
@click.argument("bundle", type=PATH)
@click.option("--parameter", required=True, help="Name of the parameter that is held.")
@click.option(
    "--points", type=click.IntRange(2, 10_000), default=41, show_default=True, help="Values of the parameter."
)
@click.option("--lower", type=float, help="First value.  [default: where the domain begins]")
@click.option("--upper", type=float, help="Last value.  [default: where the domain ends]")
@click.option("--divide-prior", is_flag=True, help="Profile the likelihood: divide the prior out.")
@click.option(
    "--samples",
    type=click.IntRange(0, 10**8),
    default=100_000,
    show_default=True,
    help="Draws for the marginal intervals; 0 for none.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the draws.")
@click.option("--figure", type=PATH, help="A picture of the profile to write, as PNG.")
@_CONDITION
@FORMAT
def profile_command(
    bundle: Path,
    parameter: str,
    points: int,
    lower: float | None,
    upper: float | None,
    divide_prior: bool,
    samples: int,
    seed: int,
    figure: Path | None,
    conditions: tuple[str, ...],
    output: str,
) -> int:
    """Profile and credible intervals of a parameter.

    The profile is the largest log density over all other parameters. Of a posterior it holds the prior, and
    is no profile likelihood: --divide-prior takes out what the manifest has a formula for. Its intervals are
    where it is 0.5 and 1.92 below its maximum (68.3 % and 95 % of a likelihood that is normal). The marginal
    intervals are of the density itself, from draws: the shortest and the central one.

    \b
    Example:
        llb profile flow.llb --parameter mu
        llb profile flow.llb --parameter mu --points 101 --divide-prior --format json
    """
    from llb.runtime import load_density, profile_density

    density = load_density(bundle)
    values = _values(density, parameter, points, lower, upper)
    condition = _condition(conditions, density)
    found = profile_density(density, parameter, values, condition=condition, divide_prior=divide_prior)
    say(found.findings)
    drawn: NDArray[np.float64] | None = None
    if samples and density.can_sample:
        column = density.parameters.index(parameter)
        drawn = density.sample(samples, seed, condition)[:, column : column + 1]
    document = profile_document(density, found, drawn)
    if figure is not None:
        from llb.evaluation import density_profile_figure

        figure.write_bytes(density_profile_figure(found, None if drawn is None else drawn[:, 0]))
    if output == "json":
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        write_profile(document)
    return EXIT_OK


def _values(
    density: Density, parameter: str, points: int, lower: float | None, upper: float | None
) -> NDArray[np.float64]:
    """Where the parameter is held; what is not said is the domain."""
    import numpy as np

    if parameter not in density.parameters:
        message, known = f"there is no parameter {parameter!r}", ", ".join(density.parameters)[:200]
        raise FindingError(finding("LLB-Y101", message, expected=known, actual=parameter))
    column, domain = density.parameters.index(parameter), density.manifest.domain
    first = domain.lower[column] if lower is None else lower
    last = domain.upper[column] if upper is None else upper
    if not domain.lower[column] <= first < last <= domain.upper[column]:
        raise click.UsageError(
            f"--lower and --upper must lie in the domain of {parameter}, "
            f"{domain.lower[column]:g} to {domain.upper[column]:g}, one below the other"
        )
    return np.linspace(first, last, points)


def _condition(given: Sequence[str], density: Density) -> dict[str, float] | None:
    """Conditions of a command line; which of them there have to be is for the density to say."""
    if not given:
        if density.conditions:
            names = " ".join(f"--condition {name}=..." for name in density.conditions[:5])
            raise FindingError(finding("LLB-Y105", "the density is conditional", hint=f"Give {names}."))
        return None
    found: dict[str, float] = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise click.UsageError(f"--condition {text} is not NAME=VALUE")
    return found
