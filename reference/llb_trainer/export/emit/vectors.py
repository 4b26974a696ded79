"""Test vectors: signals inside the domain with the values that every runtime has to give."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain
from llb_schema import FORMAT_VERSION
from llb_trainer.export.emit.emission import Emission
from llb_trainer.training import ProfileNetwork

__all__ = ["TOLERANCE", "vector_cases", "vectors_document"]

Floats = NDArray[np.float64]

TOLERANCE = 1e-9
"""Absolute tolerance in NLL units, and relative tolerance, of a float64 graph."""

_SEED = 20261122
_RANDOM, _SINGLE, _PUBLISHED = 24, 64, 12
_MARGIN = 0.995
_LONGEST = 100
"""Characters of the name of a case."""


def vector_cases(emission: Emission) -> tuple[tuple[str, ...], Floats]:
    """Names and signals (n, n_bins) of the cases: all inside the domain, the zero signal first."""
    network, domain = emission.trained.network, emission.domain
    cases = [("zero", np.zeros(len(network.scale))), *_cases(emission)]
    names, signals = tuple(_short(name) for name, _ in cases), np.stack([signal for _, signal in cases])
    inside = _inside(network, domain, signals)
    return tuple(name for name, kept in zip(names, inside, strict=True) if kept), signals[inside]


def _cases(emission: Emission) -> Iterator[tuple[str, Floats]]:
    network, domain = emission.trained.network, emission.domain
    upper = np.asarray(domain.upper)
    singles = np.diag(upper)[:_SINGLE]
    singles *= 0.5 * _edge(network, domain, singles)[:, None]
    yield from ((f"single {name}", row) for name, row in zip(emission.bin_ids, singles, strict=False))

    names = list(emission.published)
    chosen = [
        names[k] for k in np.unique(np.linspace(0, len(names) - 1, min(_PUBLISHED, len(names))).astype(int))
    ]
    for name in chosen:
        signal = np.asarray(emission.published[name], np.float64)[None, :]
        edge = float(_edge(network, domain, signal)[0])
        # At its own strength where the domain reaches that far; not at all where it begins outside
        if edge > 0.0:
            yield f"published {name}", signal[0] * (1.0 if edge == 1.0 else 0.5 * edge)

    rng = np.random.default_rng(_SEED)
    corners = upper * rng.uniform(size=(_RANDOM, len(upper)))
    edges = corners * _edge(network, domain, corners)[:, None]
    fractions = np.linspace(1.0, 0.02, _RANDOM)
    yield from ((f"random {row}", fractions[row] * edges[row]) for row in range(_RANDOM))
    yield from ((f"near zero {k}", 10.0 ** (-2 - 2 * k) * edges[k]) for k in range(4))


def _short(name: str) -> str:
    """At most as long as the format allows; what is cut off is told apart by a digest of the whole."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _edge(network: ProfileNetwork, domain: Domain, signals: Floats) -> Floats:
    """(n,) factor of at most 1 that brings each signal (n, n_bins) into the domain, by bisection."""
    low, high = np.zeros(len(signals)), np.ones(len(signals))
    low[_inside(network, domain, signals)] = 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        inside = _inside(network, domain, middle[:, None] * signals)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return low


def _inside(network: ProfileNetwork, domain: Domain, signals: Floats) -> NDArray[np.bool_]:
    """Inside, and so far from the truncation that rounding cannot change the answer."""
    inside = np.all((signals >= domain.lower) & (signals <= domain.upper), axis=1)
    if domain.delta_nll_max is not None:
        inside &= network(signals).max(axis=1) <= _MARGIN * domain.delta_nll_max
    return inside


def vectors_document(
    emission: Emission,
    names: tuple[str, ...],
    signals: Floats,
    expected: Floats,
    deviation: float,
    runtime: str,
) -> dict[str, Any]:
    """The test vectors as a JSON document.

    Args:
        emission: what is written.
        names, signals: the cases.
        expected: (n, n_curves) values of the network's reference implementation.
        deviation: largest |difference| from it that the runtime showed on the cases.
        runtime: name and version of that runtime.
    """
    return {
        "format": "llb-vectors",
        "format_version": FORMAT_VERSION,
        "graph": "delta_nll",
        "tolerance": {
            "delta_nll": {
                "absolute": TOLERANCE,
                "relative": TOLERANCE,
                "derivation": (
                    "Expected values come from a float64 implementation of the network in NumPy, which "
                    f"shares no code with any ONNX runtime; {runtime} differs from it by at most "
                    f"{deviation:.1e} on these cases. Orders of summation and other implementations of exp "
                    "cost some 1e-12; the tolerance leaves room for them and lies far below the accuracy of "
                    "the network and anything that physics resolves."
                ),
            }
        },
        "cases": [
            {
                "name": name,
                "signal": dict(zip(emission.bin_ids, signal, strict=True)),
                "delta_nll": dict(zip(emission.curves, values, strict=True)),
            }
            for name, signal, values in zip(names, signals.tolist(), expected.tolist(), strict=True)
        ],
    }
