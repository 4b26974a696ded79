"""Labels: what training learns from."""

from llb_trainer.labels.labelset import LabelSet, Origin, make_labels, take

__all__ = ["LabelSet", "Origin", "make_labels", "take"]
