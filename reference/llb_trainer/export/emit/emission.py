"""Everything that goes into a bundle, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Analysis, Author, Domain, Reference
from llb_trainer.labels import LabelSet
from llb_trainer.teachers.contract import Teacher
from llb_trainer.training import Recipe, Trained

__all__ = ["Benchmark", "Emission", "Identity", "label_domain"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Identity:
    """What a bundle is called, who made it and which analysis it is about.

    Attributes:
        id: short name, lower-case letters, digits and `. _ -`.
        title: one line for people.
        authors: at least one.
        analysis: the measurement.
        license: SPDX expression.
        references: publications.
        version: of this bundle's content, MAJOR.MINOR.PATCH.
        created: time of making; now if None.
        supersedes: `id@version` of the bundle that this one replaces, or None.
    """

    id: str
    title: str
    authors: tuple[Author, ...]
    analysis: Analysis
    license: str = "CC-BY-4.0"
    references: tuple[Reference, ...] = ()
    version: str = "1.0.0"
    created: datetime | None = None
    supersedes: str | None = None


@dataclass(frozen=True)
class Benchmark:
    """A real signal with results of the teacher's own exact fits.

    Attributes:
        name: of the signal point.
        signal: (n_bins,) yields in events, in the order of the teacher's bins.
        cls_observed: observed CLs at mu = 1.
        upper_limit_observed: mu at which the observed CLs is 0.05.
        mu_hat: best-fit signal strength of the observed data, >= 0.
        cls_expected: a-posteriori expected CLs at mu = 1, the median.
        upper_limit_expected: mu at which that is 0.05.
    """

    name: str
    signal: Floats
    cls_observed: float
    upper_limit_observed: float
    mu_hat: float
    cls_expected: float
    upper_limit_expected: float


@dataclass(frozen=True)
class Emission:
    """All that a bundle is made from.

    Attributes:
        identity: name, authors, analysis.
        teacher: what labelled the signals; its bins and curves become the bundle's.
        labels: the label set, with the held-out truth and the record of the labelling.
        recipe: settings of the training.
        trained: the network and the history of its training.
        domain: where the network may be trusted, see `label_domain`.
        published: (n_bins,) yields of published signals by name; some become test vectors.
        benchmarks: rows of the benchmark table; no table if there are none.
        roles: `SR`, `CR` or `VR` by channel; a channel left out is a control (validation) region if its
            name holds CR (VR), else a signal region.
        optional_channels: channels that a signal may leave out, meaning no signal there.
    """

    identity: Identity
    teacher: Teacher
    labels: LabelSet
    recipe: Recipe
    trained: Trained
    domain: Domain
    published: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    benchmarks: tuple[Benchmark, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict[str, str])
    optional_channels: frozenset[str] = frozenset()

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Ids of the inputs, by column."""
        return tuple(item.id for item in self.teacher.bins)

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the curves with a column of their own, by column."""
        return self.trained.network.curves


def label_domain(labels: LabelSet) -> Domain:
    """The box that the signals inside the truncation span, with that truncation; zero signal is in it."""
    training = labels.training
    inside = np.logical_and.reduce([curve.delta <= labels.delta_max for curve in training.curves])
    signals = training.signals[inside]
    # A bin in which no signal was drawn still needs an interval; nothing is claimed about it.
    upper = np.maximum(signals.max(axis=0), 1e-6 * labels.background.scale)
    return Domain(
        lower=tuple(float(value) for value in np.minimum(signals.min(axis=0), 0.0)),
        upper=tuple(float(value) for value in upper),
        delta_nll_max=labels.delta_max,
    )
