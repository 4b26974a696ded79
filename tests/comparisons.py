"""Comparisons made up for tests of what shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llb.runtime import Limits
from llb_trainer.comparison import ComparedPoint, Comparison
from llb_trainer.peer import PeerResult
from llb_trainer.peer.fits import FitRecord

BAND = (0.5, 0.7, 1.0, 1.4, 2.0)


def limits_of(name: str, cls: float, limit: float = 1.2) -> Limits:
    return Limits(name, 1.0, 0.95, cls, BAND, BAND, limit, BAND, BAND, 0.1, True, (), ())


def point_of(
    name: str,
    ours: float,
    theirs: float,
    *,
    limit: float = 1.2,
    excess: float = 0.0,
    shortfall: float = 0.0,
    failure: str = "",
) -> ComparedPoint:
    fits = FitRecord(5, 0, excess > 0.0, excess, 0.0, shortfall)
    seconds = (3.0, math.nan if math.isnan(limit) else 7.0)
    pyhf = PeerResult(name, theirs, limit, 0.1, *seconds, excess > 0.0, excess, fits, failure)
    return ComparedPoint(name, limits_of(name, ours), pyhf, 0.002, ())


def comparison_of(cls: Sequence[float], compared: Sequence[ComparedPoint] | None = None) -> Comparison:
    """Signals s0, s1, ... with these CLs by the bundle; pyhf agrees within 0.3 % on every other one."""
    scan = tuple(limits_of(f"s{number}", value) for number, value in enumerate(cls))
    points = [point_of(item.name, item.cls_observed, item.cls_observed * 1.003) for item in scan[::2]]
    return Comparison(tuple(points if compared is None else compared), scan, 0.02)
