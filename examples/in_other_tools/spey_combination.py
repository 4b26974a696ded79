"""Two analyses and one signal strength: python spey_combination.py BUNDLE SIGNAL BUNDLE SIGNAL

A signal is {bin id: events} in JSON. Analyses may be combined that share neither events nor uncertainties.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")  # or it asks the network for a newer release

import spey

OBSERVED, EXPECTED = spey.ExpectationType.observed, spey.ExpectationType.aposteriori

backend = spey.get_backend("llb.profile_likelihood")
arguments = sys.argv[1:]
parts = [
    backend(bundle=bundle, signal_yields=json.loads(Path(signal).read_bytes()), analysis=Path(bundle).stem)
    for bundle, signal in zip(arguments[::2], arguments[1::2], strict=True)
]
for part in (*parts, spey.UnCorrStatisticsCombiner(*parts)):
    name = getattr(part, "analysis", "both")
    observed, expected = (part.poi_upper_limit(expected=item) for item in (OBSERVED, EXPECTED))
    print(f"{name}: mu < {observed:.6g}, expected {expected:.6g}")
