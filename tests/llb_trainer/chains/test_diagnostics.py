"""R-hat and effective sample sizes of chains of which they are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from llb_trainer.chains import Parameter, ParameterSamples, diagnose

Floats = NDArray[np.float64]


def chains(values: Floats) -> ParameterSamples:
    """Samples of chains (chains, draws, D)."""
    count, draws, wide = values.shape
    parameters = tuple(Parameter(f"p{i}") for i in range(wide))
    chain = np.repeat(np.arange(count, dtype=np.int64), draws)
    return ParameterSamples(parameters, values.reshape(-1, wide), chain=chain)


def autoregressive(correlation: float, count: int = 4, draws: int = 4000) -> Floats:
    """Stationary chains (chains, draws, 1) with this correlation between neighbours."""
    generator = np.random.default_rng(8)
    values = np.empty((count, draws, 1))
    values[:, 0] = generator.standard_normal((count, 1))
    for i in range(1, draws):
        noise = np.sqrt(1 - correlation**2) * generator.standard_normal((count, 1))
        values[:, i] = correlation * values[:, i - 1] + noise
    return values


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_an_autoregressive_chain_is_worth_what_theory_says(correlation: float) -> None:
    found = diagnose(chains(autoregressive(correlation)))
    expected = 16_000 * (1 - correlation) / (1 + correlation)
    assert found.ess_bulk[0] == pytest.approx(expected, rel=0.15)
    assert found.r_hat[0] == pytest.approx(1.0, abs=0.01)
    assert found.findings() == ()


def test_chains_that_disagree() -> None:
    values = np.random.default_rng(1).standard_normal((4, 1000, 3))
    values[2, :, 1] += 1.0
    found = diagnose(chains(values))
    assert found.r_hat[1] > 1.05 > found.r_hat[[0, 2]].max()
    report = found.findings("here")
    assert [item.code for item in report] == ["LLB-L221", "LLB-L222"]
    assert "p1" in report[0].message
    assert "1 of 3" in report[0].message


def test_halves_of_one_chain_that_disagree() -> None:
    values = np.random.default_rng(1).standard_normal((1, 2000, 1)) + np.linspace(0, 1, 2000)[:, None]
    samples = ParameterSamples((Parameter("p"),), values[0])
    assert diagnose(samples).r_hat[0] > 1.01


def test_tails_that_disagree() -> None:
    """Equal middles, different spreads: only the folded ranks see it."""
    values = np.random.default_rng(1).standard_normal((4, 2000, 1)) * np.array([1, 1, 1, 1.5])[:, None, None]
    assert diagnose(chains(values)).r_hat[0] > 1.01


def test_what_never_moved_has_not_converged() -> None:
    values = np.random.default_rng(1).standard_normal((4, 500, 2))
    values[:, :, 1] = 3.0
    assert [item.code for item in diagnose(chains(values)).findings()] == ["LLB-L221", "LLB-L222"]
    assert [item.code for item in diagnose(chains(values[:, :3])).findings()] == ["LLB-L221", "LLB-L222"]


def test_few_samples_and_divergences() -> None:
    values = np.random.default_rng(1).standard_normal((2, 100, 1))
    report = diagnose(chains(values), divergences=3).findings(r_hat=2.0)
    assert [item.code for item in report] == ["LLB-L222", "LLB-L223"]
    assert [str(item.severity) for item in report] == ["error", "warning"]
