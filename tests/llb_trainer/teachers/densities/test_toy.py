"""The toy search: anchors of the published code, and what its density is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from numpy.typing import NDArray
from scipy.stats import norm, poisson

from llb_schema import FindingError
from llb_trainer.mcmc import highest_density
from llb_trainer.teachers.densities import ToyDensity, read_toy

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def toy_file(shared_data: Path) -> Path:
    return shared_data / "toy" / "toy_likelihood_data.json"


@pytest.fixture(scope="module")
def toy(toy_file: Path) -> ToyDensity:
    return read_toy(toy_file)


def invented() -> dict[str, Any]:
    """Numbers of six bins, which are nobody's."""
    document: dict[str, Any] = {
        "data": [12, 7, 30, 22, 5, 0],
        "exp_background": [11.04, 8.0, 28.0, 24.0, 4.0, 1.5],
        "signal": [0.0, 1.0, 0.5, 2.0, 0.0, 3.0],
        "epsI_MCstat": [0.1, 0.2, 0.05, 0.1, 0.3, 0.4],
    }
    for i, name in enumerate(("ISR", "JES")):
        document[f"kpI_{name}"] = [1.0 + 0.02 * (i + 1) * b for b in range(6)]
        document[f"kmI_{name}"] = [1.0 - 0.015 * (i + 1) * b for b in range(6)]
    for i, name in enumerate(("ISR", "JES", "LV", "CR")):
        document[f"Kp_{name}"] = [0.1, -0.05 * (i + 1), 0.2]
        document[f"Km_{name}"] = [-0.08, 0.04 * (i + 1), -0.15]
    return document


def written(folder: Path, document: object) -> Path:
    path = folder / "toy.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def by_hand(document: dict[str, Any], theta: Floats) -> tuple[float, float]:
    """Log likelihood and log prior, bin by bin, as the formulas are written."""
    bins, mu, delta = len(document["data"]), theta[0], theta[1:]
    size, total = bins // 3, 0.0
    systematics = dict(zip(("ISR", "JES", "LV", "CR"), delta[bins:], strict=True))
    background = [round(value, 1) for value in document["exp_background"]]
    for c in range(3):
        own = range(c * size, (c + 1) * size)
        n_c = sum(background[b] for b in own)
        fractions: dict[int, float] = {}
        for b in own:
            fractions[b] = background[b] / n_c
            for name in ("ISR", "JES"):
                d, up, down = systematics[name], document[f"kpI_{name}"][b], document[f"kmI_{name}"][b]
                if abs(d) <= 1:
                    f = 0.5 * d * (d - 1) * down - (d - 1) * (d + 1) + 0.5 * d * (d + 1) * up
                elif d > 1:
                    f = (0.5 * (3 * up + down) - 2) * d - 0.5 * (up + down) + 2
                else:
                    f = (2 - 0.5 * (3 * down + up)) * d - 0.5 * (up + down) + 2
                fractions[b] *= f
        factor = 1.0
        for name, d in systematics.items():
            change = document[f"Kp_{name}"][c] if d >= 0 else document[f"Km_{name}"][c]
            factor *= (1 + change) ** abs(d)
        for b in own:
            expected = n_c * factor * fractions[b] / sum(fractions.values())
            expected *= (1 + document["epsI_MCstat"][b]) ** delta[b]
            total += float(poisson.logpmf(document["data"][b], expected + mu * document["signal"][b]))
    return total, float(norm.logpdf(delta).sum()) - np.log(5)


def test_anchors(toy: ToyDensity) -> None:
    with jax.enable_x64(True):
        likelihood, density = jax.jit(lambda t: (toy.log_likelihood(t), toy.log_density(t)))(jnp.zeros(95))
        assert float(likelihood) == pytest.approx(-201.33025046644343, abs=1e-9)
        assert float(density) == pytest.approx(-289.31991050011675, abs=1e-9)


def test_the_joint_mode(toy: ToyDensity) -> None:
    found = highest_density(toy)
    assert found.value == pytest.approx(-285.77833, abs=1e-5)
    assert found.mode[0] == pytest.approx(-0.0132, abs=5e-5)
    assert found.distance < 1e-8


