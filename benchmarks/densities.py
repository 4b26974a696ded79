"""How good a learned density gets, and in what time: samples, flow, bundle, case by case.

    uv run python benchmarks/densities.py --case toy [--format json] [--keep DIR]

| case | density | samples |
|---|---|---|
| toy | the LHC-like toy in 95 parameters | NUTS |
| electroweak, flavour | stand-ins for the fits in 40 and 89 parameters | exact |
| stau | ATLAS-SUSY-2018-04 with a published signal: mu and its nuisances | NUTS |
| counts | ATLAS-SUSY-2018-31 A with a published signal: all parameters under any counts | experiments |

Distances are those of CLAIM-4 on standardised samples, each beside the same distance between two samples of
the truth; names that begin with `paper_` are those of arXiv:2309.09743 by its own definitions, in physical
units and at its sample size. `base_space` tests that what the flow makes of the truth is normal noise. Of a
workspace, `interval` has that of mu beside pyhf's; of a conditional density, `calibration` has the ranks of
true parameters (arXiv:1804.06788).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import jax
import numpy as np
from density_cases import CASES, Case
from density_interval import intervals, search_problem
from numpy.typing import NDArray
from searches import DATA

from llb.bundle import Analysis, Author
from llb.cli.progress import Stages
from llb.evaluation import (
    base_space_test,
    density_errors,
    effective_fraction,
    rank_calibration,
    read_density_heldout,
)
from llb.evaluation.null_tests import Sample, Scale, compare_with_null
from llb.evaluation.paper_metrics import paper_metrics
from llb.runtime import Density
from llb.validation import validate
from llb_trainer.density_pipeline import DensityResult, Sampled, learn_density
from llb_trainer.density_sources import experiments_of_workspace, samples_of_teacher
from llb_trainer.export.emit import Identity
from llb_trainer.teachers.densities import DensityTeacher
from llb_trainer.teachers.densities.blocks import in_blocks

Floats = NDArray[np.float64]

_IN_BUNDLE = 4000
"""Held-out draws that go into the bundle; more are kept here."""
_COMPARED = 20_000
"""Samples in a distance beside its null."""
_EXPERIMENTS = 2000
_REPETITIONS = 20
_BLOCK = 4096


def sampled_for(case: Case, teacher: Any, seed: int, progress: Callable[[int, int], None]) -> Sampled:
    if case.conditional:
        return experiments_of_workspace(teacher, case.training, case.heldout, seed=seed)
    return samples_of_teacher(teacher, case.training, case.heldout, seed=seed, progress=progress)


def importance(teacher: DensityTeacher, density: Density, count: int) -> float:
    """The effective fraction of draws of the flow, weighted to the teacher's density."""
    drawn = density.sample(count, seed=7)
    drawn = drawn[density.in_bounds(drawn)]
    with jax.enable_x64(True):
        many = jax.jit(jax.vmap(teacher.log_density))
        truth = in_blocks(many, drawn, _BLOCK)
    weight = np.nan_to_num(truth, nan=-np.inf) - density.log_prob(drawn)
    weight = np.exp(weight - weight.max())
    return float(weight.sum() ** 2 / (count * np.sum(weight**2)))


