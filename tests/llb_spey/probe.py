"""Runs in an environment with some release of Spey: limits of bundles, as one line of JSON on stdout."""

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


def answers(bundle: str, signal: dict[str, float]) -> dict[str, Any]:
    """CLs and upper limits of one signal, and the upper limit of the signal combined with itself."""
    make = statistical_model_wrapper(ProfileLikelihoodBackend)
    kind = spey.ExpectationType
    model, twin = (make(bundle=bundle, signal_yields=signal, analysis=name) for name in ("one", "two"))
    posterior = {"expected": kind.aposteriori, "expected_pvalue": "2sigma"}
    return {
        "version": spey.__version__,
        "cls_observed": [
            1.0 - float(value) for value in model.exclusion_confidence_level(expected=kind.observed)
        ],
        "cls_apriori": [
            1.0 - float(value) for value in model.exclusion_confidence_level(expected=kind.apriori)
        ],
        "upper_limit_observed": float(model.poi_upper_limit(expected=kind.observed)),
        "upper_limit_expected": [float(value) for value in model.poi_upper_limit(**posterior)],
        "upper_limit_apriori": float(model.poi_upper_limit(expected=kind.apriori)),
        "combined": float(spey.UnCorrStatisticsCombiner(model, twin).poi_upper_limit()),
    }


if __name__ == "__main__":
    print(json.dumps([answers(bundle, json.loads(sys.argv[1])) for bundle in sys.argv[2:]]))
