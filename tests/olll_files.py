"""OLLL v0.1 files for tests: small networks made with onnx.helper, and metadata as the standard has them.

Four inputs, one of them in a channel with a dash in its name and two bins, one control region, one channel
that is removed. Nothing here is taken from the incumbent's code or models.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from llb.bundle import AuxiliaryData
from llb.interop import DataSet, TeacherFacts

Array = NDArray[np.float64]

OUTPUTS = ("nLL_exp", "nLL_obs", "nLLA_exp", "nLLA_obs")
OURS = ("apriori", "observed", "apriori_asimov", "observed_asimov")
NAMES = ("SRa-0", "SR-b-0", "SR-b-1", "CRtop-0")
IDS = ("SRa[0]", "SR-b[0]", "SR-b[1]", "CRtop[0]")
OBSERVED = (5.0, 3.0, 4.0, 40.0)
BACKGROUND = (4.0, 2.5, 3.5, 42.0)
FITTED = (4.4, 2.7, 3.6, 40.5)
OFFSET = (4.0, 2.5, 3.5, 40.0)
LOWER = (-1.0, -0.5, -0.5, -4.0)
UPPER = (15.0, 10.0, 12.0, 8.0)
BASELINES = (20.0, 21.5, 19.25, 20.75)
ROLES = {"SRa": "SR", "SR-b": "SR", "CRtop": "CR", "CRold": "CR"}
# By output: data, and the rate without signal.
COUNTS = (
    (BACKGROUND, BACKGROUND),
    (OBSERVED, FITTED),
    (BACKGROUND, BACKGROUND),
    (FITTED, FITTED),
)
STANDARD = ("log_w_negatives", "standardization")
FEATURE_MEAN, FEATURE_STD = (2.0, 1.5, 1.75, 3.5), (0.5, 0.75, 0.6, 0.25)
TARGET_MEAN, TARGET_STD = (0.9, 1.1, 0.7, 0.8), (0.8, 0.9, 0.7, 1.2)


def facts() -> TeacherFacts:
    """The teacher behind the files, as a bundle states it."""
    bins = dict(zip(IDS, BACKGROUND, strict=True))
    channels = {"SRa": 1, "SR-b": 2, "CRtop": 1, "CRold": 1}
    auxiliary = (AuxiliaryData("lumi", (1.0,)),)
    data = {
        "observed": OBSERVED,
        "observed_asimov": FITTED,
        "apriori": BACKGROUND,
        "apriori_asimov": BACKGROUND,
    }
    return TeacherFacts(
        teacher={
            "kind": "histfactory",
            "files": [{"name": "BkgOnly.json", "bytes": 17, "sha256": "0" * 64}],
            "pyhf_digest": "1" * 64,
            "measurement": "toy",
            "poi": "mu_SIG",
            "interpolation": {"normsys": "code4", "histosys": "code4p"},
            "channels": [{"name": key, "bins": size, "samples": ["bkg"]} for key, size in channels.items()],
            "software": [{"name": "pyhf", "version": "0.7.6"}],
        },
        background=bins,
        data={name: DataSet(dict(zip(IDS, main, strict=True)), auxiliary) for name, main in data.items()},
    )


def document() -> dict[str, Any]:
    """The metadata as JSON values; `texts` writes them down."""
    pairs = [*zip(NAMES, OBSERVED, BACKGROUND, strict=True), ("CRold-0", 100.0, 99.5)]
    return {
        "olll_schema_version": "0.1",
        "model_type": "Regressor",
        "model_name": "TOY-2026-01_MuMLP-2x8",
        "model_author": "Ada Example, Ben Example",
        "model_license": "CC BY 4.0",
        "source": {
            "analysis_id": "ATLAS-TOY-2026-01",
            "arxiv": "1007.1727",
            "experiment": "ATLAS",
            "sqrt_s": 13.0,
            "luminosity": 139.0,
            "inspire_id": "855936",
            "statistical_model": {
                "type": "histfactory",
                "reference": "https://doi.org/10.17182/hepdata.12345.v1/r2",
                "filename": "BkgOnly.json",
            },
        },
        "input_type": "total_yields",
        "channels": [dict(ROLES)],
        "obs_yields": [[name, observed] for name, observed, _ in pairs],
        "bkg_yields": [[name, background] for name, _, background in pairs],
        "bkg_unc": [[name, 1.0] for name, _, _ in pairs],
        "removeCRsVRs": True,
        "remove_channels": ["CRold"],
        "x_min": [base + low for base, low in zip(OFFSET, LOWER, strict=True)],
        "x_max": [base + high for base, high in zip(OFFSET, UPPER, strict=True)],
        "y_min": [-1.0] * 4,
        "y_max": [60.0, 50.0, 60.0, 40.0],
        "preprocessing": {"features_pipeline": list(STANDARD), "nLLs_pipeline": list(STANDARD)},
        "run_config": {
            "data": {"trafos": {"fvs_standardized": list(STANDARD)}, "nLL_trafos": list(STANDARD)}
        },
        "standardization": {
            "features_mean": [list(FEATURE_MEAN)],
            "features_std": [list(FEATURE_STD)],
            "nLLs_mean": [list(TARGET_MEAN)],
            "nLLs_std": [list(TARGET_STD)],
        },
        **{f"{name}_mu0": value for name, value in zip(OUTPUTS, BASELINES, strict=True)},
        **{f"{name}_max": [0.0, value] for name, value in zip(OUTPUTS, BASELINES, strict=True)},
    }


def pipelines(features: Sequence[str], outputs: Any) -> dict[str, Any]:
    """Both descriptions of the transforms, saying the same; only the first has outputs by their names."""
    listed = outputs
    if isinstance(outputs, dict) and isinstance(outputs["per_output"], dict):
        listed = outputs | {"per_output": list(outputs["per_output"].values())}
    return {
        "preprocessing": {"features_pipeline": list(features), "nLLs_pipeline": outputs},
        "run_config": {"data": {"trafos": {"fvs_standardized": list(features)}, "nLL_trafos": listed}},
    }


def texts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Values as metadata: text as it is, the rest as JSON."""
    return [(key, item if isinstance(item, str) else json.dumps(item)) for key, item in values.items()]


