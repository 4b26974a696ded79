"""pyhf beside LLB: signal yields of a patched workspace, by bin id, from pyhf's own model."""

from llb_pyhf.yields import signal_yields

__all__ = ["signal_yields"]
