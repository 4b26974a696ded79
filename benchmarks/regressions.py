"""How good a learned likelihood gets, and in what time: samples, points, regression, bundle, profile.

    uv run python benchmarks/regressions.py [--samples 20000] [--steps 15000] [--keep DIR]

The density is the LHC-like toy in 95 parameters, sampled by NUTS; factors of the prior count as constraint
terms. Errors are those of ln L at held-out draws, and of the profile of mu beside the teacher's own maxima,
which are found with the exact gradient.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from searches import DATA

from llb.bundle import Analysis, Author
from llb.cli.progress import Stages
from llb.runtime import profile_density
from llb.validation import validate
from llb_trainer.export.emit import Identity
from llb_trainer.mcmc import DensitySampler, NutsSettings
from llb_trainer.regression import RegressionRecipe, label_points, target_function
from llb_trainer.regression.points import profile_points
from llb_trainer.regression_pipeline import RegressionResult, learn_regression
from llb_trainer.teachers.densities import DensityTeacher, read_toy

_HELDOUT, _NODES = 4000, 25


def profile_errors(teacher: DensityTeacher, result: RegressionResult, values: Any) -> dict[str, float]:
    """How far the profile in the first parameter is from the exact one, in units of ln L."""
    regression = result.trained.regression
    function, known = target_function(teacher, "density"), regression.expansion
    nodes = known.physical(profile_points(function, known, teacher.parameters, values, _NODES, 1.0).points)
    exact = label_points(function, nodes[np.argsort(nodes[:, 0])])
    began = time.monotonic()
    found = profile_density(result.density, teacher.parameters[0].name, exact.points[:, 0])
    error = np.abs(found.log_density - exact.values)
    near = exact.values.max() - exact.values <= 2.0
    return {
        "seconds": time.monotonic() - began,
        "largest": float(error.max()),
        "largest_within_2": float(error[near].max()),
        "at_exact_maxima": float(np.abs(regression.log_prob(exact.points) - exact.values).max()),
    }


def measured(data: Path, out: Path, samples: int, seed: int, recipe: RegressionRecipe) -> dict[str, Any]:
    """The toy, from its samples to a validated bundle."""
    with Stages() as stages:
        stages("Sampling", 1)
        began = time.monotonic()
        teacher = read_toy(data / "toy" / "toy_likelihood_data.json")
        sampler = DensitySampler(teacher, NutsSettings())
        training, heldout = (
            sampler.run(n, seed=seed + number, keep=True).samples
            for number, n in enumerate((samples, _HELDOUT))
        )
        sampling = time.monotonic() - began
        told = stages("Training the regression", recipe.steps)
        identity = Identity("toy", "The toy", (Author("The LLB developers"),), Analysis(teacher.name))
        result = learn_regression(
            teacher,
            training,
            heldout,
            identity,
            out / "toy.llb",
            sampled={"seed": seed, "training": samples, "heldout": _HELDOUT},
            recipe=recipe,
            overwrite=True,
            progress=told,
        )
        stages("Measuring", 1)
        history = result.trained.history
        (metric,) = result.density.manifest.validation.metrics
        points = result.density.points(heldout.values)
        began_speed = time.perf_counter()
        result.density.log_prob(points)
        return {
            "samples": samples,
            "seconds_sampling": sampling,
            "seconds_training": result.seconds[0],
            "points": history.points,
            "error_of_log_likelihood": asdict(metric),
            "profile": profile_errors(teacher, result, training.values),
            "points_per_second": len(points) / (time.perf_counter() - began_speed),
            "validation": validate(result.bundle).status,
        }


@click.command()
@click.option("--data", type=click.Path(path_type=Path), default=DATA, help="Folder of the published models.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder in which the bundle stays.")
@click.option("--samples", type=int, default=20_000, show_default=True)
@click.option("--steps", type=int, default=RegressionRecipe.steps, show_default=True)
@click.option("--width", type=int, default=RegressionRecipe.width, show_default=True)
@click.option("--members", type=int, default=RegressionRecipe.members, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
def main(
    data: Path, keep: Path | None, samples: int, steps: int, width: int, members: int, seed: int
) -> None:
    """Sample, label, train, export and evaluate."""
    recipe = RegressionRecipe(target="density", steps=steps, width=width, members=members)
    with tempfile.TemporaryDirectory() as folder:
        out = keep or Path(folder)
        out.mkdir(exist_ok=True)
        json.dump(measured(data, out, samples, seed, recipe), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
