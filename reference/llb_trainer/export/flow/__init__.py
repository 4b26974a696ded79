"""Normalizing flows as ONNX graphs, written by hand: `log_prob`, `sample` and `score`."""

from llb_trainer.export.flow.builder import OPSET
from llb_trainer.export.flow.graphs import CONDITION, TENSORS, log_prob_graph, sample_graph, score_graph

__all__ = ["CONDITION", "OPSET", "TENSORS", "log_prob_graph", "sample_graph", "score_graph"]
