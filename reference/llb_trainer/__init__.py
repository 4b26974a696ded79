"""The maker's wing of LLB: from statistical models to learned likelihood bundles, with JAX."""
