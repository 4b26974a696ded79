"""Labels by rows: some of them, or several sets as one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.contract import CurveLabels, Labels

__all__ = ["concatenate", "take"]

_ARRAYS = tuple(field.name for field in fields(CurveLabels) if field.name != "name")


def take(labels: Labels, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Labels:
    """Only these rows (indices or mask)."""
    curves = (_curve(curve.name, lambda name, c=curve: getattr(c, name)[rows]) for curve in labels.curves)
    return Labels(labels.signals[rows], tuple(curves))


def concatenate(parts: list[Labels]) -> Labels:
    """The labels of several sets of signals as one."""
    curves = (
        _curve(same[0].name, lambda name, s=same: np.concatenate([getattr(curve, name) for curve in s]))
        for same in zip(*(part.curves for part in parts), strict=True)
    )
    return Labels(np.concatenate([part.signals for part in parts]), tuple(curves))


def _curve(name: str, array: Callable[[str], Any]) -> CurveLabels:
    return CurveLabels(name, *(array(field) for field in _ARRAYS))
