"""Upper limits on mu of many signals, through Spey: python spey_scan.py BUNDLE SIGNALS limits.csv"""

import csv
import os
import sys
from pathlib import Path

os.environ.setdefault("SPEY_CHECKUPDATE", "OFF")  # or it asks the network for a newer release

import spey

import llb
from llb.runtime import BinNames, read_signals

OBSERVED, EXPECTED = spey.ExpectationType.observed, spey.ExpectationType.aposteriori

model = llb.load(sys.argv[1])  # once: every signal shares it
signals = read_signals(Path(sys.argv[2]), BinNames.of(model.bundle.manifest))
backend = spey.get_backend("llb.profile_likelihood")

with Path(sys.argv[3]).open("w", encoding="utf-8", newline="") as stream:
    table = csv.writer(stream)
    table.writerow(["name", "observed", "expected"])
    for name, yields in zip(signals.names, signals.yields, strict=True):
        likelihood = backend(bundle=model, signal_yields=yields)
        limits = [likelihood.poi_upper_limit(expected=item) for item in (OBSERVED, EXPECTED)]
        table.writerow([name, *limits])
