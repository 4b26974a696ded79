"""What the signal's own systematic uncertainties, which a bundle does not learn, would change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llb_trainer.peer.fits import KnownOptimum, ProfileFits
from llb_trainer.peer.hypothesis import HypothesisTest
from llb_trainer.peer.problem import (
    PeerProblem,
    PeerSearch,
    patch_yields,
    patched_problem,
    signal_problem,
)
from llb_trainer.peer.quiet import numpy_pyhf

__all__ = ["SystematicsEffect", "signal_systematics_effect"]


@dataclass(frozen=True)
class SystematicsEffect:
    """Observed CLs of one signal under two signal models.

    Attributes:
        name: name of the signal.
        mu: signal strength of both.
        cls_full: with everything that the patch carries.
        cls_yields_only: nominal yields with the search's signal modifiers only.
    """

    name: str
    mu: float
    cls_full: float
    cls_yields_only: float


def signal_systematics_effect(
    search: PeerSearch,
    name: str,
    patch: Sequence[Mapping[str, Any]],
    mu: float = 1.0,
    optima: Sequence[KnownOptimum] = (),
) -> SystematicsEffect:
    """Observed CLs of a patch as published, and of its yields alone; pyhf's fits for both.

    Args:
        search: the search; its `signal_modifiers` define the second signal model.
        name: name of the signal.
        patch: the JSON patch, as in the patchset.
        mu: signal strength.
        optima: minima known for the yields alone; carried over by parameter name, they keep the
            fits of the published model from the wrong basin as well.

    Raises:
        FindingError: LLB-W050, a fit failed.
    """
    with numpy_pyhf():
        published, alone = patched_problem(search, patch), signal_problem(search, patch_yields(search, patch))
        carried = [_carried(item, alone, published) for item in optima]
        full, yields_only = (
            math.exp(HypothesisTest(ProfileFits(problem, known)).at(mu).log_cls)
            for problem, known in ((published, carried), (alone, optima))
        )
    return SystematicsEffect(name, mu, full, yields_only)


def _carried(optimum: KnownOptimum, source: PeerProblem, target: PeerProblem) -> KnownOptimum:
    """The same point in another model: shared parameters by name, the others at their start."""
    values = dict(zip(source.model.config.par_names, optimum.parameters, strict=True))
    names, start = target.model.config.par_names, target.model.config.suggested_init()
    parameters = (values.get(name, value) for name, value in zip(names, start, strict=True))
    return replace(optimum, parameters=tuple(parameters))
