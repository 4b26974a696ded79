"""From a density teacher to samples that can be trusted, or to the findings that say why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, finding, has_errors
from llb_trainer.chains.diagnostics import Diagnostics, diagnose
from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.chains.samples import ParameterSamples
from llb_trainer.mcmc.modes import Laplace, laplace
from llb_trainer.mcmc.nuts import Nuts
from llb_trainer.mcmc.settings import NutsSettings
from llb_trainer.mcmc.unconstrained import Unconstrained
from llb_trainer.teachers.densities.blocks import in_blocks
from llb_trainer.teachers.densities.contract import DensityTeacher

__all__ = ["DensitySampler", "SampledDensity", "sample_density"]

Floats = NDArray[np.float64]

_HALVINGS = 30
"""How often a start of density zero is moved half the way to the mode."""


@dataclass(frozen=True, eq=False)
class SampledDensity:
    """Samples of a density and how they were made.

    Attributes:
        samples: chain after chain, with log density and chain numbers.
        diagnostics: R-hat and effective sample sizes, by parameter.
        findings: what speaks against the samples, warnings as well.
        mode: (D,) where the chains started around, in physical units.
        acceptance: mean acceptance of the proposals.
        steps: gradients that the draws took.
    """

    samples: ParameterSamples
    diagnostics: Diagnostics
    findings: tuple[Finding, ...]
    mode: Floats
    acceptance: float
    steps: int


@dataclass(frozen=True, eq=False)
class DensitySampler:
    """The sampler of one teacher: mode, coordinates and programs are found once, and serve every run.

    Chains that start around one mode do not tell of another that none of them ever reaches: where several are
    expected, start chains in each.

    Attributes:
        teacher: the density.
        settings: of the sampler.
    """

    teacher: DensityTeacher
    settings: NutsSettings = field(default_factory=NutsSettings)

    def run(
        self,
        n: int,
        *,
        chains: int = 16,
        seed: int = 0,
        starts: Floats | None = None,
        keep: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> SampledDensity:
        """Sample with NUTS from around the mode.

        Args:
            n: samples, rounded up to as many from each chain.
            chains: that run at once.
            seed: of everything random; the same gives the same samples on the same machine.
            starts: (chains, D) where chains start, in physical units; around the mode if None.
            keep: whether samples that did not converge are handed on, with their findings, and not refused.
            progress: told how many draws of all chains are done, and how many there will be.

        Raises:
            FindingError: LLB-L220 there is no mode to start from, or a start has density zero; LLB-L221 the
                chains disagree; LLB-L222 too few effective samples. The last two only if not `keep`.
        """
        parameters = self.teacher.parameters
        count = chains if starts is None else len(starts)
        with jax.enable_x64(True):
            first = self._around_mode(count, seed) if starts is None else self._given(starts)
            run = self._nuts.run(first, -(-n // count), seed, progress)
            values = in_blocks(self._physical, run.positions.reshape(-1, len(parameters)))
            # the exponential of a logarithm may end a last digit beyond a wall
            values = np.clip(values, lower_bounds(parameters), upper_bounds(parameters))
            log_density = in_blocks(self._log_density, values)
            mode = np.asarray(self._change.physical(jnp.asarray(self._peak.mode)))
        chain = np.repeat(np.arange(count, dtype=np.int64), run.positions.shape[1])
        samples = ParameterSamples(parameters, values, log_density, chain)
        diagnostics = diagnose(samples, run.divergences)
        name, limits = self.teacher.name, self.settings
        found = diagnostics.findings(name, r_hat=limits.r_hat, ess=limits.ess)
        if has_errors(found) and not keep:
            raise FindingError(found)
        return SampledDensity(samples, diagnostics, found, mode, run.acceptance, run.steps)

    @cached_property
    def _change(self) -> Unconstrained:
        return Unconstrained.of(self.teacher.parameters)

    def _free_density(self, x: Array) -> Array:
        """Logarithm of the density of the free numbers."""
        value = self.teacher.log_density(self._change.physical(x)) + self._change.log_jacobian(x)
        return jnp.where(jnp.isnan(value), -jnp.inf, value)

    @cached_property
    def _peak(self) -> Laplace:
        return laplace(self._free_density, self._change.free(self.teacher.start))

    def _unrounded(self, q: Array) -> Array:
        """Free numbers (D,) of round coordinates (D,)."""
        return jnp.asarray(self._peak.mode) + jnp.asarray(self._peak.root) @ q

    @cached_property
    def _nuts(self) -> Nuts:
        return Nuts(lambda q: self._free_density(self._unrounded(q)), self.settings)

    @cached_property
    def _density(self) -> Callable[[Array], Array]:
        return jax.jit(jax.vmap(self._nuts.log_density))

    @cached_property
    def _physical(self) -> Callable[[Array], Array]:
        return jax.jit(jax.vmap(lambda q: self._change.physical(self._unrounded(q))))

    @cached_property
    def _log_density(self) -> Callable[[Array], Array]:
        return jax.jit(jax.vmap(self.teacher.log_density))

    def _around_mode(self, chains: int, seed: int) -> Array:
        """Round coordinates around the mode; those of density zero come closer until they have one."""
        key = jax.random.fold_in(jax.random.key(seed), 1)
        starts = self.settings.dispersion * jax.random.normal(key, (chains, len(self._peak.mode)))
        for _ in range(_HALVINGS):
            good = jnp.isfinite(self._density(starts))
            if bool(good.all()):
                return starts
            starts = jnp.where(good[:, None], starts, 0.5 * starts)
        raise FindingError(finding("LLB-L220", "there is no density around its mode"))

    def _given(self, starts: Floats) -> Array:
        """Round coordinates of starts in physical units."""
        parameters = self.teacher.parameters
        inside = (starts >= lower_bounds(parameters)) & (starts <= upper_bounds(parameters))
        if inside.all():
            away = self._change.free(starts) - self._peak.mode
            first = jnp.asarray(np.linalg.solve(self._peak.root, away.T).T)
            if bool(jnp.isfinite(self._density(first)).all()):
                return first
        raise FindingError(finding("LLB-L220", "a chain would start where the density is zero"))


def sample_density(
    teacher: DensityTeacher,
    n: int,
    *,
    chains: int = 16,
    seed: int = 0,
    settings: NutsSettings | None = None,
    starts: Floats | None = None,
    keep: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SampledDensity:
    """Sample a density once, see `DensitySampler.run`."""
    sampler = DensitySampler(teacher, settings or NutsSettings())
    return sampler.run(n, chains=chains, seed=seed, starts=starts, keep=keep, progress=progress)
