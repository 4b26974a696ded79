"""Hostile changes to graphs: nodes, attributes, weights and signature, or only bytes."""

from __future__ import annotations

from random import Random

import onnx
from mutated_documents import mutate_bytes

__all__ = ["mutate_graph"]


def mutate_graph(data: bytes, random: Random) -> bytes:
    """Another ONNX file: nodes, attributes, weights and signature changed, or only bytes of it."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
        for _ in range(random.randint(1, 3)):
            _change_model(model, random)
        return model.SerializeToString()
    # protobuf refuses strings, numbers and files in several ways.
    except Exception:
        return mutate_bytes(data, random)


def _change_model(model: onnx.ModelProto, random: Random) -> None:
    change = random.choice((_change_nodes, _change_weights, _change_signature))
    change(model, random)


def _change_nodes(model: onnx.ModelProto, random: Random) -> None:
    nodes = model.graph.node
    node = random.choice(nodes)
    match random.randrange(5):
        case 0:
            operators = ("Add", "Pow", "Split", "Reshape", "Concat", "Where", "Loop", "Cast", "Slice")
            node.op_type = random.choice(operators)
        case 1:
            nodes.remove(node)
        case 2:
            nodes.append(node)
        case 3:
            names = [name for item in nodes for name in (*item.input, *item.output)]
            part = random.choice((node.input, node.output))
            part[random.randrange(len(part))] = random.choice(names)
        case _:
            value = random.choice((-1, 0, 2**62, 1.5, float("nan"), "x", [0, -1], [2**40]))
            name = random.choice(("axis", "to", "perm", "axes", "value_ints", "keepdims", "allowzero"))
            node.attribute.append(onnx.helper.make_attribute(name, value))


def _change_weights(model: onnx.ModelProto, random: Random) -> None:
    tensor = random.choice(model.graph.initializer)
    match random.randrange(4):
        case 0:
            tensor.dims[:] = random.choice(([], [0], [-1], [2**62] * 300, [1], [2, 2], [2**20, 2**20]))
        case 1:
            tensor.data_type = random.randrange(30)
        case 2:
            tensor.raw_data = mutate_bytes(tensor.raw_data, random)
        case _:
            tensor.ClearField("raw_data")
            tensor.int32_data.extend(random.choice(([], [-1], [2**31 - 1, -(2**31)], [0] * 9)))


def _change_signature(model: onnx.ModelProto, random: Random) -> None:
    graph = model.graph
    match random.randrange(3):
        case 0:
            tensor = random.choice((*graph.input, *graph.output)).type.tensor_type
            tensor.shape.dim.add().dim_value = random.choice((0, 1, -1, 2**62))
            tensor.elem_type = random.randrange(24)
        case 1:
            graph.input.reverse()
            graph.output.extend(random.choice((list(graph.input), list(graph.output))))
        case _:
            model.ir_version = random.choice((0, 7, 8, 10, 2**62))
            domain, version = random.choice(("", "ai.onnx", "x")), random.choice((-1, 17, 2**62))
            model.opset_import.add(domain=domain, version=version)
