"""What somebody wants labelled."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llb_trainer.labels.run import Where
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.histfactory import Workspace

__all__ = ["Campaign", "Signals"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Signals:
    """What is to be labelled; what is None is left to a store that is resumed, or else to the defaults.

    Attributes:
        n: how many signals are drawn.
        strategy: how, by name.
        seed: of everything random.
        chunk: signals in a chunk.
        published: (n_published, n_bins) yields of published signals, possibly none.
        given: names and (n, n_bins) yields of signals that are taken as they are instead.
    """

    n: int | None = None
    strategy: str | None = None
    seed: int | None = None
    chunk: int | None = None
    published: Floats | None = None
    given: tuple[tuple[str, ...], Floats] | None = None

    @property
    def sampling(self) -> Sampling:
        """How to draw."""
        asked = {
            name: getattr(self, name) for name in ("strategy", "seed") if getattr(self, name) is not None
        }
        return Sampling(**asked)


@dataclass(frozen=True)
class Campaign:
    """What is to be done, and where.

    Attributes:
        workspace: the background-only model.
        signals: what to label.
        signal_modifiers: what multiplies the signal besides the POI; None for lumi where there is one.
        signal_uncertainty: flat relative uncertainty of the signal yields, 0 for none.
        where: who does the work.
    """

    workspace: Workspace
    signals: Signals
    signal_modifiers: tuple[str, ...] | None = None
    signal_uncertainty: float = 0.0
    where: Where = field(default_factory=Where)
