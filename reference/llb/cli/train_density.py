"""The command `llb train-density`: a bundle of a density, from samples or from a workspace."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_OK, as_lines, printable
from llb.cli.given import FORMAT, PATH, require_files, require_packages

if TYPE_CHECKING:
    from llb.cli.progress import Stages
    from llb.runtime import Density
    from llb.validation import Report
    from llb_trainer.density_pipeline import Sampled
    from llb_trainer.export.emit import Identity
    from llb_trainer.flows import FlowRecipe
    from llb_trainer.regression import RegressionRecipe
    from llb_trainer.teachers.densities import HistFactoryDensity

__all__ = ["train_density_command"]

_NEEDED = ("jax", "flax", "optax", "orbax", "pyhf", "matplotlib", "blackjax")
_RECIPE = "LLB-T042"
_WHAT = {
    "posterior": "a flow of the posterior given the observed counts",
    "conditional": "a flow of the posterior given any counts",
    "likelihood": "ln L by regression",
}


@click.command("train-density", short_help="A bundle of a density in all parameters.")
@click.argument("source", type=PATH)
@click.option(
    "--out", type=PATH, required=True, help="The bundle: a directory, or a .zip or .tar.gz archive."
)
@click.option("--describe", type=PATH, help="Of samples: what their columns mean (TOML or JSON).")
@click.option("--patchset", type=PATH, help="Of a workspace: patchset with the signal.")
@click.option("--patch", default="", help="Name of the signal in it.")
@click.option("--measurement", help="Measurement of the workspace; its first one if left out.")
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=LOW:HIGH",
    help="Narrower bounds of a parameter of the workspace.",
)
@click.option(
    "--learn",
    type=click.Choice(list(_WHAT)),
    default="posterior",
    show_default=True,
    help="; ".join(f"{name}: {text}" for name, text in _WHAT.items()) + ".",
)
@click.option("--samples", type=click.IntRange(100), default=200_000, show_default=True, help="To train on.")
@click.option("--heldout", type=click.IntRange(100), default=4000, show_default=True, help="To check with.")
@click.option("--recipe", type=PATH, help="Settings of the training (TOML, docs/densities.md).")
@click.option("--about", type=PATH, help="TOML file of authors, title, licence, references and analysis.")
@click.option("--seed", type=click.IntRange(0), help="Of everything random; the recipe's if left out.")
@click.option(
    "--keep-unconverged", is_flag=True, help="Learn from chains that do not agree; the record says so."
)
@click.option("--force", is_flag=True, help="Replace a bundle that is there already.")
@FORMAT
def train_density_command(
    source: Path,
    out: Path,
    describe: Path | None,
    patchset: Path | None,
    patch: str,
    measurement: str | None,
    limits: tuple[str, ...],
    learn: str,
    samples: int,
    heldout: int,
    recipe: Path | None,
    about: Path | None,
    seed: int | None,
    keep_unconverged: bool,
    force: bool,
    output: str,
) -> int:
    """A bundle of a density in all parameters.

    SOURCE is a file of samples (npz, npy, Parquet, CSV, HDF5), from which a normalizing flow is learned. Or
    it is a workspace (pyhf JSON): its posterior is sampled first, or experiments are simulated to learn the
    posterior under any counts, or ln L itself is learned. The bundle is validated in the end. A training
    that was killed goes on from its last checkpoint when the same command is given again.

    \b
    Example:
        llb train-density chain.npz --describe chain.toml --out posterior.llb
        llb train-density BkgOnly.json --patchset patchset.json --patch DS_440_80 --out posterior.llb
        llb train-density BkgOnly.json --patchset patchset.json --patch DS_440_80 --learn conditional \\
            --limit mu_SIG=0:5 --out any-counts.llb
    """
    require_files(source, describe, patchset, recipe, about)
    require_packages(_NEEDED)
    workspace = source.suffix.lower() == ".json"
    _check(workspace, describe, patchset, patch, measurement, limits, learn)
    from llb.bundle import check_target
    from llb.cli.progress import Stages
    from llb.validation import validate
    from llb_trainer.about import density_identity, read_about

    check_target(out, overwrite=force)
    settings = _settings(recipe, learn, seed)
    teacher = _teacher(source, patchset, patch, measurement, limits) if workspace else None
    identity = density_identity(teacher.name if teacher else source.stem)
    identity = read_about(about, identity) if about else identity
    with Stages() as stages:
        sampled = _sampled(
            teacher, source, describe, learn, (samples, heldout), settings.seed, keep_unconverged, stages
        )
        density = _learned(teacher, sampled, identity, out, settings, force, stages)
        told = stages("Validating the bundle", 1)
        report = validate(out, limits=None)
        told(1)
    if output == "json":
        click.echo(json.dumps(_document(density, report, out, stages.seconds), indent=2, allow_nan=False))
    else:
        _print(density, report, out)
    return EXIT_OK if report.status == "ok" else EXIT_FINDINGS


def _check(
    workspace: bool,
    describe: Path | None,
    patchset: Path | None,
    patch: str,
    measurement: str | None,
    limits: tuple[str, ...],
    learn: str,
) -> None:
    """What can be refused is refused before anything expensive."""
    if workspace and describe is not None:
        raise click.UsageError("--describe belongs to samples; SOURCE is a workspace")
    if not workspace and (patchset or patch or measurement or limits):
        raise click.UsageError("--patchset, --patch, --measurement and --limit belong to a workspace")
    if not workspace and learn != "posterior":
        raise click.UsageError(f"--learn {learn} needs a workspace: samples alone have no likelihood")
    if (patchset is None) != (not patch):
        raise click.UsageError("--patchset and --patch go together: a signal has a file and a name")


def _settings(recipe: Path | None, learn: str, seed: int | None) -> FlowRecipe | RegressionRecipe:
    """How is decided before there is anything to learn: sampling takes long."""
    from llb_trainer.flows import FlowRecipe
    from llb_trainer.regression import RegressionRecipe
    from llb_trainer.toml_files import read_settings

    kind = RegressionRecipe if learn == "likelihood" else FlowRecipe
    found = read_settings(recipe, kind, _RECIPE) if recipe else kind()
    return found if seed is None else replace(found, seed=seed)


def _teacher(
    source: Path, patchset: Path | None, patch: str, measurement: str | None, limits: tuple[str, ...]
) -> HistFactoryDensity:
    from llb_trainer.teachers.densities import histfactory_density

    edges: dict[str, tuple[float, float]] = {}
    for text in limits:
        name, _, span = text.rpartition("=")
        try:
            low, high = map(float, span.split(":"))
        except ValueError:
            raise click.UsageError(f"--limit {text} is not NAME=LOW:HIGH") from None
        edges[name] = (low, high)
    try:
        return histfactory_density(
            source, patchset=patchset, patch=patch, measurement=measurement, limits=edges or None
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _sampled(
    teacher: HistFactoryDensity | None,
    source: Path,
    describe: Path | None,
    learn: str,
    counts: tuple[int, int],
    seed: int,
    keep: bool,
    stages: Stages,
) -> Sampled:
    from llb_trainer.density_sources import (
        experiments_of_workspace,
        samples_of_file,
        samples_of_teacher,
    )

    training, heldout = counts
    if teacher is None:
        stages("Reading the samples", 1)
        return samples_of_file(source, describe, heldout=heldout)
    if learn == "conditional":
        stages("Simulating experiments", 1)
        return experiments_of_workspace(teacher, training, heldout, seed=seed)
    told = stages("Sampling", training + heldout).reach
    return samples_of_teacher(teacher, training, heldout, seed=seed, keep=keep, progress=told)


def _learned(
    teacher: HistFactoryDensity | None,
    sampled: Sampled,
    identity: Identity,
    out: Path,
    settings: FlowRecipe | RegressionRecipe,
    force: bool,
    stages: Stages,
) -> Density:
    from llb_trainer.flows import FlowRecipe

    if isinstance(settings, FlowRecipe):
        from llb_trainer.density_pipeline import learn_density

        told = stages("Training the flow", settings.steps)
        return learn_density(sampled, identity, out, recipe=settings, overwrite=force, progress=told).density
    from llb_trainer.regression_pipeline import learn_regression

    # Only a workspace has a likelihood to be learned.
    assert teacher is not None  # noqa: S101
    return learn_regression(
        teacher,
        sampled.training,
        sampled.heldout,
        identity,
        out,
        text=sampled.text,
        sampled=sampled.record,
        recipe=settings,
        overwrite=force,
        progress=stages("Learning the likelihood", settings.steps),
    ).density


def _document(density: Density, report: Report, out: Path, seconds: dict[str, float]) -> dict[str, Any]:
    validation = density.manifest.validation
    return {
        "status": report.status,
        "level": report.level,
        "findings": [item.to_json() for item in report.findings],
        "bundle": str(out),
        "seconds": seconds,
        "parameters": len(density.parameters),
        "conditions": list(density.conditions),
        "metrics": [asdict(item) for item in validation.metrics],
        "sample_metrics": [asdict(item) for item in validation.sample_metrics],
    }


def _print(density: Density, report: Report, out: Path) -> None:
    from rich.console import Console

    from llb.cli.density_overview import claim_tables

    console = Console(highlight=False, markup=False)
    for table in claim_tables(density.manifest):
        console.print(table)
    console.print(printable(f"Bundle: {out} (validation: {report.status}, level {report.level})"))
    for line in as_lines(report.findings):
        console.print(line)
