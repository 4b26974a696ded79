"""The whole way from samples of a density to a bundle, on one page.

    samples -> flow -> graphs -> bundle

Where the samples come from is somebody else's business: a teacher's own sampler, `llb_trainer.mcmc`, a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llb.bundle import check_target
from llb.runtime import Density, load_density
from llb_trainer.chains import Conditions, ParameterSamples, lower_bounds, upper_bounds
from llb_trainer.export.density import DensityEmission, emit_density, sample_domain
from llb_trainer.export.emit import Identity
from llb_trainer.flows import FlowRecipe, TrainedFlow, train_flow
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities import PriorFactor

__all__ = ["DensityResult", "Sampled", "learn_density"]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Samples of a posterior, conditional or not, and what is known of it.

    Attributes:
        training: what the flow learns from; part of them stops it early.
        heldout: independent draws that it never sees.
        source: what they were drawn from.
        text: the same in words, for people.
        prior: one factor per parameter.
        log_normalisation: what the log density of `heldout` lacks to be normalised, None if nobody knows.
        record: how they were made, as JSON.
        conditions: what each sample was drawn under, if the density is conditional.
    """

    training: ParameterSamples
    heldout: ParameterSamples
    source: Source
    text: str
    prior: tuple[PriorFactor, ...]
    log_normalisation: float | None = None
    record: Mapping[str, Any] = field(default_factory=dict[str, Any])
    conditions: Conditions | None = None


@dataclass(frozen=True, eq=False)
class DensityResult:
    """What came of it.

    Attributes:
        bundle: path of the bundle.
        density: the bundle, loaded.
        trained: the flow.
        seconds: time taken by the training and by the writing.
    """

    bundle: Path
    density: Density
    trained: TrainedFlow
    seconds: tuple[float, float]


def learn_density(
    sampled: Sampled,
    identity: Identity,
    out: Path,
    *,
    recipe: FlowRecipe | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> DensityResult:
    """Turn samples into a bundle of the family `full_likelihood`.

    Args:
        sampled: the samples.
        identity: what the bundle is called.
        out: where it goes; a directory or, by its suffix, an archive.
        recipe: of the training; the default one if None.
        overwrite: whether a bundle at `out` may be replaced.
        progress: told how many steps of the training were taken since the last call.

    Raises:
        FindingError: as `train_flow` and `emit_density`; nothing is written then.
    """
    check_target(out, overwrite=overwrite)
    settings, parameters = recipe or FlowRecipe(), sampled.training.parameters
    began = time.monotonic()
    trained = train_flow(
        sampled.training.values,
        settings,
        lower=lower_bounds(parameters),
        upper=upper_bounds(parameters),
        condition=None if sampled.conditions is None else sampled.conditions.training,
        # Beside the bundle, so that a training that was killed goes on when the same is asked for again.
        checkpoints=out.with_name(f".{out.name}.training"),
        progress=progress,
    )
    learned = time.monotonic()
    emission = DensityEmission(
        identity=identity,
        source=sampled.source,
        text=sampled.text,
        prior=sampled.prior,
        trained=trained,
        recipe=settings,
        domain=sample_domain(sampled.training),
        heldout=sampled.heldout,
        log_normalisation=sampled.log_normalisation,
        sampled=sampled.record,
        conditions=sampled.conditions,
    )
    density = load_density(emit_density(out, emission, overwrite=overwrite))
    return DensityResult(out, density, trained, (learned - began, time.monotonic() - learned))
