"""From a trained network to a published bundle: `onnx` writes the graph, `emit` the bundle around it."""
