"""Provenance: how the labels were made and how the network was trained, as JSON records."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np

from llb_trainer.export.emit.emission import Emission
from llb_trainer.teachers.contract import CurveLabels, Labels

__all__ = ["label_record", "software", "training_record"]


def software(names: Iterable[str]) -> list[dict[str, str]]:
    """Installed distributions with their versions, as the manifest lists them."""
    return [{"name": name, "version": version(name)} for name in names]


def label_record(emission: Emission) -> dict[str, Any]:
    """What was asked of the teacher, what it failed at, and how well its minima are proven."""
    labels, teacher = emission.labels, emission.teacher
    return {
        "sampling": {} if labels.given else asdict(labels.sampling),
        "delta_nll_max": labels.delta_max,
        "signals": {
            "requested": labels.counts.requested,
            "failed": labels.counts.failed,
            "failed_fraction": labels.counts.failed / labels.counts.requested,
            "beyond_truncation": labels.counts.outside,
            "training": len(labels.training.signals),
            "calibration": len(labels.calibration.signals),
            "heldout": len(labels.heldout.signals),
        },
        "seconds": labels.seconds,
        "starts": {
            "minima_known": dict(teacher.minima_known),
            "held": list(teacher.branches[1:]),
            "mean_per_signal": {curve.name: float(np.mean(curve.starts)) for curve in labels.training.curves},
        },
        "second_look": {
            "signals": labels.counts.second_look,
            "largest_excess": _number(labels.second_look_excess),
        },
        "curves": [
            _curve_record(labels.training, column, teacher.branches)
            for column in range(len(labels.training.curves))
        ],
    }


def _curve_record(labels: Labels, column: int, branches: tuple[str, ...]) -> dict[str, Any]:
    curve = labels.curves[column]
    distances = np.quantile(curve.edm, [0.5, 0.99, 1.0]) if curve.edm.size else np.full(3, np.nan)
    return {
        "name": curve.name,
        "estimated_distance_to_minimum": {
            name: _number(float(value))
            for name, value in zip(("median", "p99", "max"), distances, strict=True)
        },
        "lowest_basin": _basins(curve, branches),
    }


def _basins(curve: CurveLabels, branches: tuple[str, ...]) -> dict[str, float]:
    """Fraction of the signals at which each basin holds the global minimum."""
    values = np.where(np.isnan(curve.branches), np.inf, curve.branches)
    lowest = np.argmin(values, axis=1)[np.isfinite(values).any(axis=1)]
    return {name: float(np.mean(lowest == k)) if lowest.size else 0.0 for k, name in enumerate(branches)}


def training_record(emission: Emission) -> dict[str, Any]:
    """The recipe, the size of the network and the history of its training."""
    network = emission.trained.network
    weights = (*network.kernels, *network.biases, network.offset, network.gain, network.tilt)
    return {
        "recipe": asdict(emission.recipe),
        "network": {
            "members": network.n_members,
            "layers": [network.kernels[0].shape[1], *(kernel.shape[2] for kernel in network.kernels)],
            "parameters": sum(int(array.size) for array in weights),
            "branches": dict(zip(network.curves, network.counts, strict=True)),
        },
        "history": _strict(asdict(emission.trained.history)),
    }


def _strict(document: Mapping[str, Any]) -> dict[str, Any]:
    """Records of numbers and tuples of numbers as strict JSON."""
    return {
        key: [_number(item) for item in value] if isinstance(value, tuple) else _number(value)
        for key, value in document.items()
    }


def _number(value: float) -> float | None:
    """JSON has no NaN: what could not be measured is null."""
    return value if math.isfinite(value) else None