def test_the_formulas_written_a_second_time(tmp_path: Path) -> None:
    document = invented()
    toy = read_toy(written(tmp_path, document))
    generator = np.random.default_rng(4)
    with jax.enable_x64(True):
        both = jax.jit(lambda t: (toy.log_likelihood(t), toy.log_prior(t)))
        for _ in range(30):
            theta = np.r_[generator.uniform(0, 4), 1.5 * generator.standard_normal(10)]
            found = [float(part) for part in both(jnp.asarray(theta))]
            np.testing.assert_allclose(found, by_hand(document, theta), rtol=1e-12)


def test_it_is_differentiable_where_pieces_meet(toy: ToyDensity) -> None:
    generator = np.random.default_rng(1)
    with jax.enable_x64(True):
        slope, value = jax.jit(jax.grad(toy.log_density)), jax.jit(toy.log_density)
        for systematic in (-1.0, 0.3, 1.0, 2.0):
            theta = np.r_[0.5, 0.5 * generator.standard_normal(90), [systematic] * 2, 0.4, -0.3]
            along = generator.standard_normal(95)
            ends = [float(value(jnp.asarray(theta + step * along))) for step in (1e-6, -1e-6)]
            expected = (ends[0] - ends[1]) / 2e-6
            assert float(slope(jnp.asarray(theta)) @ along) == pytest.approx(expected, rel=1e-5, abs=1e-4)


def test_no_density_outside(toy: ToyDensity) -> None:
    with jax.enable_x64(True):
        theta: Array = jnp.zeros(95)
        value, slope = jax.jit(toy.log_density), jax.jit(jax.value_and_grad(toy.log_likelihood))
        for mu in (-1.01, 5.01):
            assert float(value(theta.at[0].set(mu))) == -np.inf
        # a bin expects less than nothing within the bounds of mu already
        low = theta.at[0].set(-1.0).at[-4:].set(-4.0).at[1:-4].set(-6.0)
        likelihood, gradient = slope(low)
        assert float(likelihood) == -np.inf
        assert np.isfinite(np.asarray(gradient)).all()


def test_what_it_says_of_itself(toy: ToyDensity, toy_file: Path) -> None:
    poi, *others = toy.parameters
    assert (poi.name, poi.role, poi.bounds) == ("mu", "poi", (-1.0, 5.0))
    assert [item.name for item in others[-4:]] == ["ISR", "JES", "LV", "CR"]
    assert {item.role for item in others} == {"nuisance"}
    stated = json.loads(toy_file.read_bytes())["_meta"]["parameter_order"]
    assert len(stated) == len(toy.parameters)
    assert toy.prior[0].to_json() == {"parameter": "mu", "kind": "uniform"}
    assert toy.prior[-1].to_json() == {"parameter": "CR", "kind": "normal", "mean": 0.0, "width": 1.0}
    assert toy.log_normalisation is None
    (file,) = toy.source.files
    assert (file.name, file.bytes) == (toy_file.name, toy_file.stat().st_size)


def test_what_are_not_its_numbers(tmp_path: Path) -> None:
    faults: dict[str, object] = {
        "shorter": {**invented(), "signal": [0.0] * 5},
        "no list": {**invented(), "data": 3},
        "text": {**invented(), "exp_background": [*invented()["exp_background"][:5], "1.5"]},
        "not finite": {**invented(), "signal": [float("nan")] * 6},
        "too large": {**invented(), "signal": [10**400] * 6},
        "five bins": {key: value[:5] if len(value) == 6 else value for key, value in invented().items()},
        "no background": {**invented(), "exp_background": [0.01] * 6},
        "no bins": {key: [] for key in invented()},
        "a name left out": {key: value for key, value in invented().items() if key != "Km_CR"},
        "negative counts": {**invented(), "data": [-1] * 6},
        "a list": [1],
    }
    for fault in faults.values():
        with pytest.raises(FindingError) as error:
            read_toy(written(tmp_path, fault))
        assert [item.code for item in error.value.findings] == ["LLB-W080"]
    (tmp_path / "toy.json").write_text("{", encoding="utf-8")
    with pytest.raises(FindingError, match="LLB-W080"):
        read_toy(tmp_path / "toy.json")
    with pytest.raises(FindingError, match="LLB-X003"):
        read_toy(tmp_path / "none.json")
