"""Answers about a density: what it says of itself, its logarithm at points, its samples of given noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.loader.wire import listed
from llb.runtime import Density
from llb_schema import FindingError, finding

__all__ = ["density_described", "density_log_probs", "density_samples"]

Array = NDArray[np.float64]
Message = dict[str, Any]


def density_described(density: Density) -> Message:
    """What the manifest says: parameters in the order of the columns, and no curves (PROTOCOL-7)."""
    manifest = density.manifest
    return {
        "reply": "described",
        "id": manifest.id,
        "version": manifest.version,
        "inputs": list(density.parameters),
        "lower": list(manifest.domain.lower),
        "upper": list(manifest.domain.upper),
    }


def density_log_probs(density: Density, request: Mapping[str, Any]) -> Message:
    """The logarithm of the density itself, with the offset of a likelihood, and the flags of DOMAIN-3.

    Raises:
        FindingError: `LLB-Y103` to `LLB-Y105`, a fault of the points or conditions.
    """
    points = _rows(request["points"], len(density.parameters))
    condition = _conditions(density, request)
    inside = density.in_domain(points, condition)
    return {
        "reply": "log_probs",
        "log_prob": listed(density.log_density(points, condition)),
        "out_of_domain": [not item for item in inside],
    }


def density_samples(density: Density, request: Mapping[str, Any]) -> Message:
    """The parameters that belong to base noise.

    Raises:
        FindingError: `LLB-Y103` to `LLB-Y105`, a fault of the noise or conditions.
    """
    noise = _rows(request["noise"], len(density.parameters))
    drawn = density.sample_from(noise, _conditions(density, request))
    return {"reply": "samples", "samples": [listed(row) for row in drawn]}


def _conditions(density: Density, request: Mapping[str, Any]) -> Array | None:
    rows = request.get("conditions")
    if rows is None:
        return None
    # Of a density that has none, their length is not what is wrong with them.
    return _rows(rows, len(density.conditions) or len(rows[0]))


def _rows(rows: Sequence[Sequence[float | str]], columns: int) -> Array:
    """Rows of the protocol as an array (n, columns); one by one, so that it is known which is too short.

    Raises:
        FindingError: `LLB-Y104`, a row has another length.
    """
    for number, row in enumerate(rows):
        if len(row) != columns:
            message = f"row {number} has another length than there are columns"
            raise FindingError(finding("LLB-Y104", message, expected=str(columns), actual=str(len(row))))
    return np.array([[float(value) for value in row] for row in rows])
