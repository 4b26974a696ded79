"""`llb eval` and `llb limit`: numbers from a bundle."""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_OK, printable
from llb.cli.given import FORMAT, PATH, say
from llb.cli.limit_table import print_limits
from llb_schema import Finding, finding, has_errors, number_to_json

if TYPE_CHECKING:
    from llb.runtime import Limits, ProfileLikelihood, Signals

__all__ = ["eval_command", "limit_command"]


@click.command("eval", short_help="Delta NLL of signals, or the log density of parameters.")
@click.argument("bundle", type=PATH)
@click.option("--signal", type=PATH, help="Signal yields, JSON or CSV; {} is the zero signal.")
@click.option("--parameters", type=PATH, help="Points of a density, JSON or CSV.")
@click.option(
    "--mu", "strengths", type=float, multiple=True, default=(1.0,), show_default=True, help="Signal strength."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True
)
def eval_command(
    bundle: Path, signal: Path | None, parameters: Path | None, strengths: tuple[float, ...], form: str
) -> None:
    """Delta NLL of signals, or the log density of parameters.

    For each signal and each mu, on every data set of BUNDLE: NLL is -ln L with all constants, Delta NLL is
    relative to no signal, and `in_domain` says whether the bundle was trained there. Of a density, `log_prob`
    is its natural logarithm with respect to the parameters in their units.

    \b
    Example:
        llb eval stau.llb --signal yields.json
        llb eval stau.llb --signal yields.csv --mu 0.5 --mu 1 --format csv
        llb eval flow.llb --parameters points.csv --format csv
    """
    if (signal is None) == (parameters is None):
        raise click.UsageError("give either --signal or, of a density, --parameters")
    if signal is None:
        _write(_density_rows(bundle, parameters), form)
        return
    from llb.runtime import load, read_signals

    if not all(map(math.isfinite, strengths)):
        raise click.UsageError("--mu must be a finite number")
    model = load(bundle)
    signals = read_signals(signal, model, allow_zero=True)
    rows = _evaluate(model, signals, strengths)
    say(signals.findings)
    outside = sum(not row["in_domain"] for row in rows)
    if outside:
        message = f"{outside} of {len(rows)} points are outside the domain"
        hint = "Nothing was learned there: the graph extrapolates."
        say([finding("LLB-L004", message, pointer=str(signal), hint=hint)])
    _write(rows, form)


@click.command("limit", short_help="CLs and upper limits of signals.")
@click.argument("bundle", type=PATH)
@click.option("--signal", type=PATH, help="Signal yields, JSON or CSV.")
@click.option("--patchset", type=PATH, help="Signal points as a pyhf patchset; the workspace is not needed.")
@click.option(
    "--mu",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Where CLs is taken.",
)
@click.option(
    "--level",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.95,
    show_default=True,
    help="Confidence level of the upper limits.",
)
@FORMAT
def limit_command(
    bundle: Path, signal: Path | None, patchset: Path | None, mu: float, level: float, output: str
) -> int:
    """CLs and upper limits of signals.

    CLs at mu and upper limits on mu, observed and expected. Expected numbers are bands of five, for
    background-only data that fluctuate by -2, -1, 0, +1, +2 standard deviations: `upper_limit_expected` (and
    `cls_expected`) with the background fitted to the data, a posteriori; `upper_limit_apriori` without.

    Where the bundle states its own error, numbers have one too (± in the table, `..._error` in JSON): one
    standard deviation of what it does to them, to first order. It says nothing beyond the domain.

    JSON is a list with one object a signal. An infinite upper limit (no mu is excluded) is null there, and
    `flags` has "no_limit:<number>"; a number that is not defined is null, with "not_a_number" or
    "no_curve:<curve>". A number from beyond the domain has "beyond_domain:<number>", and `in_domain` is
    false then.

    \b
    Example:
        llb limit stau.llb --signal yields.json
        llb limit stau.llb --patchset patchset.json --format json > limits.json
    """
    from llb.runtime import limits, load, read_patchset, read_signals

    if not math.isfinite(mu):
        raise click.UsageError("--mu must be a finite number")
    if math.isnan(level):
        raise click.UsageError("--level must be a number")
    if signal is not None and patchset is None:
        model = load(bundle)
        signals = read_signals(signal, model)
    elif patchset is not None and signal is None:
        model = load(bundle)
        signals = read_patchset(patchset, model.bundle)
    else:
        raise click.UsageError("give either --signal or --patchset")
    found = limits(model, signals, mu=mu, level=level)
    say(signals.findings)
    say(_about(found))
    if output == "json":
        _write([_as_json(item) for item in found], output)
    else:
        print_limits(found)
    return EXIT_FINDINGS if has_errors(note for item in found for note in item.findings) else EXIT_OK


