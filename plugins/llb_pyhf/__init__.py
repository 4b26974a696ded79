"""Bundles in pyhf: a model for pyhf.infer, yields of a patched workspace, a bundle beside its full model."""

from llb_pyhf.beside import Beside, compare
from llb_pyhf.full_model import FullModelAnswer
from llb_pyhf.model import BundleConfig, BundleModel
from llb_pyhf.yields import signal_yields

__all__ = ["Beside", "BundleConfig", "BundleModel", "FullModelAnswer", "compare", "signal_yields"]
