"""Run by `runSModelS.py` if its parameters name this file under `[custom-codes]`: `python -m llb_smodels`."""

import llb_smodels

__all__: list[str] = []

llb_smodels.install()
