"""A teacher with a closed form, for tests that must not wait for fits."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llb_trainer.labels.identity import (
    CurveRecord,
    Engine,
    Model,
    Sampled,
    StoreIdentity,
    TeacherRecord,
    signals_digest,
)
from llb_trainer.teachers.contract import CurveData, CurveLabels, Labels, SignalBin

__all__ = ["CountingTeacher", "DyingTeacher", "LonelyTeacher", "SlowTeacher", "counting_identity"]

Floats = NDArray[np.float64]
OBSERVED = np.array([8.0, 20.0])
EVENTS = np.array([6.0, 25.0])


@dataclass(frozen=True)
class CountingTeacher:
    """Two bins without nuisance parameters; a second, invented basin lies lower for large signals."""

    failing: bool = False
    covariance: Floats = field(default_factory=lambda: np.diag([0.5, 2.0]))
    branches: tuple[str, ...] = ("interior", "other")

    @property
    def owners(self) -> tuple[CurveData, ...]:
        return self.curves

    @property
    def bins(self) -> tuple[SignalBin, ...]:
        return tuple(SignalBin(f"SR{b}", 0, OBSERVED[b], EVENTS[b]) for b in range(2))

    @property
    def curves(self) -> tuple[CurveData, ...]:
        return tuple(
            CurveData(name, 0.0, 1 - n / EVENTS, n, ())
            for name, n in (("observed", OBSERVED), ("apriori", EVENTS))
        )

    def label(self, signals: Floats, progress: object = None) -> Labels:
        del progress
        curves = tuple(
            self._curve(name, n, signals) for name, n in (("observed", OBSERVED), ("apriori", EVENTS))
        )
        return Labels(signals, curves)

    def second_look(self, signals: Floats, *, starts: int = 50, seed: int = 0) -> dict[str, Floats]:
        del starts, seed
        return {curve.name: curve.delta for curve in CountingTeacher.label(self, signals).curves}

    def _curve(self, name: str, n: Floats, signals: Floats) -> CurveLabels:
        delta = signals - n * np.log1p(signals / EVENTS)
        first, slope = delta.sum(axis=1), 1 - n / (EVENTS + signals)
        other, other_slope = 1.5 + 0.6 * first, 0.6 * slope
        values = np.stack([first, other], axis=1)
        slopes = np.stack([slope, other_slope], axis=1)
        lowest = np.argmin(values, axis=1)
        rows = np.arange(len(signals))
        return CurveLabels(
            name,
            values[rows, lowest],
            slopes[rows, lowest],
            values,
            slopes,
            lowest[:, None].astype(np.float64),
            np.full(len(signals), 1e-12),
            np.full(len(signals), 1e-7),
            np.full(len(signals), True) if not self.failing else rows % 4 > 0,
            np.full(len(signals), 2),
        )


class DyingTeacher(CountingTeacher):
    """Takes its process with it."""

    def label(self, signals: Floats, progress: object = None) -> Labels:  # noqa: ARG002
        os._exit(3)


@dataclass(frozen=True)
class SlowTeacher(CountingTeacher):
    """Takes its time for every chunk, so that something can happen meanwhile."""

    seconds: float = 0.1

    def label(self, signals: Floats, progress: object = None) -> Labels:
        time.sleep(self.seconds)
        return super().label(signals, progress)


_asked = threading.Lock()


class LonelyTeacher(CountingTeacher):
    """Fails when two threads of a process ask it at once."""

    def label(self, signals: Floats, progress: object = None) -> Labels:
        if not _asked.acquire(blocking=False):
            raise RuntimeError("two threads at once")
        try:
            time.sleep(0.05)
            return super().label(signals, progress)
        finally:
            _asked.release()


def counting_identity(names: tuple[str, ...], signals: Floats, chunk: int) -> StoreIdentity:
    """The identity of a store with labels of a `CountingTeacher`."""
    curves = (CurveRecord("observed", 7.25, ""), CurveRecord("apriori", 11.5, ""))
    return StoreIdentity(
        Model("toy.json", "0" * 64, "1" * 64, "toy", "mu", {}, "refuse"),
        Engine("toy engine", {}),
        Sampled(len(names), chunk, signals_digest(names, signals), {}),
        TeacherRecord("2" * 64, (), 0.0, ("SR0[0]", "SR1[0]"), ("theta",), ("interior", "other"), curves),
    )