def distances(density: Density, heldout: Floats, batch: int) -> dict[str, dict[str, float | None]]:
    """All metrics with their nulls."""
    count = min(len(heldout) // 2, _COMPARED)
    scale = Scale.of(heldout)
    samples = [
        Sample(scale.apply(points), density.log_prob(points))
        for points in (density.sample(count, seed=11), heldout[: 2 * count])
    ]
    found: dict[str, dict[str, float | None]] = {
        item.quantity: {"value": item.value, "null": item.null, "null_std": item.null_std}
        for item in compare_with_null(samples[0], samples[1], repetitions=_REPETITIONS)
    }
    half = len(heldout) // 2
    drawn, batches = density.sample(half, seed=12), max(1, half // batch)
    value, null = (
        paper_metrics(one, heldout[:half], batches=batches) for one in (drawn, heldout[half : 2 * half])
    )
    found["paper_ks_pvalue"] = {"value": value.mean_ks, "null": null.mean_ks, "null_std": null.mean_ks_std}
    found["paper_swd"] = {"value": value.swd, "null": null.swd, "null_std": null.swd_std}
    for number, name in enumerate(("68", "95", "99")):
        numbers = value.hpdi_errors[number], null.hpdi_errors[number]
        found[f"paper_hpdi_{name}"] = {"value": numbers[0], "null": numbers[1], "null_std": None}
    return found


def speed(call: Callable[[], Any], count: int) -> float:
    """Points a second, the best of three."""
    took: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return count / min(took)


def deviation(result: DensityResult, points: Floats, given: Floats | None) -> float:
    """Largest difference of the graphs from the flow, relative to 1 + |ln p| or to the samples' widths."""
    flow, density = result.trained.flow, result.density
    expected = flow.log_prob(points, given)
    noise = np.random.default_rng(5).standard_normal(points.shape)
    of_log = np.abs(density.log_prob(points, given) - expected) / (1.0 + np.abs(expected))
    of_samples = np.abs(density.sample_from(noise, given) - flow.sample(noise, given)) / points.std(axis=0)
    return float(max(of_log.max(), of_samples.max()))


def measured(name: str, data: Path, out: Path, seed: int) -> dict[str, Any]:
    """One case, from its samples to a validated bundle."""
    case = CASES[name]
    with Stages() as stages:
        reached = stages("Sampling", case.training + case.heldout).reach
        began = time.monotonic()
        teacher = case.teacher(data)
        whole = sampled_for(case, teacher, seed, reached)
        sampling = time.monotonic() - began
        told = stages("Training the flow", case.recipe.steps)
        author = (Author("The LLB developers"),)
        identity = Identity(name, f"The case {name}", author, Analysis(teacher.name))
        result = learn_density(
            shortened(whole), identity, out / f"{name}.llb", recipe=case.recipe, overwrite=True, progress=told
        )
        stages("Measuring", 1)
        row: dict[str, Any] = {
            "case": name,
            "dimensions": len(result.density.parameters),
            "seconds_sampling": sampling,
            "sampling": dict(whole.record),
            "seconds_training": result.seconds[0],
            "steps": result.trained.history.steps[-1],
        }
        row |= calibrated(result, whole) if case.conditional else compared(result, whole, teacher)
        row |= fast(result, whole)
        if case.workspace[0] and not case.conditional:
            stages("Asking pyhf", 1)
            folder, background, patchset, patch = case.workspace
            peer = search_problem(data / folder / background, data / folder / patchset, patch)
            row["interval"] = intervals(result.density, peer, "mu_SIG", whole.training.values)
        return row | {"validation": validate(result.bundle).status}


def shortened(whole: Sampled) -> Sampled:
    """The same with as many held-out draws as go into a bundle."""
    few, heldout, conditions = slice(_IN_BUNDLE), whole.heldout, whole.conditions
    log_density = None if heldout.log_density is None else heldout.log_density[few]
    return replace(
        whole,
        heldout=replace(heldout, values=heldout.values[few], log_density=log_density),
        conditions=None if conditions is None else replace(conditions, heldout=conditions.heldout[few]),
    )


def compared(result: DensityResult, whole: Sampled, teacher: DensityTeacher) -> dict[str, Any]:
    """Distances to the truth, and errors of the log density."""
    density, points = result.density, whole.heldout.values
    error = density_errors(density, read_density_heldout(density.bundle))
    base = base_space_test(result.trained.flow.base(points[density.in_bounds(points)]))
    return {
        "metrics": distances(density, points, 2000),
        "base_space": asdict(base),
        "ess_fraction": importance(teacher, density, 20_000),
        "ess_fraction_at_truth": None if error is None else effective_fraction(error),
        "log_density_error_std": None if error is None else float(np.std(error)),
    }


def calibrated(result: DensityResult, whole: Sampled) -> dict[str, Any]:
    """Ranks of true parameters among draws under what was seen at them."""
    assert whole.conditions is not None
    points, given = whole.heldout.values[:_EXPERIMENTS], whole.conditions.heldout[:_EXPERIMENTS]
    found = rank_calibration(result.density, points, given)
    p_values = dict(zip(found.names, found.p_values.tolist(), strict=True))
    interest = [item.name for item in whole.heldout.parameters if item.role == "poi"]
    return {
        "calibration": {
            "experiments": len(points),
            "draws": found.draws,
            "p_values_of_interest": {name: p_values[name] for name in interest},
            "smallest_p_value": min(p_values.values()),
            "common_p_value": found.common_p_value,
        }
    }


def fast(result: DensityResult, whole: Sampled) -> dict[str, Any]:
    """Agreement of the graphs with the flow, and their speed."""
    density, points = result.density, whole.heldout.values
    given = None if whole.conditions is None else whole.conditions.heldout
    inside = np.flatnonzero(density.in_bounds(points))
    rows = np.resize(inside, 100_000)
    many, under = points[rows], None if given is None else given[rows]
    noise = np.random.default_rng(3).standard_normal((10_000, points.shape[1]))
    few, first = (None if given is None else given[at] for at in (slice(len(noise)), inside[:2000]))
    return {
        "onnx_max_rel_error": deviation(result, points[inside[:2000]], first),
        "log_prob_points_per_second": speed(lambda: density.log_prob(many, under), len(many)),
        "samples_per_second": speed(lambda: density.sample_from(noise, few), len(noise)),
    }


@click.command()
@click.option("--case", "names", type=click.Choice(list(CASES)), multiple=True, required=True)
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder in which the bundles stay.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def main(names: tuple[str, ...], data: Path, keep: Path | None, seed: int, form: str) -> None:
    """Sample, train, export and evaluate."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        out = keep or Path(folder)
        out.mkdir(exist_ok=True)
        for name in names:
            row = measured(name, data, out, seed)
            rows.append(row)
            if form == "text":
                for key, value in row.items():
                    if key != "metrics":
                        click.echo(f"{key:28s} {value}")
                for metric, item in row.get("metrics", {}).items():
                    spread = "" if item["null_std"] is None else f" ± {item['null_std']:.2g}"
                    numbers = f"{item['value']:.4g}, null {item['null']:.4g}{spread}"
                    click.echo(f"  {metric:26s} {numbers}")
    if form == "json":
        json.dump(rows if len(rows) > 1 else rows[0], sys.stdout, indent=2)


if __name__ == "__main__":
    main()
