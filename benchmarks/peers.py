"""pyhf's side: `pyhf.infer.mle.fixed_poi_fit` on the same model, the same signals and the same data.

numpy backend, SLSQP and Minuit with pyhf's own settings, one fit from pyhf's default start each. Only the
fits are timed, never the building of a model. With every signal travels our optimum, at which pyhf evaluates
its own likelihood.
"""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyhf
from numpy.typing import NDArray
from pyhf.exceptions import FailedMinimization
from pyhf.infer import mle

from llb_trainer.peer import PeerSearch, channel_yields, signal_problem
from llb_trainer.peer.quiet import numpy_pyhf
from llb_trainer.teachers.contract import CurveData, SignalBin
from llb_trainer.workers import one_thread_each

__all__ = ["OPTIMIZERS", "PeerAnswer", "PeerFit", "PeerModel", "PeerTask", "ask_peers"]

Floats = NDArray[np.float64]

OPTIMIZERS = ("slsqp", "minuit")


@dataclass(frozen=True)
class PeerModel:
    """What all signals of a search share.

    Attributes:
        search: workspace, measurement, signal modifiers and interpolation codes.
        bins: the order of our signals and of the main data.
        curves: the data sets.
        parameters: the order of our optima.
    """

    search: PeerSearch
    bins: tuple[SignalBin, ...]
    curves: tuple[CurveData, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class PeerTask:
    """One signal.

    Attributes:
        row: its number among all signals.
        signal: (n_bins,) events.
        optima: our nuisance parameters by curve.
        fits: (optimizer, curve) of the fits wanted.
    """

    row: int
    signal: Floats
    optima: dict[str, Floats]
    fits: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PeerFit:
    """One fit by pyhf; `nll` is NaN where pyhf itself gave up."""

    row: int
    curve: str
    optimizer: str
    nll: float
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether there is a minimum."""
        return math.isfinite(self.nll)


@dataclass(frozen=True)
class PeerAnswer:
    """What pyhf says of a signal: its fits, and `-logpdf` at our optima by curve."""

    row: int
    fits: tuple[PeerFit, ...]
    nll_at_ours: dict[str, float]


def ask_peers(
    model: PeerModel, tasks: Sequence[PeerTask], cores: int, progress: Callable[[int], None]
) -> list[PeerAnswer]:
    """Send signals through pyhf, in worker processes of one thread each, the order kept.

    Args:
        model: what they share.
        tasks: the signals.
        cores: number of workers.
        progress: told how many signals were finished.
    """
    if not tasks:
        return []
    context = multiprocessing.get_context("spawn")
    answers: list[PeerAnswer] = []
    with (
        one_thread_each(),
        ProcessPoolExecutor(cores, context, initializer=_start, initargs=(model,)) as pool,
    ):
        for answer in pool.map(_answer, tasks):
            answers.append(answer)
            progress(1)
    return answers


@dataclass
class _Worker:
    """What a worker process keeps."""

    model: PeerModel | None = None


_worker = _Worker()


def _start(model: PeerModel) -> None:
    _worker.model = model


def _answer(task: PeerTask) -> PeerAnswer:
    assert _worker.model is not None
    shared = _worker.model
    yields = channel_yields((item.channel for item in shared.bins), task.signal)
    with numpy_pyhf():
        pdf = signal_problem(shared.search, yields).model
        data = {curve.name: _data(shared, pdf, curve) for curve in shared.curves}
        order = _order(shared.parameters, pdf.config)
        nll = {
            name: -float(pdf.logpdf(np.append(theta, 1.0)[order], data[name])[0])
            for name, theta in task.optima.items()
        }
        fits = [_fit(task.row, curve, optimizer, data[curve], pdf) for optimizer, curve in task.fits]
    return PeerAnswer(task.row, tuple(fits), nll)


def _fit(row: int, curve: str, optimizer: str, data: Floats, pdf: Any) -> PeerFit:
    minimiser = pyhf.optimize.scipy_optimizer if optimizer == "slsqp" else pyhf.optimize.minuit_optimizer
    pyhf.set_backend("numpy", minimiser())
    began = time.perf_counter()
    try:
        _, twice_nll = mle.fixed_poi_fit(1.0, data, pdf, return_fitted_val=True)
    # pyhf 0.7.6 asks Minuit for correlations even where Hesse found no covariance
    except (FailedMinimization, AttributeError):
        twice_nll = math.nan
    return PeerFit(row, curve, optimizer, 0.5 * float(twice_nll), time.perf_counter() - began)


def _data(shared: PeerModel, pdf: Any, curve: CurveData) -> Floats:
    """Main data followed by auxiliary data, in the order of pyhf's model."""
    counts = {(item.channel, item.index): float(n) for item, n in zip(shared.bins, curve.main, strict=True)}
    config, auxiliary = pdf.config, dict(curve.auxiliary)
    main = [counts[name, index] for name in config.channels for index in range(config.channel_nbins[name])]
    return np.asarray(main + [value for name in config.auxdata_order for value in auxiliary[name]])


def _order(ours: tuple[str, ...], config: Any) -> list[int]:
    """Position of each of pyhf's parameters among ours, the POI behind our last."""
    place = {name: number for number, name in enumerate([*ours, config.poi_name])}
    return [place[name] for name in config.par_names]
