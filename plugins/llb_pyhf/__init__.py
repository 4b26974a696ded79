"""Bundles in pyhf: a model for pyhf.infer, and signal yields of a patched workspace by bin id."""

from llb_pyhf.model import BundleConfig, BundleModel
from llb_pyhf.yields import signal_yields

__all__ = ["BundleConfig", "BundleModel", "signal_yields"]
