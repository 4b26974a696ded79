from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from outside import fetching, uv

from llb.bundle import GraphSpec, TensorSpec
from llb.runtime import audit_graph
from llb_schema import FindingError
from llb_trainer.export.onnx import INPUT, OPSET, OUTPUT, SIGMA, profile_graph
from llb_trainer.training.analytic import AnalyticProfile
from llb_trainer.training.network import Calibration, ProfileNetwork

Floats = NDArray[np.float64]


def random_network(
    n_bins: int = 3,
    curves: tuple[str, ...] = ("observed", "observed_asimov", "apriori"),
    counts: tuple[int, ...] = (3, 1, 2),
    members: int = 2,
    widths: tuple[int, ...] = (8, 5),
) -> ProfileNetwork:
    """An untrained network with every feature of a trained one."""
    rng = np.random.default_rng([n_bins, *counts, members, *widths])
    n_branches, shape = sum(counts), (len(curves), n_bins)
    sizes = [n_bins, *widths, n_branches]
    data = rng.poisson(20.0, shape).astype(np.float64)
    data[-1, -1] = 0.0
    rate = np.where(data > 0, rng.uniform(0.8, 1.3, shape) * data, 1.0)
    spread = rng.standard_normal((*shape, n_bins)) * np.sqrt(0.2 * rate * (data > 0))[:, :, None] / n_bins
    first = np.cumsum(counts) - counts
    offset = rng.uniform(0.1, 2.0, (members, n_branches))
    offset[:, first] = 0.0
    pairs = list(pairwise(sizes))
    return ProfileNetwork(
        curves=curves,
        asimov=tuple(name.endswith("asimov") for name in curves),
        counts=counts,
        scale=rng.uniform(0.5, 20.0, n_bins),
        analytic=AnalyticProfile(data, rate, spread @ spread.mT, np.where(data > 0, 0.0, -0.3)),
        offset=offset,
        gain=rng.uniform(0.5, 1.0, (members, n_branches)),
        tilt=0.01 * rng.standard_normal((members, n_bins, n_branches)),
        kernels=tuple(rng.standard_normal((members, a, b)) for a, b in pairs),
        biases=tuple(rng.standard_normal((members, b)) for _, b in pairs),
        calibration=Calibration(rng.uniform(1.0, 2.0, len(curves)), rng.uniform(0.01, 0.1, len(curves))),
    )


def signals(network: ProfileNetwork, n: int = 200) -> Floats:
    """Signals of every size, the zero signal among them, also with negative yields."""
    rng = np.random.default_rng(1)
    size = 10 ** rng.uniform(-6, 2, (n, 1))
    rows = network.scale * size * rng.standard_normal((n, len(network.scale)))
    rows[n // 2] = 0.0
    return rows


def run(data: bytes, rows: NDArray[np.floating]) -> NDArray[np.floating]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return np.concatenate(session.run(None, {INPUT: rows}), axis=1)


def both(network: ProfileNetwork, rows: Floats) -> Floats:
    """Delta NLL and its standard deviation, side by side as `run` gives them."""
    return np.concatenate([network(rows), network.sigma(rows)], axis=1)


SHAPES = {
    "typical": random_network(),
    "one of everything": random_network(1, ("observed",), (1,), 1, (4,)),
    "no hidden layer": random_network(4, widths=()),
    "deep and wide": random_network(12, members=4, widths=(32, 32, 32)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_graph_agrees_with_the_network(name: str) -> None:
    network = SHAPES[name]
    rows = signals(network)
    expected = both(network, rows)
    got = run(profile_graph(network), rows)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11)
    assert np.ptp(expected) > 1.0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000])
