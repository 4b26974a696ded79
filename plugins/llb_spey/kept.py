"""What backends share, so that each is small: Spey keeps every model of a scan for as long as it runs.

Spey 0.2.7 caches results by model and lets go of none. A backend therefore holds its signal and some numbers;
the curves of the last signals are here, and are computed again, in less than a millisecond, where older ones
are asked for.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.runtime import ProfileLikelihood, Rays, load, rays

__all__ = ["MAX_RAYS", "SignalCurves", "shared_model"]

MAX_RAYS = 512
"""Signals whose curves are kept: more than anybody combines, and less than 10 MB."""

_lock = Lock()
_models: WeakValueDictionary[tuple[str, str], ProfileLikelihood] = WeakValueDictionary()
_rays: OrderedDict[tuple[int, bytes], tuple[ProfileLikelihood, Rays]] = OrderedDict()


def shared_model(source: str | Path | Bundle) -> ProfileLikelihood:
    """The model of a bundle, which is the one in use already if manifest and graph are the same.

    Raises:
        FindingError: the bundle cannot be used, see `llb.runtime.load`.
    """
    model = load(source)
    manifest = hashlib.sha256(model.bundle.container.read("manifest.json")).hexdigest()
    with _lock:
        return _models.setdefault((manifest, model.bundle.digest(model.graph.spec.path)), model)


class SignalCurves:
    """The curves of one signal.

    Args:
        model: of the bundle.
        signal: events at mu = 1, shape (n_bins,).
    """

    __slots__ = ("_model", "_signal")

    def __init__(self, model: ProfileLikelihood, signal: NDArray[np.float64]) -> None:
        self._model, self._signal = model, signal.tobytes()

    @property
    def rays(self) -> Rays:
        """All of them along the ray of the signal, as rays of one signal."""
        # An entry holds its model, so that no other can take over the number.
        key = id(self._model), self._signal
        with _lock:
            if key in _rays:
                _rays.move_to_end(key)
                return _rays[key][1]
        made = rays(self._model, np.frombuffer(self._signal)[np.newaxis])
        with _lock:
            _rays[key] = self._model, made
            while len(_rays) > MAX_RAYS:
                _rays.popitem(last=False)
        return made
