"""How good a bundle gets, and in what time: from workspace to validated bundle, search by search.

    uv run python benchmarks/train.py --analysis ATLAS-SUSY-2018-04 [--recipe FILE] [--format json]

Errors of Delta NLL are those of the decision region (0 <= Delta NLL <= 6) of the held-out labels, all curves
together: as many of them along published signals as in training, but at most half, the others filling space.
Errors of upper limits are those of the observed limit on the published signals, against the teacher's own
exact limits.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import click
import numpy as np
from searches import DATA, EMBEDDED, REAL, Search, find_search, mass_plane, published_signals

from llb.cli.progress import Stages
from llb.evaluation import (
    REGIONS,
    SignalNumbers,
    benchmark_errors,
    compare_heldout,
    coverage,
    serving_time,
    signal_numbers,
)
from llb.evaluation.figures import agreement_figure, error_map_figure, exclusion_figure
from llb.runtime import limits
from llb.validation import validate
from llb_trainer import pipeline
from llb_trainer.about import workspace_identity
from llb_trainer.plan import Plan, read_plan
from llb_trainer.teachers.histfactory import read_workspace


@dataclass(frozen=True)
class Row:
    """What is printed: wall times, errors in NLL units, and of limits and CLs relative ones."""

    id: str
    bins: int
    labels: int
    seconds_labels: float
    seconds_train: float
    seconds: float
    median: float
    p95: float
    p99: float
    max: float
    upper_limit_error_p95: float
    upper_limit_error_max: float
    expected_limit_error_max: float
    cls_error_p95: float
    signals: int
    coverage_68: float
    coverage_95: float
    graph_bytes: int
    microseconds_per_point_batch: float
    microseconds_single: float
    batch_over_gemm: float
    validation: str


def measured(name: str, data: Path, plan: Plan, out: Path, figures: Path | None) -> Row:
    """One search, from its workspace to a validated bundle in `out`."""
    search = find_search(name, data)
    workspace = read_workspace(search.workspace)
    published = published_signals(search, workspace, ("lumi",))
    identity = replace(workspace_identity(workspace, None, embedded=False), id=name.lower())
    with Stages() as stages:
        made = pipeline.run(
            partial(pipeline.open_workspace, workspace, plan),
            published,
            identity,
            out,
            plan=plan,
            overwrite=True,
            on_stage=stages,
        )
        stages("Validating the bundle", 1)
        report = validate(out, limits=None)
    comparisons = compare_heldout(made.model)
    errors = np.concatenate([item.error[REGIONS["decision"](item.truth)] for item in comparisons])
    covered = coverage(comparisons)
    found = limits(made.model, published.yields, names=published.names)
    truth, predicted = signal_numbers(made.exact), signal_numbers(found)
    on_signals = benchmark_errors(truth, predicted)
    if figures is not None:
        _draw(figures / name, search, truth, predicted)
    network = made.trained.network
    timing = serving_time(made.model, [kernel.shape for kernel in network.kernels])
    points = sum(item.points for item in covered)
    seconds = stages.seconds
    return Row(
        id=name,
        bins=len(made.teacher.bins),
        labels=made.labels.counts.requested,
        seconds_labels=sum(
            seconds[stage]
            for stage in ("Reading the statistical model", "Looking for minima", "Fitting signals")
        ),
        seconds_train=seconds["Training the networks"],
        seconds=sum(seconds.values()),
        median=float(np.median(errors)),
        p95=float(np.quantile(errors, 0.95)),
        p99=float(np.quantile(errors, 0.99)),
        max=float(errors.max()),
        upper_limit_error_p95=on_signals.upper_limit_observed.p95,
        upper_limit_error_max=on_signals.upper_limit_observed.max,
        expected_limit_error_max=on_signals.upper_limit_expected.max,
        cls_error_p95=on_signals.cls_observed_relative.p95,
        signals=on_signals.signals,
        coverage_68=sum(item.within_68 * item.points for item in covered) / points,
        coverage_95=sum(item.within_95 * item.points for item in covered) / points,
        graph_bytes=(out / "graphs" / "delta_nll.onnx").stat().st_size,
        microseconds_per_point_batch=timing.batch,
        microseconds_single=timing.single,
        batch_over_gemm=timing.ratio,
        validation=report.status,
    )


def _draw(folder: Path, search: Search, truth: SignalNumbers, predicted: SignalNumbers) -> None:
    """The bundle against the teacher on the published signals, as pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agreement.png").write_bytes(agreement_figure(truth, predicted))
    labels, plane = mass_plane(search, truth.names)
    if plane.shape[1] == 2:
        (folder / "errors.png").write_bytes(error_map_figure(plane, labels, truth, predicted))
        (folder / "exclusion.png").write_bytes(exclusion_figure(plane, labels, predicted, truth))


@click.command()
@click.option(
    "--analysis", "analyses", multiple=True, type=click.Choice([EMBEDDED, *REAL]), default=[EMBEDDED]
)
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
@click.option(
    "--recipe", type=click.Path(path_type=Path, exists=True), help="Recipe file; the default one if left out."
)
@click.option("--signals", type=int, help="Signals to label, instead of the recipe's number.")
@click.option("--steps", type=int, help="Optimiser steps, instead of the recipe's number.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder in which the bundles stay.")
@click.option("--figures", type=click.Path(path_type=Path), help="Folder for pictures of each search.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def main(
    analyses: tuple[str, ...],
    data: Path,
    recipe: Path | None,
    signals: int | None,
    steps: int | None,
    keep: Path | None,
    figures: Path | None,
    form: str,
) -> None:
    """Label, train and evaluate, from the workspace to the validated bundle."""
    plan = read_plan(recipe) if recipe else Plan()
    plan = replace(plan, signals=signals or plan.signals)
    plan = replace(plan, recipe=replace(plan.recipe, steps=steps or plan.recipe.steps))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in analyses:
            folder = keep or Path(scratch)
            folder.mkdir(parents=True, exist_ok=True)
            rows.append(measured(name, data, plan, folder / f"{name}.llb", figures))
            if form == "text":
                click.echo("\n".join(f"{key:30s} {value}" for key, value in asdict(rows[-1]).items()))
    if form == "json":
        documents = [asdict(row) for row in rows]
        json.dump(documents[0] if len(documents) == 1 else documents, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
