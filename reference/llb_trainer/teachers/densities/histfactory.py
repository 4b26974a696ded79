"""A HistFactory workspace as a density of all its parameters, signal strength and nuisances.

The events and the likelihood are those of `llb_trainer.teachers.histfactory`, which agree with pyhf's; here
its parameters are the input instead of being profiled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from llb_schema import FindingError, finding
from llb_trainer.chains.parameters import Parameter
from llb_trainer.teachers.contract import Source, SourceChannel, SourceFile
from llb_trainer.teachers.densities.prior import PriorFactor
from llb_trainer.teachers.histfactory.compile import Constraints, compile_workspace
from llb_trainer.teachers.histfactory.datasets import DataSet, observed
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.rates import Data, events, nll
from llb_trainer.teachers.histfactory.workspace import Workspace, checked_workspace, read_workspace

__all__ = ["HistFactoryDensity", "histfactory_density"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_INSIDE = 0.01
"""How far from its bounds a start lies at least, as a fraction of the distance between them."""


@dataclass(frozen=True, eq=False)
class HistFactoryDensity:
    """The posterior of a workspace's parameters given its observed data.

    Its parameters are those that the measurement does not fix, in pyhf's order; that of interest is among
    them if a sample carries it. `log_likelihood` is pyhf's `logpdf`, constraint terms and constants included;
    the prior is flat, within the bounds, in the parameters that nothing constrains.

    Attributes:
        workspace: with the signal, if a patch brought one.
        background: the workspace as its file has it.
        likelihood: the compiled model of `workspace`.
        files: the files that it was read from.
        patch: name of the signal's patch, "" if there is none.
        limits: narrower bounds of some parameters, (lower, upper) by name.
        counts: (n_bins,) events instead of the observed ones, None for those.
    """

    workspace: Workspace
    background: Workspace
    likelihood: Likelihood
    files: tuple[SourceFile, ...]
    patch: str
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    counts: Floats | None = None

    @property
    def name(self) -> str:
        """The workspace's file, and the patch."""
        return " ".join(filter(None, (self.workspace.name, self.patch)))

    @property
    def source(self) -> Source:
        """The files and what was chosen in them; channels, samples and digest are those without the patch."""
        workspace = self.background
        return Source(
            kind="histfactory",
            files=self.files,
            channels=tuple(SourceChannel(item.name, item.bins, item.samples) for item in workspace.channels),
            details={
                "pyhf_digest": workspace.pyhf_digest,
                "measurement": workspace.measurement,
                "poi": workspace.poi,
                "interpolation": dict(workspace.interpolation),
                "patch": self.patch,
                **(
                    {"limits": {name: list(edges) for name, edges in self.limits.items()}}
                    if self.limits
                    else {}
                ),
            },
            software=("pyhf", "jax"),
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that are not fixed."""
        names = [self.likelihood.model.parameters[i] for i in self._free]
        return tuple(
            Parameter(
                name, "poi" if name == self.workspace.poi else "nuisance", bounds=(float(low), float(high))
            )
            for name, low, high in zip(names, *self._bounds, strict=True)
        )

    @property
    def bins(self) -> tuple[str, ...]:
        """Ids of the bins, in the order of the counts."""
        return self.workspace.bin_ids

    @property
    def constraint_terms(self) -> Constraints:
        """The constraint terms of the parameters, in their order."""
        terms, which = self.likelihood.model.constraints, self._free
        return Constraints(terms.kind[which], terms.width[which], terms.factor[which], terms.nominal[which])

    def given(self, counts: ArrayLike) -> HistFactoryDensity:
        """The posterior under other counts (n_bins,), with the same auxiliary data.

        Raises:
            ValueError: there are more or fewer bins, or a count is negative or not finite.
        """
        values = np.asarray(counts, np.float64)
        if values.shape != (len(self.bins),) or not np.all(np.isfinite(values) & (values >= 0.0)):
            raise ValueError(f"counts have to be {len(self.bins)} finite numbers that are not negative")
        return replace(self, counts=values)

    def expected_events(self, theta: Array) -> Array:
        """Events per bin (n_bins,) at one point (D,), signal included."""
        moving = theta[self._moving][:, None]
        return events(self.likelihood.tables, moving, jnp.zeros((self.likelihood.model.n_bins, 1)))[:, 0]

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        """The constraint term of each parameter that has one, flat within the bounds for the others."""
        kinds = self.likelihood.model.constraints.kind[self._free]
        return tuple(
            PriorFactor(item.name, "constraint" if kind else "uniform")
            for item, kind in zip(self.parameters, kinds, strict=True)
        )

    @property
    def start(self) -> Floats:
        """The measurement's initial values, inside the bounds."""
        lower, upper = self._bounds
        margin = _INSIDE * (upper - lower)
        return np.clip(self.likelihood.model.init[self._free], lower + margin, upper - margin)

    @property
    def log_normalisation(self) -> None:
        """Nobody knows it."""
        return

    def log_likelihood(self, theta: Array) -> Array:
        """pyhf's `logpdf` at the observed data; -inf where events were seen and none are expected."""
        moving, expected = theta[self._moving][:, None], self.expected_events(theta)[:, None]
        main = -nll(self.likelihood.tables, moving, expected, self._data)[0]
        return main - self._idle_terms(theta[self._idle])

    def log_prior(self, theta: Array) -> Array:
        """The flat factors, of integral 1; -inf outside the bounds of any parameter."""
        lower, upper = self._bounds
        flat = self.likelihood.model.constraints.kind[self._free] == 0
        height = -float(np.sum(np.log((upper - lower)[flat])))
        return jnp.where(jnp.all((theta >= lower) & (theta <= upper)), height, -jnp.inf)

    def log_density(self, theta: Array) -> Array:
        """Logarithm of the posterior, but for its normalisation."""
        return self.log_likelihood(theta) + self.log_prior(theta)

    @cached_property
    def _free(self) -> Ints:
        """Which of the model's parameters are these."""
        return np.flatnonzero(~self.likelihood.model.fixed)

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        model, which = self.likelihood.model, self._free
        low, high = model.lower[which], model.upper[which]
        for row, i in enumerate(which):
            if model.parameters[i] in self.limits:
                low[row], high[row] = self.limits[model.parameters[i]]
        return low, high

    @cached_property
    def _moving(self) -> Ints:
        """Where in these parameters those are that change events, in the order of the tables."""
        return np.searchsorted(self._free, self.likelihood.order.parameters)

    @cached_property
    def _idle(self) -> Ints:
        """Where those are that change nothing but their own constraint term."""
        return np.setdiff1d(np.arange(len(self._free)), self._moving)

    @cached_property
    def _observed(self) -> DataSet:
        found = observed(self.likelihood.model, self.workspace.observed)
        return found if self.counts is None else replace(found, main=self.counts)

    @cached_property
    def _data(self) -> Data:
        """As NumPy arrays: they become constants of whatever is traced, in its precision."""
        with jax.enable_x64(True), jax.ensure_compile_time_eval():
            found = self.likelihood.data([self._observed])
            return Data(*(np.asarray(part) for part in found))  # pyright: ignore[reportArgumentType]

    def _idle_terms(self, theta: Array) -> Array:
        """Constraint terms of the idle parameters, above where the constant of the data has them."""
        terms, which = self.likelihood.model.constraints, self._free[self._idle]
        auxiliary = self._observed.auxiliary[which]
        held = self.likelihood.full(self.likelihood.start[None], self._observed)[0][which]
        kind, width, factor = terms.kind[which], terms.width[which], terms.factor[which]

        def cost(values: Array) -> Array:
            normal = 0.5 * ((values - auxiliary) / width) ** 2
            mean = values * factor
            poisson = mean - auxiliary * jnp.log(jnp.where(mean > 0, mean, 1.0))
            poisson = jnp.where((mean > 0) | (auxiliary == 0), poisson, jnp.inf)
            return jnp.sum(jnp.where(kind == 1, normal, jnp.where(kind == 0, 0.0, poisson)))

        return cost(theta) - cost(jnp.asarray(held))


def histfactory_density(
    path: Path,
    *,
    patchset: Path | None = None,
    patch: str = "",
    measurement: str | None = None,
    interpolation: dict[str, str] | None = None,
    limits: Mapping[str, tuple[float, float]] | None = None,
) -> HistFactoryDensity:
    """The density of a workspace, with a signal from a patchset if one is named.

    Args:
        path: pyhf JSON workspace; its own samples with the parameter of interest stay.
        patchset: pyhf JSON patchset.
        patch: name of a patch in it.
        measurement, interpolation: as of `read_workspace`.
        limits: narrower bounds of some parameters, such as that of interest, (lower, upper) by name; a flat
            prior is flat within them.

    Raises:
        ValueError: limits are of no parameter, or not inside of its bounds.
        FindingError: as `llb_trainer.teachers.histfactory.read_workspace`; LLB-X003 the patchset cannot be
            read; LLB-W081 it has no such patch, or the patch does not fit the workspace.
    """
    background = read_workspace(path, measurement, interpolation=interpolation, own_signal="float")
    files = (SourceFile(background.name, background.size, background.sha256),)
    workspace = background
    if patchset is not None:
        document, file = _patched(background.spec, patchset, patch)
        files = (*files, file)
        workspace = checked_workspace(
            document,
            path.read_bytes(),
            background.name,
            measurement,
            interpolation=interpolation,
            own_signal="float",
        )
    with jax.enable_x64(True):
        likelihood = Likelihood.of(compile_workspace(workspace))
    density = HistFactoryDensity(workspace, background, likelihood, files, patch)
    return density if limits is None else replace(density, limits=_checked(limits, density.parameters))


def _checked(
    limits: Mapping[str, tuple[float, float]], parameters: tuple[Parameter, ...]
) -> dict[str, tuple[float, float]]:
    bounds = {item.name: (item.lower, item.upper) for item in parameters}
    for name, (low, high) in limits.items():
        if name not in bounds or not bounds[name][0] <= low < high <= bounds[name][1]:
            raise ValueError(
                f"limits {low} to {high} of {name} are not inside of {bounds.get(name, 'any bounds')}"
            )
    return dict(limits)


def _patched(spec: dict[str, Any], path: Path, name: str) -> tuple[dict[str, Any], SourceFile]:
    """The document after one patch of a patchset, and the patchset's file."""
    import pyhf

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    try:
        document = dict(pyhf.PatchSet(json.loads(raw)).apply(spec, name))
    # refusals of pyhf and jsonpatch share no base class narrower than Exception
    except Exception as error:
        lines = str(error).strip().splitlines()
        raise FindingError(
            finding(
                "LLB-W081",
                f"the patch {name!r} cannot be applied: {lines[0] if lines else repr(error)}",
                pointer=str(path),
                actual=name,
            )
        ) from error
    return document, SourceFile(path.name, len(raw), hashlib.sha256(raw).hexdigest())
