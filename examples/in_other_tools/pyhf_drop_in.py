"""pyhf.infer on a bundle: python pyhf_drop_in.py BUNDLE SIGNAL, the signal {bin id: events} in JSON"""

import json
import sys
from pathlib import Path

import pyhf

from llb_pyhf import BundleModel

model = BundleModel(sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes()))
data = model.data()

best, twice_nll = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
print(f"best fit: mu = {float(best[0]):.6g}, -2 ln L = {float(twice_nll):.8g}")

observed, band = pyhf.infer.hypotest(1.0, data, model, return_expected_set=True)
print(f"CLs at mu = 1: {float(observed):.6g}, expected {float(band[2]):.6g}")

observed, band = pyhf.infer.intervals.upper_limits.upper_limit(data, model)
print(f"mu < {float(observed):.6g}, expected {float(band[2]):.6g}")
