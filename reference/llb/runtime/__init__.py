"""Running bundles: signals in by bin id, Delta NLL, CLs and upper limits out."""

from llb.runtime.asymptotics import N_SIGMA, cls_expected, cls_observed, q_tilde
from llb.runtime.graph_audit import audit_graph
from llb.runtime.likelihood import ProfileLikelihood, load
from llb.runtime.limits import Band, Limits, limits
from llb.runtime.patchset import read_patchset
from llb.runtime.profile import ASIMOV_CURVES, Rays, rays
from llb.runtime.session import GraphSession, open_graph, open_session
from llb.runtime.signal import aliases, signal_vector
from llb.runtime.signal_files import Signals, read_signals

__all__ = [
    "ASIMOV_CURVES",
    "N_SIGMA",
    "Band",
    "GraphSession",
    "Limits",
    "ProfileLikelihood",
    "Rays",
    "Signals",
    "aliases",
    "audit_graph",
    "cls_expected",
    "cls_observed",
    "limits",
    "load",
    "open_graph",
    "open_session",
    "q_tilde",
    "rays",
    "read_patchset",
    "read_signals",
    "signal_vector",
]
