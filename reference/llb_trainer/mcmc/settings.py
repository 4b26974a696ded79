"""What decides a run of chains besides the density, how many draws, and the seed."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NutsSettings"]


@dataclass(frozen=True)
class NutsSettings:
    """Settings of the sampler.

    Attributes:
        warm_up: draws of each chain in which step size and diagonal metric adapt, and which are thrown away.
        acceptance: what the step size aims for.
        doublings: a trajectory has at most two to this power steps.
        dispersion: width of the starts around the mode, in standard deviations of its Laplace approximation:
            more than 1, so that chains which agree in the end have forgotten where they began.
        thin: of so many draws one is kept.
        r_hat: largest R-hat of a parameter in chains that count as converged.
        ess: smallest effective sample size of a parameter, in the bulk and in the tails.
    """

    warm_up: int = 500
    acceptance: float = 0.8
    doublings: int = 10
    dispersion: float = 1.5
    thin: int = 1
    r_hat: float = 1.01
    ess: float = 400.0
