"""The cases of `densities.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llb_trainer.flows import FlowRecipe
from llb_trainer.teachers.densities import (
    DensityTeacher,
    electroweak_like,
    flavour_like,
    histfactory_density,
    read_toy,
)

__all__ = ["CASES", "Case"]


@dataclass(frozen=True)
class Case:
    """What is learned, from how many samples, and how.

    Attributes:
        teacher: opens it, given the folder of published data.
        training, heldout: samples.
        recipe: of the flow.
        workspace: folder, workspace, patchset and signal, if it is of one.
        conditional: whether experiments are simulated, and all counts learned at once.
    """

    teacher: Callable[[Path], Any]
    training: int
    heldout: int
    recipe: FlowRecipe
    workspace: tuple[str, str, str, str] = ("", "", "", "")
    conditional: bool = False


SPLINE = FlowRecipe(kind="spline", learning_rate=1e-3, patience=0)
STAU = (
    "ATLAS-SUSY-2018-04",
    "Region-combined_BkgOnly.json",
    "Region-combined_patchset.json",
    "DS_440_80_Staus",
)
SBOTTOM = ("ATLAS-SUSY-2018-31", "RegionA_BkgOnly.json", "RegionA_patchset.json", "sbottom_1000_131_1")


def workspace(names: tuple[str, str, str, str], **options: Any) -> Callable[[Path], DensityTeacher]:
    folder, background, patchset, patch = names
    return lambda data: histfactory_density(
        data / folder / background, patchset=data / folder / patchset, patch=patch, **options
    )


CASES = {
    # As many held-out samples as the paper has, twice: its intervals are compared at their noise.
    "toy": Case(
        lambda data: read_toy(data / "toy" / "toy_likelihood_data.json"), 200_000, 400_000, FlowRecipe()
    ),
    "electroweak": Case(lambda _: electroweak_like(), 200_000, 40_000, SPLINE),
    "flavour": Case(lambda _: flavour_like(), 200_000, 40_000, SPLINE),
    "stau": Case(workspace(STAU), 120_000, 20_000, SPLINE, STAU),
    "counts": Case(
        workspace(SBOTTOM, limits={"mu_SIG": (0.0, 5.0), "mu_ttbar": (0.2, 2.0)}),
        400_000,
        20_000,
        SPLINE,
        SBOTTOM,
        conditional=True,
    ),
}