def with_metadata(model: onnx.ModelProto, pairs: Sequence[tuple[str, str]]) -> onnx.ModelProto:
    result = copy.deepcopy(model)
    for key, value in pairs:
        result.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
    return result


def write(folder: Path, model: onnx.ModelProto, values: Mapping[str, Any] | None = None) -> Path:
    """A file with the network and the metadata, by default those of `document`."""
    path = folder / "model.onnx"
    pairs = texts(document() if values is None else values)
    path.write_bytes(with_metadata(model, pairs).SerializeToString())
    return path


def _model(
    nodes: list[onnx.NodeProto], constants: Mapping[str, NDArray[Any]], width: int, outputs: int, opset: int
) -> onnx.ModelProto:
    kind = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("features", kind, ["batch", width])],
        [helper.make_tensor_value_info("nLLs", kind, ["batch", outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def learned(
    *,
    inputs: int = 4,
    activation: str = "Erf",
    target: Sequence[float] = (0.0,) * 4,
    at: Sequence[float] | None = None,
    outputs: int = 8,
    opset: int = 17,
    seed: int = 3,
    strength: float = 0.35,
) -> onnx.ModelProto:
    """A small random network: two layers, softplus for the sigmas, and what it should be at one point.

    Args:
        activation: `Erf` for GELU as it is exported, or an operator of one input.
        target: its first four outputs at the features `at`, by default those of no signal.
    """
    draw = np.random.default_rng(seed)
    hidden = 8
    at = standard_features(np.array(OFFSET)) if at is None else at
    constants: dict[str, NDArray[Any]] = {
        "w1": draw.normal(size=(inputs, hidden), scale=strength),
        "b1": draw.normal(size=hidden, scale=0.1),
        "w2": draw.normal(size=(hidden, 8), scale=strength),
        "b2": np.concatenate([np.zeros(4), np.full(4, -4.0)]),
        "half": np.array(0.5),
        "one": np.array(1.0),
        "root": np.array(math.sqrt(2.0)),
    }
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    constants |= {"four": np.array([4, 4], np.int64)}
    nodes = [helper.make_node("Gemm", ["features", "w1", "b1"], ["h"])]
    if activation == "Erf":
        nodes += [
            helper.make_node("Div", ["h", "root"], ["scaled"]),
            helper.make_node("Erf", ["scaled"], ["erf"]),
            helper.make_node("Add", ["erf", "one"], ["gate"]),
            helper.make_node("Mul", ["h", "gate"], ["twice"]),
            helper.make_node("Mul", ["twice", "half"], ["a"]),
        ]
    else:
        nodes += [helper.make_node(activation, ["h"], ["a"])]
    nodes += [
        helper.make_node("Gemm", ["a", "w2", "b2"], ["raw"]),
        helper.make_node("Split", ["raw", "four"], ["values", "widths"], axis=1),
        helper.make_node("Softplus", ["widths"], ["sigmas"]),
        helper.make_node("Concat", ["values", "sigmas"], ["nLLs" if outputs == 8 else "whole"], axis=1),
    ]
    if outputs == 4:
        nodes += [helper.make_node("Identity", ["values"], ["nLLs"])]
    model = _model(nodes, constants, inputs, outputs, opset)
    if outputs == 8 and inputs == len(at):
        found = run(model, np.asarray(at, np.float32)[np.newaxis])[0, :4]
        bias = constants["b2"].copy()
        bias[:4] += np.asarray(target) - found
        place = [item.name for item in model.graph.initializer].index("b2")
        model.graph.initializer[place].CopyFrom(numpy_helper.from_array(bias.astype(np.float32), "b2"))
    return model


def standard_features(total: Array) -> Array:
    """What the standard pipeline makes of total yields."""
    return (np.sign(total) * np.log1p(np.abs(total)) - np.array(FEATURE_MEAN)) / np.array(FEATURE_STD)


def standard_zero() -> Array:
    """What the standard pipeline makes of a Delta NLL of 0."""
    return -np.array(TARGET_MEAN) / np.array(TARGET_STD)


def counting(*, shift: float = 0.0, dip: float = 0.0, log_target: bool = True) -> onnx.ModelProto:
    """A network that is exact: Poisson counts, Delta NLL = sum s - n ln(1 + s/rate), of total yields.

    Its features are the total yields themselves; its targets are log_w_negatives and standardised, or plain.

    Args:
        shift: added to every Delta NLL, as a closure error.
        dip: this times the yield of the first bin is subtracted.
    """
    data = np.array([item[0] for item in COUNTS]).T
    rate = np.array([item[1] for item in COUNTS]).T
    slopes = np.ones((4, 4)) - np.outer([dip, 0.0, 0.0, 0.0], np.ones(4))
    constants: dict[str, NDArray[Any]] = {
        "offset": np.array(OFFSET),
        "slopes": slopes,
        "rate": rate[np.newaxis],
        "data": data[np.newaxis],
        "one": np.array(1.0),
        "shift": np.array(shift),
        "mean": np.array(TARGET_MEAN),
        "std": np.array(TARGET_STD),
        "tiny": np.array(0.01),
        "nothing": np.array(0.0),
    }
    constants = {name: value.astype(np.float32) for name, value in constants.items()}
    constants |= {"last": np.array([2], np.int64), "bins": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Sub", ["features", "offset"], ["s"]),
        helper.make_node("MatMul", ["s", "slopes"], ["cost"]),
        helper.make_node("Unsqueeze", ["s", "last"], ["column"]),
        helper.make_node("Div", ["column", "rate"], ["ratio"]),
        helper.make_node("Add", ["ratio", "one"], ["total"]),
        helper.make_node("Log", ["total"], ["log"]),
        helper.make_node("Mul", ["log", "data"], ["terms"]),
        helper.make_node("ReduceSum", ["terms", "bins"], ["gain"], keepdims=0),
        helper.make_node("Sub", ["cost", "gain"], ["exact"]),
        helper.make_node("Add", ["exact", "shift"], ["delta"]),
    ]
    if log_target:
        nodes += [
            helper.make_node("Abs", ["delta"], ["size"]),
            helper.make_node("Add", ["size", "one"], ["grown"]),
            helper.make_node("Log", ["grown"], ["logged"]),
            helper.make_node("Sign", ["delta"], ["sign"]),
            helper.make_node("Mul", ["sign", "logged"], ["signed"]),
            helper.make_node("Sub", ["signed", "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "std"], ["values"]),
        ]
    else:
        nodes += [helper.make_node("Identity", ["delta"], ["values"])]
    nodes += [
        helper.make_node("Mul", ["values", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "tiny"], ["sigmas"]),
        helper.make_node("Concat", ["values", "sigmas"], ["nLLs"], axis=1),
    ]
    return _model(nodes, constants, 4, 8, 17)


def counting_document(*, log_target: bool = True) -> dict[str, Any]:
    """The metadata that go with `counting`."""
    return document() | pipelines([], list(STANDARD) if log_target else [])


def exact_delta(signals: Array) -> Array:
    """Delta NLL (n, 4) of `counting`, by their outputs."""
    data, rate = (np.array([item[part] for item in COUNTS]) for part in (0, 1))
    rows = signals[:, np.newaxis, :]
    return (rows - data * np.log(1.0 + rows / rate)).sum(axis=-1)


def run(model: onnx.ModelProto, rows: NDArray[Any]) -> Array:
    """The network itself, in onnxruntime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    (found,) = session.run(None, {session.get_inputs()[0].name: np.asarray(rows, np.float32)})
    return np.asarray(found, np.float64)


def signals(count: int, seed: int = 0) -> Array:
    """Random signals in the box, denser towards zero."""
    draw = np.random.default_rng(seed)
    rows = draw.uniform(LOWER, UPPER, size=(count, 4))
    return rows * draw.uniform(0.0, 1.0, size=(count, 1)) ** 2