def _density_rows(bundle: Path, parameters: Path | None) -> list[dict[str, Any]]:
    from llb.cli.density import density_rows

    return [] if parameters is None else density_rows(bundle, parameters)


def _evaluate(model: ProfileLikelihood, signals: Signals, strengths: Sequence[float]) -> list[dict[str, Any]]:
    # Imported here: `llb --help` and a wrong command line need no numpy.
    import numpy as np

    rows: list[dict[str, Any]] = []
    for mu in strengths:
        # Beyond the largest double a yield becomes infinite, and is outside the domain.
        with np.errstate(over="ignore"):
            points = mu * signals.yields
        delta, absolute, inside = model.delta_nll(points), model.nll(points), model.in_domain(points)
        for row, name in enumerate(signals.names):
            values = {f"delta_nll_{curve}": number_to_json(delta[curve][row]) for curve in model.curve_names}
            values |= {f"nll_{curve}": number_to_json(absolute[curve][row]) for curve in model.curve_names}
            rows.append({"name": name, "mu": mu, "in_domain": bool(inside[row]), **values})
    return rows


def _about(found: Sequence[Limits]) -> list[Finding]:
    """What to say about the answers: each error, and one warning for all numbers from beyond the domain."""
    notes = [note for item in found for note in item.findings]
    beyond = [item.name for item in found if any(flag.startswith("beyond_domain") for flag in item.flags)]
    if beyond:
        shown = ", ".join(beyond[:5]) + (", ..." if len(beyond) > 5 else "")
        notes.append(
            finding(
                "LLB-L004",
                f"{len(beyond)} of {len(found)} signals have numbers from beyond the domain: {shown}",
            )
        )
    return notes


def _as_json(item: Limits) -> dict[str, Any]:
    return {
        "name": item.name,
        "mu": item.mu,
        "level": item.level,
        "cls_observed": number_to_json(item.cls_observed),
        "cls_expected": [number_to_json(value) for value in item.cls_expected],
        "cls_apriori": [number_to_json(value) for value in item.cls_apriori],
        "upper_limit_observed": number_to_json(item.upper_limit_observed),
        "upper_limit_expected": [number_to_json(value) for value in item.upper_limit_expected],
        "upper_limit_apriori": [number_to_json(value) for value in item.upper_limit_apriori],
        "mu_hat": number_to_json(item.mu_hat),
        "cls_observed_error": number_to_json(item.cls_observed_error),
        "cls_expected_error": [number_to_json(value) for value in item.cls_expected_error],
        "cls_apriori_error": [number_to_json(value) for value in item.cls_apriori_error],
        "upper_limit_observed_error": number_to_json(item.upper_limit_observed_error),
        "upper_limit_expected_error": [number_to_json(value) for value in item.upper_limit_expected_error],
        "upper_limit_apriori_error": [number_to_json(value) for value in item.upper_limit_apriori_error],
        "in_domain": item.in_domain,
        "flags": list(item.flags),
    }


def _write(rows: list[dict[str, Any]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(rows, indent=2, allow_nan=False))
        return
    if form == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(rows[0])
        table.writerows(["" if value is None else value for value in row.values()] for row in rows)
        return
    for row in rows:
        mark = "" if row["in_domain"] else "  (outside the domain)"
        strength = f"  mu = {row['mu']:g}" if "mu" in row else ""
        click.echo(f"{printable(row['name'])}{strength}{mark}")
        for key in [key for key in ("log_prob", "log_likelihood") if key in row]:
            click.echo(f"  {key:<16} {'-' if row[key] is None else format(row[key], '.6f'):>14}")
        for key in row:
            if key.startswith("delta_nll_"):
                curve = key.removeprefix("delta_nll_")
                numbers = (row[key], row[f"nll_{curve}"])
                delta, absolute = ("-" if value is None else f"{value:.6f}" for value in numbers)
                click.echo(f"  {curve:<16} Delta NLL {delta:>14}   NLL {absolute:>16}")
