"""Signals through pyhf, one by one or in worker processes."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from llb_schema import FindingError, finding
from llb_trainer.peer.fits import FitRecord, KnownOptimum, ProfileFits
from llb_trainer.peer.hypothesis import HypothesisTest
from llb_trainer.peer.problem import PeerSearch, Yields, signal_problem
from llb_trainer.peer.quiet import numpy_pyhf
from llb_trainer.workers import one_thread_each

__all__ = ["PeerJob", "PeerResult", "compare_point", "compare_points"]


@dataclass(frozen=True)
class PeerJob:
    """One signal to be tested.

    Attributes:
        name: name of the signal.
        yields: events at mu = 1 by channel.
        mu: signal strength of the CLs.
        guess: estimate of the observed upper limit; only saves time.
        optima: minima known from elsewhere, see `llb_trainer.peer.fits`.
        tolerance: NLL by which a fit may lie above a known point before it is repeated.
        limit: whether the upper limit is wanted too.
    """

    name: str
    yields: Yields
    mu: float = 1.0
    guess: float | None = None
    optima: tuple[KnownOptimum, ...] = ()
    tolerance: float = 1e-6
    limit: bool = True


@dataclass(frozen=True)
class PeerResult:
    """What pyhf says about one signal.

    Attributes:
        name: name of the signal.
        cls_observed: observed CLs at the job's mu; NaN after a failure.
        upper_limit_observed: observed upper limit on mu at 95 %; NaN where not asked for or failed,
            inf where the signal cannot be excluded.
        mu_hat: best-fit signal strength, not below 0.
        seconds_cls: wall time from the yields to the CLs, building of the model included.
        seconds_limit: wall time from the yields to the upper limit, the CLs included.
        restarted: whether a fit was repeated from a known optimum, because pyhf's default start
            had led to a higher minimum or nowhere.
        nll_excess: largest NLL by which a fit from the default start ended above a known point.
        fits: what all fits went through.
        failure: why there is no number, or "".
    """

    name: str
    cls_observed: float
    upper_limit_observed: float
    mu_hat: float
    seconds_cls: float
    seconds_limit: float
    restarted: bool
    nll_excess: float
    fits: FitRecord
    failure: str = ""


def compare_point(search: PeerSearch, job: PeerJob) -> PeerResult:
    """Observed CLs and upper limit of one signal with pyhf's own fits.

    A fit that pyhf cannot finish ends in `failure`, not in an exception: in a table of many
    signals the others still count.

    Raises:
        FindingError: LLB-W051 or LLB-W052, measurement or yields do not fit the workspace.
    """
    begin = time.perf_counter()
    cls = limit = mu_hat = seconds_cls = seconds_limit = math.nan
    failure = ""
    with numpy_pyhf():
        fits = ProfileFits(signal_problem(search, job.yields), job.optima, job.tolerance)
        try:
            hypothesis = HypothesisTest(fits)
            mu_hat = hypothesis.mu_hat
            test = hypothesis.at(job.mu)
            cls = math.exp(test.log_cls)
            seconds_cls = time.perf_counter() - begin
            if job.limit:
                limit = hypothesis.upper_limit(test, job.guess)
                seconds_limit = time.perf_counter() - begin
        except FindingError as error:
            failure = str(error)
    record = fits.record
    return PeerResult(
        name=job.name,
        cls_observed=cls,
        upper_limit_observed=limit,
        mu_hat=mu_hat,
        seconds_cls=seconds_cls,
        seconds_limit=seconds_limit,
        restarted=record.restarted,
        nll_excess=record.nll_excess,
        fits=record,
        failure=failure,
    )


def compare_points(
    search: PeerSearch, jobs: Sequence[PeerJob], processes: int | None = None
) -> Iterator[PeerResult]:
    """Test many signals in parallel, yielding each result as it comes, in no fixed order.

    Args:
        search: the search that all jobs share.
        jobs: the signals.
        processes: worker processes, freshly spawned and single-threaded; None takes one per core,
            0 works in this process.

    Raises:
        FindingError: LLB-W051 or LLB-W052 as from `compare_point`; LLB-W053, a worker died.
    """
    if processes == 0 or not jobs:
        yield from (compare_point(search, job) for job in jobs)
        return
    workers = min(processes or os.cpu_count() or 1, len(jobs))
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        # Ctrl-C reaches the workers too: they die of it without a traceback each.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        with one_thread_each():
            pending = [pool.submit(compare_point, search, job) for job in jobs]
        for future in as_completed(pending):
            yield future.result()
    except BrokenProcessPool as error:
        raise FindingError(finding("LLB-W053", actual=error)) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
