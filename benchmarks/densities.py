"""How good a learned density gets, and in what time: samples, flow, bundle, case by case.

    uv run python benchmarks/densities.py --case toy [--format json] [--keep DIR]

| case | density | samples |
|---|---|---|
| toy | the LHC-like toy in 95 parameters | NUTS |
| electroweak, flavour | stand-ins for the fits in 40 and 89 parameters | exact |
| stau | ATLAS-SUSY-2018-04 with a published signal: mu and its nuisances | NUTS |

Distances are those of CLAIM-4 on standardised samples, each beside the same distance between two samples of
the truth; names that begin with `paper_` are those of arXiv:2309.09743 by its own definitions, in physical
units.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from searches import DATA

from llb.bundle import Analysis, Author
from llb.cli.progress import Stages
from llb.evaluation import density_errors, effective_fraction, read_density_heldout
from llb.evaluation.null_tests import Sample, Scale, compare_with_null
from llb.evaluation.paper_metrics import paper_metrics
from llb.runtime import Density
from llb.validation import validate
from llb_trainer.chains import ParameterSamples
from llb_trainer.density_pipeline import DensityResult, Sampled, learn_density
from llb_trainer.export.emit import Identity
from llb_trainer.flows import FlowRecipe
from llb_trainer.mcmc import DensitySampler, NutsSettings
from llb_trainer.teachers.densities import (
    DensityTeacher,
    ExactSampler,
    electroweak_like,
    flavour_like,
    histfactory_density,
    read_toy,
)

Floats = NDArray[np.float64]

_IN_BUNDLE = 4000
"""Held-out draws that go into the bundle; more are kept here."""
_REPETITIONS = 20
_BLOCK = 4096


@dataclass(frozen=True)
class Case:
    """What is learned, from how many samples, and how.

    Attributes:
        teacher: opens it, given the folder of published data.
        training, heldout: samples.
        recipe: of the flow.
        chains: Markov chains, each sample of a chain after `thin` steps.
        thin: see there.
    """

    teacher: Callable[[Path], DensityTeacher]
    training: int
    heldout: int
    recipe: FlowRecipe
    chains: int = 32
    thin: int = 1


SPLINE = FlowRecipe(kind="spline", learning_rate=1e-3, patience=0)

CASES = {
    "toy": Case(
        lambda data: read_toy(data / "toy" / "toy_likelihood_data.json"), 200_000, 40_000, FlowRecipe()
    ),
    "electroweak": Case(lambda _: electroweak_like(), 200_000, 40_000, SPLINE),
    "flavour": Case(lambda _: flavour_like(), 200_000, 40_000, SPLINE),
    "stau": Case(
        lambda data: histfactory_density(
            data / "ATLAS-SUSY-2018-04" / "Region-combined_BkgOnly.json",
            patchset=data / "ATLAS-SUSY-2018-04" / "Region-combined_patchset.json",
            patch="DS_440_80_Staus",
        ),
        100_000,
        20_000,
        FlowRecipe(),
    ),
}


def samples_of(case: Case, teacher: Any, seed: int) -> tuple[ParameterSamples, ParameterSamples]:
    """Training and held-out samples, the latter from chains of their own."""
    if hasattr(teacher, "samples"):
        exact: ExactSampler = teacher
        return exact.samples(case.training, seed), exact.samples(case.heldout, seed + 1)
    sampler = DensitySampler(teacher, NutsSettings(thin=case.thin))
    parts = [
        sampler.run(n, chains=case.chains, seed=seed + number).samples
        for number, n in enumerate((case.training, case.heldout))
    ]
    # Neighbours in a chain are alike: batches and halves take them from everywhere.
    order = np.random.default_rng(seed).permutation(len(parts[1].values))
    return parts[0], chosen(parts[1], order)


def chosen(samples: ParameterSamples, rows: NDArray[np.intp]) -> ParameterSamples:
    log_density = None if samples.log_density is None else samples.log_density[rows]
    return ParameterSamples(samples.parameters, samples.values[rows], log_density)


def importance(teacher: DensityTeacher, density: Density, count: int) -> float:
    """The effective fraction of draws of the flow, weighted to the teacher's density."""
    drawn = density.sample(count, seed=7)
    drawn = drawn[density.in_bounds(drawn)]
    with jax.enable_x64(True):
        many = jax.jit(jax.vmap(teacher.log_density))
        blocks = np.resize(drawn, (-(-len(drawn) // _BLOCK), _BLOCK, drawn.shape[1]))
        truth = np.concatenate([np.asarray(many(jnp.asarray(block))) for block in blocks])[: len(drawn)]
    weight = np.nan_to_num(truth, nan=-np.inf) - density.log_prob(drawn)
    weight = np.exp(weight - weight.max())
    return float(weight.sum() ** 2 / (count * np.sum(weight**2)))


def distances(density: Density, heldout: Floats, batch: int) -> dict[str, dict[str, float | None]]:
    """All metrics with their nulls."""
    count = len(heldout) // 2
    drawn = density.sample(count, seed=11)
    scale = Scale.of(heldout)
    samples = [Sample(scale.apply(points), density.log_prob(points)) for points in (drawn, heldout)]
    found: dict[str, dict[str, float | None]] = {
        item.quantity: {"value": item.value, "null": item.null, "null_std": item.null_std}
        for item in compare_with_null(samples[0], samples[1], repetitions=_REPETITIONS)
    }
    batches = max(1, count // batch)
    paper = [
        paper_metrics(one, heldout[:count], batches=batches) for one in (drawn, heldout[count : 2 * count])
    ]
    value, null = paper
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


def deviation(result: DensityResult, points: Floats) -> float:
    """Largest difference of the graphs from the flow, relative to 1 + |ln p| or to the samples' widths."""
    flow, density = result.trained.flow, result.density
    expected = flow.log_prob(points)
    noise = np.random.default_rng(5).standard_normal(points.shape)
    of_log = np.abs(density.log_prob(points) - expected) / (1.0 + np.abs(expected))
    of_samples = np.abs(density.sample_from(noise) - flow.sample(noise)) / points.std(axis=0)
    return float(max(of_log.max(), of_samples.max()))


def measured(name: str, data: Path, out: Path, seed: int) -> dict[str, Any]:
    """One case, from its samples to a validated bundle."""
    case = CASES[name]
    with Stages() as stages:
        stages("Sampling", 1)
        began = time.monotonic()
        teacher = case.teacher(data)
        training, heldout = samples_of(case, teacher, seed)
        sampling = time.monotonic() - began
        told = stages("Training the flow", case.recipe.steps)
        sampled = Sampled(
            training,
            chosen(heldout, np.arange(_IN_BUNDLE)),
            teacher.source,
            f"{teacher.name}, sampled by {'its own exact draws' if hasattr(teacher, 'samples') else 'NUTS'}.",
            teacher.prior,
            teacher.log_normalisation,
            {"seed": seed, "training": case.training, "heldout": case.heldout},
        )
        author = (Author("The LLB developers"),)
        identity = Identity(name, f"The case {name}", author, Analysis(teacher.name))
        result = learn_density(
            sampled, identity, out / f"{name}.llb", recipe=case.recipe, overwrite=True, progress=told
        )
        stages("Measuring", 1)
        density, points = result.density, heldout.values
        inside = density.in_bounds(points)
        error = density_errors(density, read_density_heldout(density.bundle))
        many = np.resize(points[inside], (100_000, points.shape[1]))
        noise = np.random.default_rng(3).standard_normal((10_000, points.shape[1]))
        return {
            "case": name,
            "dimensions": points.shape[1],
            "seconds_sampling": sampling,
            "seconds_training": result.seconds[0],
            "steps": result.trained.history.steps[-1],
            "metrics": distances(density, points, 2000),
            "ess_fraction": importance(teacher, density, 20_000),
            "ess_fraction_at_truth": None if error is None else effective_fraction(error),
            "log_density_error_std": None if error is None else float(np.std(error)),
            "onnx_max_rel_error": deviation(result, points[:2000]),
            "log_prob_points_per_second": speed(lambda: density.log_prob(many), len(many)),
            "samples_per_second": speed(lambda: density.sample_from(noise), len(noise)),
            "validation": validate(result.bundle).status,
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
                for metric, item in row["metrics"].items():
                    spread = "" if item["null_std"] is None else f" ± {item['null_std']:.2g}"
                    numbers = f"{item['value']:.4g}, null {item['null']:.4g}{spread}"
                    click.echo(f"  {metric:26s} {numbers}")
    if form == "json":
        json.dump(rows if len(rows) > 1 else rows[0], sys.stdout, indent=2)


if __name__ == "__main__":
    main()
