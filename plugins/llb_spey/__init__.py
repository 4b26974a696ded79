"""LLB bundles in Spey.

`spey.get_backend("llb.profile_likelihood")(bundle=..., signal_yields=...)` for profile likelihoods,
`spey.get_backend("llb.full_likelihood")(bundle=..., parameter=...)` for densities.
"""

from llb_spey.backend import ASIMOV_TOKEN, ProfileLikelihoodBackend
from llb_spey.density_backend import FullLikelihoodBackend

__all__ = ["ASIMOV_TOKEN", "FullLikelihoodBackend", "ProfileLikelihoodBackend"]
