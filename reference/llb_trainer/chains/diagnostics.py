"""How far to trust Markov chains: rank-normalised split R-hat, and effective sample sizes.

Vehtari, Gelman, Simpson, Carpenter, Buerkner, Bayesian Analysis 16 (2021) 667 (arXiv:1903.08008), as ArviZ
computes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, finding, number_to_json
from llb_trainer.chains.samples import ParameterSamples

__all__ = ["Diagnostics", "diagnose"]

Floats = NDArray[np.float64]

R_HAT, ESS = 1.01, 400.0
"""Largest R-hat and smallest effective sample size of chains that count as converged, as in the paper."""

_TAILS = (0.05, 0.95)
"""Quantiles whose effective sample size stands for the tails'."""


@dataclass(frozen=True, eq=False)
class Diagnostics:
    """Diagnostics of chains, by parameter.

    Attributes:
        names: (D,) parameters.
        chains, draws: how many chains, and draws of each.
        r_hat: (D,) rank-normalised split R-hat: 1 where chains have forgotten their starts.
        ess_bulk: (D,) independent samples that the chains are worth for the middle of the distribution.
        ess_tail: (D,) the same for its 5 % and 95 % quantiles.
        divergences: steps of the sampler that left the region where its integrator holds; 0 if nobody knows.
    """

    names: tuple[str, ...]
    chains: int
    draws: int
    r_hat: Floats
    ess_bulk: Floats
    ess_tail: Floats
    divergences: int = 0

    def findings(self, pointer: str = "", *, r_hat: float = R_HAT, ess: float = ESS) -> tuple[Finding, ...]:
        """What speaks against the chains.

        Args:
            pointer: where they come from.
            r_hat: largest R-hat of a parameter.
            ess: smallest effective sample size of a parameter, in the bulk and in the tails.

        Returns:
            LLB-L221 chains disagree, or never moved; LLB-L222 too few effective samples; LLB-L223, a warning,
            steps diverged.
        """
        found: list[Finding] = []
        # `not <=`: a parameter that never moved has no R-hat
        apart = ~(self.r_hat <= r_hat)
        if apart.any():
            worst = int(np.argmax(np.where(np.isnan(self.r_hat), np.inf, self.r_hat)))
            found.append(
                finding(
                    "LLB-L221",
                    f"the chains of {int(apart.sum())} of {len(self.names)} parameters disagree, "
                    f"most of {self.names[worst]}: R-hat {self.r_hat[worst]:.4g}",
                    pointer=pointer,
                    expected=f"at most {r_hat}",
                    actual=f"{self.r_hat[worst]:.4g}",
                )
            )
        least = np.fmin(self.ess_bulk, self.ess_tail)
        few = ~(least >= ess)
        if few.any():
            worst = int(np.argmin(np.where(np.isnan(least), -np.inf, least)))
            found.append(
                finding(
                    "LLB-L222",
                    f"{int(few.sum())} of {len(self.names)} parameters have too few effective samples, "
                    f"fewest {self.names[worst]}: {least[worst]:.0f}",
                    pointer=pointer,
                    expected=f"at least {ess:g}",
                    actual=f"{least[worst]:.0f}",
                )
            )
        if self.divergences:
            found.append(
                finding(
                    "LLB-L223",
                    f"{self.divergences} of {self.chains * self.draws} draws followed a step that diverged",
                    pointer=pointer,
                    actual=self.divergences,
                )
            )
        return tuple(found)

    def summary(self) -> dict[str, float | int | None]:
        """The worst of each, as JSON; None where it could not be computed."""
        worst = {
            "r_hat": float(np.max(self.r_hat)),
            "ess_bulk": float(np.min(self.ess_bulk)),
            "ess_tail": float(np.min(self.ess_tail)),
        }
        finite = {name: number_to_json(value) for name, value in worst.items()}
        return {**finite, "divergences": self.divergences}


def diagnose(samples: ParameterSamples, divergences: int = 0) -> Diagnostics:
    """Diagnostics of samples with chain numbers, in the order in which the chains were made.

    Without chain numbers the samples are taken for one chain: halves of it are compared. Chains of fewer than
    four draws have no diagnostics: all are NaN.

    Args:
        samples: finite ones.
        divergences: as the sampler counted them.
    """
    # its import is not free, and only who asks for diagnostics has to pay for it
    from arviz_stats.base.array import array_stats

    chains = samples.by_chain()
    count, draws, wide = chains.shape
    nothing = np.full(wide, np.nan)
    r_hat, bulk, tail = nothing, nothing.copy(), nothing.copy()
    moved = np.ptp(chains, axis=(0, 1)) > 0 if chains.size else np.zeros(wide, dtype=bool)
    if draws >= 4:
        r_hat, bulk, tail = (part.copy() for part in (r_hat, bulk, tail))
        for column in np.flatnonzero(moved):
            one = np.ascontiguousarray(chains[:, :, column])
            r_hat[column] = array_stats.rhat(_at_least_two(one), method="rank")
            bulk[column] = array_stats.ess(one, method="bulk")
            tail[column] = array_stats.ess(one, method="tail", prob=_TAILS)
    return Diagnostics(samples.names, count, draws, r_hat, bulk, tail, divergences)


def _at_least_two(chains: Floats) -> Floats:
    """The chains (chains, draws), halves of it if there is but one: ArviZ compares no chain with itself."""
    half = chains.shape[1] // 2
    return np.stack([chains[0, :half], chains[0, -half:]]) if len(chains) == 1 else chains
