"""The numbers of an imported graph beside those of the published network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.interop.olll_graph import CURVE_ORDER
from llb.interop.olll_manifest import GRAPH, Imported, vectors_document
from llb.interop.olll_reference import OlllModel
from llb.interop.probes import domain_points
from llb.runtime import GraphSession
from llb_schema import Finding, FindingError, finding

__all__ = ["ASIMOV_TOLERANCE", "check_numbers", "published_delta", "vectors_of"]

Floats = NDArray[np.float64]

ASIMOV_TOLERANCE = 0.008
"""How far below zero NUMERICS-5 lets a curve on Asimov data come, in NLL units."""

_MANY, _FEW = 2048, 48
_AXES = 24
_MARGIN = 0.995
"""Cases stay this far inside of the truncation, so that rounding cannot put one outside."""

_FINEST, _COARSEST = 1e-6, 1e-3
"""Bounds of the tolerance: nothing that physics resolves, and VECTORS-5."""


def published_delta(item: Imported, model: OlllModel, signals: Floats) -> Floats:
    """(n, 4) Delta NLL of the published network by `CURVE_ORDER`, as the bundle has it: closed, and lifted.

    Args:
        item: the import.
        model: the published network.
        signals: (n, n_bins) events.
    """
    values = model.columns(signals)[0] - item.closure
    if item.choices.floor_asimov:
        asimov = [curve.endswith("_asimov") for curve in CURVE_ORDER]
        values = np.where(asimov, np.maximum(values, 0.0), values)
    return np.where((signals == 0.0).all(axis=1, keepdims=True), 0.0, values)


def check_numbers(item: Imported, model: OlllModel) -> None:
    """Make sure that the network has numbers in all of its box, and Asimov curves that are such.

    Raises:
        FindingError: `LLB-N004`, it gives NaN or infinity; `LLB-F020`, an Asimov curve falls below zero.
    """
    names, signals = domain_points(item.domain, _MANY)
    values = published_delta(item, model, signals)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        message = f"the network gives {values[row]} at the point {names[row]!r} of its box"
        raise FindingError(finding("LLB-N004", message, pointer="/metadata/x_min"))
    inside = _inside(item, values, 1.0)
    found: list[Finding] = []
    for column, curve in enumerate(CURVE_ORDER):
        lowest = float(values[inside, column].min())
        if curve.endswith("_asimov") and lowest < -ASIMOV_TOLERANCE:
            message = f"{curve} falls to {lowest:.3g} in the domain"
            expected = f"at least {-ASIMOV_TOLERANCE:g}"
            found.append(finding("LLB-F020", message, expected=expected, actual=f"{lowest:.6g}"))
    if found:
        raise FindingError(found)


def _inside(item: Imported, values: Floats, margin: float) -> NDArray[np.bool_]:
    largest = item.domain.delta_nll_max
    return np.full(len(values), True) if largest is None else values.max(axis=1) <= margin * largest


def vectors_of(item: Imported, model: OlllModel, session: GraphSession) -> tuple[dict[str, Any], float]:
    """The test vectors, and how far the rebuilt graph is from them.

    Args:
        item: the import.
        model: the published network, which the expected values come from.
        session: the rebuilt graph.

    Returns:
        The document, and the largest difference divided by 1 + |Delta NLL|, in a batch and alone.

    Raises:
        FindingError: `LLB-N001`, the graph does not reproduce the network.
    """
    names, signals = domain_points(item.domain, _FEW)
    width = len(item.bin_ids)
    chosen = np.array([not name.startswith(("lower ", "upper ")) for name in names])
    # The ends of some axes are enough of them.
    chosen[3 : 3 + min(_AXES, width)] = chosen[3 + width : 3 + width + min(_AXES, width)] = True
    values = published_delta(item, model, signals)
    chosen &= _inside(item, values, _MARGIN)
    # -0.0 and 0.0 are two texts of one number.
    kept, expected = signals[chosen], values[chosen] + 0.0
    labels = [name for name, keep in zip(names, chosen, strict=True) if keep]
    alone = np.concatenate([session.run(row[np.newaxis]) for row in kept])
    scale = 1.0 + np.abs(expected)
    deviation = float(max((np.abs(got - expected) / scale).max() for got in (session.run(kept), alone)))
    if not 10.0 * deviation <= _COARSEST:
        message = "the rebuilt graph does not reproduce the published network"
        actual = f"a difference of {deviation:.3g}"
        raise FindingError(finding("LLB-N001", message, pointer=GRAPH, actual=actual))
    tolerance = float(f"{max(_FINEST, 10.0 * deviation):.1e}")
    why = (
        "Expected values come from the published network itself, run by onnxruntime, with the transforms in "
        f"NumPy; the graph of the bundle differs from them by at most {deviation:.1e} of 1 + |Delta NLL| on "
        f"these cases, in a batch and alone. The network computes in {model.network.dtype.name}, and other "
        "runtimes add up its sums in other orders: ten times that difference, and at least 1e-6, leaves room "
        "for them."
    )
    return vectors_document(item.bin_ids, labels, kept, expected, tolerance, why), deviation
