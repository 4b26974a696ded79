"""The whole way from a teacher of ln L to a bundle that anyone can maximise or sample, on one page.

    samples -> points -> values and gradients -> regression -> graphs -> bundle

The sibling of `llb_trainer.density_pipeline`, with supervision: it needs the teacher, not only its samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llb.bundle import check_target
from llb.runtime import Density, load_density
from llb_schema import FindingError, finding
from llb_trainer.chains import ParameterSamples
from llb_trainer.export.emit import Identity
from llb_trainer.export.regression import RegressionEmission, emit_regression
from llb_trainer.regression import (
    RegressionRecipe,
    TrainedRegression,
    label_points,
    target_function,
    train_regression,
)
from llb_trainer.teachers.densities import DensityTeacher

__all__ = ["RegressionResult", "learn_regression"]


@dataclass(frozen=True, eq=False)
class RegressionResult:
    """What came of it.

    Attributes:
        bundle: path of the bundle.
        density: the bundle, loaded.
        trained: the regression.
        seconds: time taken by labels and training, and by the writing.
    """

    bundle: Path
    density: Density
    trained: TrainedRegression
    seconds: tuple[float, float]


def learn_regression(
    teacher: DensityTeacher,
    training: ParameterSamples,
    heldout: ParameterSamples,
    identity: Identity,
    out: Path,
    *,
    text: str = "",
    sampled: Mapping[str, Any] | None = None,
    recipe: RegressionRecipe | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> RegressionResult:
    """Turn a teacher into a bundle of the family `parameter_likelihood`.

    Args:
        teacher: of ln L and its gradient.
        training: draws of its posterior; points along rays and profiles are made from them.
        heldout: independent draws, of which the bundle's claims are computed.
        identity: what the bundle is called.
        out: where it goes; a directory or, by its suffix, an archive.
        text: what the teacher is, in words, for people; its name if "".
        sampled: how the draws were made, as JSON.
        recipe: of the training; the default one if None.
        overwrite: whether a bundle at `out` may be replaced.
        progress: told how many steps of the training were taken since the last call.

    Raises:
        FindingError: LLB-T050 the samples have other parameters than the teacher, or ln L is finite at no
            held-out draw; and as `train_regression` and `emit_regression`. Nothing is written then.
    """
    check_target(out, overwrite=overwrite)
    settings, names = recipe or RegressionRecipe(), tuple(item.name for item in teacher.parameters)
    if training.names != names or heldout.names != names:
        message = "the samples cannot be learned: their parameters are not the teacher's"
        raise FindingError(finding("LLB-T050", message, expected=", ".join(names)[:200]))
    began = time.monotonic()
    # First: what cannot be checked need not be trained.
    truth = label_points(target_function(teacher, settings.target), heldout.values)
    if not len(truth):
        message = "the samples cannot be learned: ln L is finite at no held-out draw"
        raise FindingError(finding("LLB-T050", message))
    trained = train_regression(
        teacher,
        training.values,
        settings,
        # Beside the bundle, so that a training that was killed goes on when the same is asked for again.
        checkpoints=out.with_name(f".{out.name}.training"),
        progress=progress,
    )
    learned = time.monotonic()
    emission = RegressionEmission(
        identity=identity,
        source=teacher.source,
        text=text or teacher.name,
        parameters=teacher.parameters,
        trained=trained,
        recipe=settings,
        heldout=truth,
        sampled=sampled or {},
    )
    density = load_density(emit_regression(out, emission, overwrite=overwrite))
    return RegressionResult(out, density, trained, (learned - began, time.monotonic() - learned))
