"""LLB bundles in Spey: `spey.get_backend("llb.profile_likelihood")(bundle=..., signal_yields=...)`."""

from llb_spey.backend import ASIMOV_TOKEN, ProfileLikelihoodBackend

__all__ = ["ASIMOV_TOKEN", "ProfileLikelihoodBackend"]
