"""The interval of the parameter of interest: of a density's bundle, and of pyhf's own profile likelihood."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
from numpy.typing import NDArray

from llb.evaluation import central_intervals
from llb.runtime import Density, profile_density

__all__ = ["PyhfProfile", "intervals"]

Floats = NDArray[np.float64]

_DROPS = {"68": 0.5, "95": 1.92}
_POINTS = 21


@dataclass(frozen=True)
class PyhfProfile:
    """pyhf's profile likelihood of a workspace with a signal.

    Its minimiser is started at its own start and at points that somebody else has found, and the lowest of
    what it reaches counts: from its own start alone it misses minima (docs/fits.md).

    Attributes:
        model: pyhf's.
        data: observed and auxiliary.
        names: of the model's parameters.
    """

    model: Any
    data: list[float]
    names: tuple[str, ...]

    @classmethod
    def of(cls, workspace: Path, patchset: Path, patch: str) -> PyhfProfile:
        spec = pyhf.PatchSet(json.loads(patchset.read_bytes())).apply(
            json.loads(workspace.read_bytes()), patch
        )
        made = pyhf.Workspace(spec)
        model = made.model(
            modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
        )
        names: list[str] = []
        for name in model.config.par_order:
            count = model.config.param_set(name).n_parameters
            scalar = model.config.param_set(name).is_scalar
            names += [name] if scalar else [f"{name}[{i}]" for i in range(count)]
        return cls(model, made.data(model), tuple(names))

    def nll(self, mu: float, near: Sequence[dict[str, float]]) -> float:
        """The lowest NLL at a signal strength that pyhf's minimiser reaches."""
        found: list[float] = []
        for values in ({}, *near):
            start = [values.get(name, value) for name, value in zip(self.names, self._init, strict=True)]
            try:
                _, twice = pyhf.infer.mle.fixed_poi_fit(
                    mu, self.data, self.model, init_pars=start, return_fitted_val=True
                )
            except pyhf.exceptions.FailedMinimization:
                continue
            found.append(0.5 * float(twice))
        return min(found)

    @property
    def _init(self) -> list[float]:
        return self.model.config.suggested_init()


def intervals(density: Density, peer: PyhfProfile, parameter: str, draws: Floats) -> dict[str, Any]:
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
    theirs = np.array([peer.nll(float(mu), [near]) for mu, near in zip(values, points, strict=True)])
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
