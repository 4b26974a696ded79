"""pyhf as the peer: the same signal, the same signal model, pyhf's own fits and asymptotics.

What a bundle answers in microseconds is set beside what pyhf answers from the full model. Nothing
here knows a bundle or a teacher, so the two sides of the comparison share no code.
"""

from llb_trainer.peer.compare import PeerJob, PeerResult, compare_point, compare_points
from llb_trainer.peer.fits import CURVES, KnownOptimum
from llb_trainer.peer.problem import (
    PeerProblem,
    PeerSearch,
    channel_yields,
    parameter_names,
    patch_yields,
    patched_problem,
    signal_problem,
)
from llb_trainer.peer.systematics import SystematicsEffect, signal_systematics_effect

__all__ = [
    "CURVES",
    "KnownOptimum",
    "PeerJob",
    "PeerProblem",
    "PeerResult",
    "PeerSearch",
    "SystematicsEffect",
    "channel_yields",
    "compare_point",
    "compare_points",
    "parameter_names",
    "patch_yields",
    "patched_problem",
    "signal_problem",
    "signal_systematics_effect",
]
