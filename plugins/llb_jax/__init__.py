"""LLB bundles as JAX functions, to be compiled, differentiated and mapped: `llb_jax.load("stau.llb")`."""

from llb_jax.likelihood import JaxLikelihood, load

__all__ = ["JaxLikelihood", "load"]
