"""Families of minima are told apart by the jumps of their parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb_trainer.training.families import families

Floats = NDArray[np.float64]


def jumping(n: int = 3000) -> tuple[Floats, NDArray[np.int64]]:
    """Parameters that follow the signal, jump, or stay where they are; and the family of each row."""
    rng = np.random.default_rng(4)
    x = rng.uniform(size=n)
    x[0] = 0.9
    true = np.digitize(x, [0.3, 0.8])
    return np.stack(
        [
            np.sin(3 * x),
            np.where(true == 0, -0.4 - 0.1 * x, 0.5 + 0.1 * x),
            np.where(true == 2, 1.0 + x, -0.3 * x),
            np.full(n, 0.25),
            rng.normal(size=n),
        ],
        axis=1,
    ), true


def test_each_jump_separates() -> None:
    parameters, true = jumping()
    found = families(parameters, np.ones(len(parameters), bool), 8)
    # The first label's family is 0, then they go by size.
    np.testing.assert_array_equal(found, np.array([2, 1, 0])[true])


def test_no_jump_is_one_family() -> None:
    parameters = np.random.default_rng(5).normal(size=(2000, 3))
    assert not families(parameters, np.ones(2000, bool), 8).any()
    assert not families(np.zeros((2000, 0)), np.ones(2000, bool), 8).any()


def test_what_is_too_much_joins_its_neighbour() -> None:
    parameters, true = jumping()
    found = families(parameters, np.ones(len(parameters), bool), 2)
    assert set(found[true == 2]) == {0}
    assert set(found) == {0, 1}


def test_very_strong_signals_do_not_hide_a_jump() -> None:
    parameters, true = jumping()
    far = np.zeros((500, parameters.shape[1]))
    far[:, 1] = np.linspace(-40.0, 40.0, 500)
    everything = np.concatenate([parameters, far])
    near = np.arange(len(everything)) < len(parameters)
    exact = np.array([2, 1, 0])[true]
    np.testing.assert_array_equal(families(everything, near, 8)[near], exact)
    assert not np.array_equal(families(everything, np.ones(len(everything), bool), 8)[near], exact)


def test_one_label_is_one_family() -> None:
    assert families(np.array([[5.0]]), np.ones(1, bool), 8).tolist() == [0]
