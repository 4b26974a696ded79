"""Inverses of Gauss-Newton matrices, whether bins or parameters are fewer."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from llb_trainer.teachers.histfactory.inverse import inverse_of, solve


@pytest.mark.parametrize(("n_bins", "n_parameters"), [(3, 7), (7, 3), (5, 5), (1, 4), (4, 1)])
def test_the_inverse_undoes_the_matrix(n_bins: int, n_parameters: int) -> None:
    rng = np.random.default_rng(0)
    scaled = rng.normal(size=(n_bins, n_parameters, 6))
    diagonal = 10.0 ** rng.uniform(-6.0, 2.0, size=(n_parameters, 6))
    wanted = rng.normal(size=(n_parameters, 6))
    matrix = np.einsum("bpn,bqn->npq", scaled, scaled) + np.einsum(
        "pn,pq->npq", diagonal, np.eye(n_parameters)
    )
    with jax.enable_x64(True):
        inverse = inverse_of(jnp.asarray(scaled), jnp.asarray(diagonal))
        assert inverse.factor.shape[1:] == (min(n_bins, n_parameters),) * 2
        found = np.asarray(solve(inverse, jnp.asarray(np.einsum("npq,qn->pn", matrix, wanted))))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
