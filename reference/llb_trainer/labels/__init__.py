"""Labels: what training learns from."""

from llb_trainer.labels.labelset import LabelSet, Origin, make_labels
from llb_trainer.labels.pool import label_in_pool
from llb_trainer.labels.rows import concatenate, take
from llb_trainer.teachers.contract import Labels

__all__ = ["LabelSet", "Labels", "Origin", "concatenate", "label_in_pool", "make_labels", "take"]