def test_no_signal_is_exactly_zero_in_every_batch(dtype: str, size: int) -> None:
    network = SHAPES["deep and wide"]
    rows = signals(network, 2 * size)[:size].astype(dtype)
    rows[size // 2] = 0.0
    got = run(profile_graph(network, "float32" if dtype == "float32" else "float64"), rows)
    assert np.all(got[size // 2] == 0.0)
    assert size == 1 or np.any(got != 0.0)


@pytest.mark.parametrize("name", SHAPES)
def test_the_audit_has_nothing_to_say(name: str) -> None:
    network = SHAPES[name]
    ends = [
        TensorSpec(tensor, "float64", ("batch", width))
        for tensor, width in (
            (INPUT, len(network.scale)),
            (OUTPUT, len(network.curves)),
            (SIGMA, len(network.curves)),
        )
    ]
    spec = GraphSpec("delta_nll", "graph.onnx", OPSET, ends[0], tuple(ends[1:]))
    assert audit_graph(profile_graph(network), spec) == ()


def test_without_a_calibration_there_is_one_output() -> None:
    network = replace(SHAPES["typical"], calibration=None)
    model = onnx.load_from_string(profile_graph(network))
    assert [item.name for item in model.graph.output] == [OUTPUT]


def test_the_float32_twin_is_close_and_has_its_own_type() -> None:
    network = SHAPES["typical"]
    rows = signals(network).astype(np.float32)
    got = run(profile_graph(network, "float32"), rows)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, both(network, rows.astype(np.float64)), rtol=1e-3, atol=1e-3)


def test_the_file_says_what_its_columns_are() -> None:
    network = SHAPES["typical"]
    model = onnx.load_from_string(profile_graph(network, bins=("SR[0]", "SR[1]", "CR[0]")))
    facts = {item.key: item.value for item in model.metadata_props}
    assert facts["llb.bins"] == "SR[0],SR[1],CR[0]"
    assert facts["llb.curves"] == "observed,observed_asimov,apriori"
    assert "never background" in model.doc_string
    assert "Sigmoid" not in {node.op_type for node in model.graph.node}


def test_the_bytes_are_always_the_same() -> None:
    assert profile_graph(random_network()) == profile_graph(random_network())


@pytest.mark.parametrize(
    "broken",
    [
        replace(SHAPES["typical"], scale=np.array([1.0, np.nan, 1.0])),
        replace(
            SHAPES["typical"], kernels=(SHAPES["typical"].kernels[0] * np.inf, *SHAPES["typical"].kernels[1:])
        ),
        replace(
            SHAPES["typical"],
            kernels=(
                SHAPES["typical"].kernels[0],
                SHAPES["typical"].kernels[1] * np.inf,
                SHAPES["typical"].kernels[2],
            ),
        ),
        replace(SHAPES["typical"], gain=SHAPES["typical"].gain * np.inf),
        replace(SHAPES["typical"], offset=SHAPES["typical"].offset + 1e-9),
    ],
    ids=["NaN", "infinite", "infinite and of both signs", "infinite times nothing", "not zero at zero"],
)
def test_what_cannot_be_published_is_refused(broken: ProfileNetwork) -> None:
    with pytest.raises(FindingError, match="LLB-T020"):
        profile_graph(broken)


def test_weights_beyond_float32_are_refused_there_only() -> None:
    network = replace(SHAPES["typical"], tilt=SHAPES["typical"].tilt * 1e60)
    assert profile_graph(network, "float64")
    with pytest.raises(FindingError, match="LLB-T020"):
        profile_graph(network, "float32")


PROBE = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
rows = np.load(sys.argv[2])
np.save(sys.argv[3], np.concatenate(session.run(None, {"signal": rows}), axis=1))
print(json.dumps(onnxruntime.__version__))
"""


@pytest.fixture(scope="module")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with the oldest supported onnxruntime."""
    home = tmp_path_factory.mktemp("onnxruntime") / "env"
    python = str(home / "bin" / "python")
    fetching(uv(), "venv", "--quiet", "--python", sys.executable, str(home))
    fetching(uv(), "pip", "install", "--quiet", "--python", python, "onnxruntime==1.20.*", "numpy")
    return python


@pytest.mark.parametrize("name", SHAPES)
def test_the_oldest_supported_onnxruntime_gives_the_same(oldest: str, name: str, tmp_path: Path) -> None:
    network = SHAPES[name]
    rows = signals(network)
    graph, given, found = (tmp_path / part for part in ("graph.onnx", "signals.npy", "delta.npy"))
    graph.write_bytes(profile_graph(network))
    np.save(given, rows)
    done = subprocess.run(
        [oldest, "-c", PROBE, str(graph), str(given), str(found)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout).startswith("1.20.")
    got = np.load(found)
    np.testing.assert_allclose(got, both(network, rows), rtol=1e-11, atol=1e-11)
    assert np.all(got[len(rows) // 2] == 0.0)
