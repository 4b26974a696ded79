"""Sampling of signal space."""

from llb_trainer.sampling.signals import Background, Sampling, expected_delta, sample_signals, strengths

__all__ = ["Background", "Sampling", "expected_delta", "sample_signals", "strengths"]
