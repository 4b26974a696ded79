"""The interval of the parameter of interest: of a density's bundle, and of pyhf's own profile likelihood."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
from numpy.typing import NDArray

from llb.evaluation import central_intervals
from llb.runtime import Density, profile_density
from llb_trainer.peer import KnownOptimum, PeerProblem, PeerSearch, patched_problem
from llb_trainer.peer.fits import OBSERVED, ProfileFits
from llb_trainer.peer.quiet import numpy_pyhf

__all__ = ["intervals", "search_problem"]

Floats = NDArray[np.float64]

_DROPS = {"68": 0.5, "95": 1.92}
_POINTS = 21


def search_problem(workspace: Path, patchset: Path, patch: str) -> PeerProblem:
    """pyhf's model of a workspace with a signal of a patchset, all of the patch in it."""
    search = PeerSearch(json.loads(workspace.read_bytes()))
    return patched_problem(search, pyhf.PatchSet(json.loads(patchset.read_bytes()))[patch].patch)


def lowest_nll(problem: PeerProblem, mu: float, near: Mapping[str, float]) -> float:
    """The lowest NLL at a signal strength that pyhf's minimiser reaches, a point of somebody else's known."""
    config = problem.model.config
    vector = tuple(
        near.get(name, value) for name, value in zip(config.par_names, config.suggested_init(), strict=True)
    )
    known = KnownOptimum(OBSERVED, mu, vector)
    with numpy_pyhf():
        return ProfileFits(problem, [known]).fixed(OBSERVED, mu).nll


def intervals(density: Density, peer: PeerProblem, parameter: str, draws: Floats) -> dict[str, Any]:
    """Intervals of the parameter of interest, (lower, upper) each.

    Args:
        density: a posterior under flat priors and constraint terms.
        peer: pyhf's model of the same likelihood.
        parameter: its name.
        draws: (n, D) of the truth, for the marginal interval.

    Returns:
        `profile`: of the bundle's likelihood, prior divided out, and what speaks against it
        (`profile_findings`); `pyhf`: the same by pyhf's fits;
        `marginal` and `marginal_truth`: central credible intervals; `largest_difference`: of the two
        profiles, in NLL units, where pyhf's is at most 3 above its minimum.
    """
    column = density.parameters.index(parameter)
    drawn = density.sample(100_000, seed=5)
    top = float(np.quantile(drawn[:, column], 0.9995))
    values = np.linspace(density.manifest.domain.lower[column], top, _POINTS)
    found = profile_density(density, parameter, values, divide_prior=True)
    points = [dict(zip(density.parameters, point, strict=True)) for point in found.points.tolist()]
    theirs = np.array([lowest_nll(peer, float(mu), near) for mu, near in zip(values, points, strict=True)])
    exact = theirs - theirs.min()
    counted = exact <= 3.0
    ours = found.drop
    return {
        "profile": {name: found.intervals(drop) for name, drop in _DROPS.items()},
        "profile_findings": [item.code for item in found.findings],
        "pyhf": {name: _crossings(values, exact, drop) for name, drop in _DROPS.items()},
        "marginal": _marginal(drawn[:, column]),
        "marginal_truth": _marginal(draws[:, column]),
        "largest_difference": float(np.abs(ours - exact)[counted].max()),
    }


def _crossings(values: Floats, height: Floats, drop: float) -> tuple[float, float]:
    """Where straight lines between the values cross, the first and the last time; an end is an end."""
    inside = np.flatnonzero(height <= drop)
    first, last = int(inside[0]), int(inside[-1])

    def between(a: int, b: int) -> float:
        part = (drop - height[a]) / (height[b] - height[a])
        return float(values[a] + part * (values[b] - values[a]))

    low = between(first, first - 1) if first > 0 else float(values[0])
    high = between(last, last + 1) if last + 1 < len(values) else float(values[-1])
    return low, high


def _marginal(values: Floats) -> dict[str, list[float]]:
    return {
        name: central_intervals(values[:, None], part)[:, 0].tolist()
        for name, part in (("68", 0.6827), ("95", 0.95))
    }
