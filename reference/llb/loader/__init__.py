"""The reference loader as a program that speaks the conformance protocol: `python -m llb.loader`."""

from llb.loader.answers import CLASSES, Loader
from llb.loader.opening import Opened, Refusal, open_bundle
from llb.loader.serving import serve

__all__ = ["CLASSES", "Loader", "Opened", "Refusal", "open_bundle", "serve"]
