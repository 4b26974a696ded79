"""LLB bundles in SModelS 3.2: after `llb_smodels.install()` its models of type `onnx` may be bundles.

`python -m llb_smodels` says how `runSModelS.py` is told, `python -m llb_smodels BUNDLE` prints the lines of a
database's `globalInfo.txt`. Importing this package changes nothing and does not load SModelS.
"""

from llb_smodels.adapter import BundleAdapter
from llb_smodels.database import global_info
from llb_smodels.installation import install
from llb_smodels.sources import is_bundle, load_bytes

__all__ = ["BundleAdapter", "global_info", "install", "is_bundle", "load_bytes"]
