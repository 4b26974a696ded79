"""Running bundles: signals in by bin id, Delta NLL, CLs and upper limits out; densities and their samples.

The public names load on first use: opening a session needs no scipy, which takes longer to import than a
small bundle to validate.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb.runtime.asymptotics import N_SIGMA, cls_expected, cls_observed, q_tilde
    from llb.runtime.density import Density, load_density
    from llb.runtime.density_height import DensityHeight
    from llb.runtime.density_profile import DensityProfile, profile_density
    from llb.runtime.differences import gradients
    from llb.runtime.draw_files import DRAW_FORMATS, arviz_groups, draws_bytes
    from llb.runtime.exclusion import limits
    from llb.runtime.graph_audit import audit_graph
    from llb.runtime.likelihood import ProfileLikelihood, load
    from llb.runtime.patchset import patchset_signals, read_patchset
    from llb.runtime.point_files import PointTable, read_points
    from llb.runtime.prior import check_prior, log_prior
    from llb.runtime.profile import ASIMOV_CURVES, Rays, rays
    from llb.runtime.result import Band, Limits
    from llb.runtime.scores import density_score, difference_score
    from llb.runtime.session import GraphSession, graph_file, open_graph, open_session
    from llb.runtime.signal import BinNames, aliases, signal_vector
    from llb.runtime.signal_files import Signals, read_signals

__all__ = [
    "ASIMOV_CURVES",
    "DRAW_FORMATS",
    "N_SIGMA",
    "Band",
    "BinNames",
    "Density",
    "DensityHeight",
    "DensityProfile",
    "GraphSession",
    "Limits",
    "PointTable",
    "ProfileLikelihood",
    "Rays",
    "Signals",
    "aliases",
    "arviz_groups",
    "audit_graph",
    "check_prior",
    "cls_expected",
    "cls_observed",
    "density_score",
    "difference_score",
    "draws_bytes",
    "gradients",
    "graph_file",
    "limits",
    "load",
    "load_density",
    "log_prior",
    "open_graph",
    "open_session",
    "patchset_signals",
    "profile_density",
    "q_tilde",
    "rays",
    "read_patchset",
    "read_points",
    "read_signals",
    "signal_vector",
]

# No module here may have the name of something public: importing it would put it in that name's place.
_HOMES = {
    **dict.fromkeys(("N_SIGMA", "cls_expected", "cls_observed", "q_tilde"), "asymptotics"),
    **dict.fromkeys(("DRAW_FORMATS", "arviz_groups", "draws_bytes"), "draw_files"),
    "limits": "exclusion",
    **dict.fromkeys(("Band", "Limits"), "result"),
    "audit_graph": "graph_audit",
    **dict.fromkeys(("Density", "load_density"), "density"),
    "DensityHeight": "density_height",
    **dict.fromkeys(("DensityProfile", "profile_density"), "density_profile"),
    **dict.fromkeys(("PointTable", "read_points"), "point_files"),
    **dict.fromkeys(("check_prior", "log_prior"), "prior"),
    **dict.fromkeys(("density_score", "difference_score"), "scores"),
    "gradients": "differences",
    **dict.fromkeys(("ProfileLikelihood", "load"), "likelihood"),
    **dict.fromkeys(("patchset_signals", "read_patchset"), "patchset"),
    **dict.fromkeys(("ASIMOV_CURVES", "Rays", "rays"), "profile"),
    **dict.fromkeys(("GraphSession", "graph_file", "open_graph", "open_session"), "session"),
    **dict.fromkeys(("BinNames", "aliases", "signal_vector"), "signal"),
    **dict.fromkeys(("Signals", "read_signals"), "signal_files"),
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb.runtime' has no attribute {name!r}")
    return getattr(import_module(f"llb.runtime.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
