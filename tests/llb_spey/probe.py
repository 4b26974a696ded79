"""Runs in an environment with some release of Spey: what it says of bundles, as one line of JSON on stdout.

    python probe.py SIGNAL WORKSPACE PATCH BUNDLE...

The pyhf model, a background-only workspace and a patch, is combined with each bundle.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

with warnings.catch_warnings():
    # Old releases import pkg_resources.
    warnings.simplefilter("ignore")
    import spey
    from spey.interface.statistical_model import statistical_model_wrapper

from llb_spey import ProfileLikelihoodBackend

__all__ = ["answers"]

KIND = spey.ExpectationType
MU = 1.2
"""Where CLs are asked for; above twice the width of the Asimov curve, where Spey 0.1 cut its bands off."""


def answers(bundle: str, signal: dict[str, float], peer: Any) -> dict[str, Any]:
    """CLs, bands and upper limits of one signal; of it with itself, and with a pyhf model."""
    make = statistical_model_wrapper(ProfileLikelihoodBackend)
    model, twin = (make(bundle=bundle, signal_yields=signal, analysis=name) for name in ("one", "two"))
    bands = {"expected_pvalue": "2sigma"}
    mixed = spey.UnCorrStatisticsCombiner(model, peer)
    return {
        "version": spey.__version__,
        "cls": {name: excluded(model, KIND[name]) for name in KIND.__members__},
        "upper_limit_observed": float(model.poi_upper_limit(expected=KIND.observed)),
        "bands": {
            name: [float(value) for value in model.poi_upper_limit(expected=KIND[name], **bands)]
            for name in ("aposteriori", "apriori")
        },
        "sigma_mu": {
            name: float(model.sigma_mu(poi_test=1.0, expected=KIND[name])) for name in ("observed", "apriori")
        },
        "chi2": float(model.chi2(poi_test=MU)),
        "best": [float(value) for value in model.maximize_likelihood()],
        "combined": float(spey.UnCorrStatisticsCombiner(model, twin).poi_upper_limit()),
        "mixed_cls": {name: excluded(mixed, KIND[name]) for name in ("observed", "aposteriori")},
        "mixed_upper_limit": float(mixed.poi_upper_limit()),
    }


def excluded(model: Any, expected: Any) -> list[float]:
    """CLs: one number, or the band of an expectation."""
    return [1.0 - float(value) for value in model.exclusion_confidence_level(poi_test=MU, expected=expected)]


if __name__ == "__main__":
    signal, workspace, patch = (json.loads(text) for text in sys.argv[1:4])
    peer = spey.get_backend("pyhf")(background_only_model=workspace, signal_patch=patch, analysis="pyhf")
    print(json.dumps([answers(bundle, signal, peer) for bundle in sys.argv[4:]]))
