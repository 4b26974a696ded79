"""Small simplified likelihoods, and the same likelihood written a second time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from llb_trainer.teachers.simplified import SimplifiedTeacher, read_simplified_likelihood, simplified_teacher

Floats = NDArray[np.float64]

SIGMA = np.array([3.0, 1.5, 0.9, 6.0])
CORRELATION = np.array(
    [[1.0, 0.3, -0.2, 0.5], [0.3, 1.0, 0.1, 0.2], [-0.2, 0.1, 1.0, 0.0], [0.5, 0.2, 0.0, 1.0]]
)
SKEWNESS = np.array([0.8, 1.6, 2.2, -0.9])


def document(**changes: Any) -> dict[str, Any]:
    """Four regions, one without observed events; keys given as None are removed."""
    covariance = CORRELATION * np.outer(SIGMA, SIGMA)
    good = {
        "id": "toy",
        "arxiv": "https://arxiv.org/abs/1809.05548",
        "lumi": "137/fb",
        "regions": ["SR1", "SR2", "SR3", "CR"],
        "observed": [14, 5, 0, 60],
        "background": [12.0, 3.5, 0.7, 58.0],
        "background_error": SIGMA.tolist(),
        "covariance": covariance.tolist(),
        "third_moment": None,
    }
    return {**good, **changes}


def skewed(**changes: Any) -> dict[str, Any]:
    """The same with third moments, of both signs."""
    return document(**{"third_moment": (SKEWNESS * SIGMA**3).tolist(), **changes})


def one_bin(observed: float, background: float, sigma: float, third: float | None = None) -> dict[str, Any]:
    """A single region."""
    return document(
        regions=["SR"],
        observed=[observed],
        background=[background],
        background_error=[sigma],
        covariance=[[sigma**2]],
        third_moment=[third],
    )


def written(folder: Path, content: Any) -> Path:
    """The file of a document, or of raw text or bytes."""
    path = folder / "simplified.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def opened(folder: Path, content: Any) -> SimplifiedTeacher:
    """The teacher of a document."""
    return simplified_teacher(read_simplified_likelihood(written(folder, content)))


def coefficients(given: dict[str, Any]) -> tuple[Floats, Floats, Floats, Floats]:
    """a, b, c and the correlations of theta, by the formulas as the paper prints them (2.10 to 2.13)."""
    mean, covariance = np.array(given["background"]), np.array(given["covariance"])
    variance = np.diag(covariance)
    third = given["third_moment"] or [None]
    if third[0] is None:
        sigma = np.sqrt(variance)
        return mean, sigma, np.zeros_like(mean), covariance / np.outer(sigma, sigma)
    m = np.array(third)
    angle = 4.0 * np.pi / 3.0 + np.arctan(np.sqrt(8.0 * variance**3 / m**2 - 1.0)) / 3.0
    c = -np.sign(m) * np.sqrt(2.0 * variance) * np.cos(angle)
    b = np.sqrt(variance - 2.0 * c**2)
    bb, cc = np.outer(b, b), np.outer(c, c)
    return mean - c, b, c, (np.sqrt(bb**2 + 8.0 * cc * covariance) - bb) / (4.0 * cc)


def nll(given: dict[str, Any]) -> Callable[[Floats, Floats, Floats, Floats], float]:
    """The negative log likelihood of theta, signal, main and auxiliary data, term by term."""
    a, b, c, rho = coefficients(given)
    inverse, (_, log_det) = np.linalg.inv(rho), np.linalg.slogdet(2.0 * np.pi * rho)

    def value(theta: Floats, signal: Floats, main: Floats, auxiliary: Floats) -> float:
        total = 0.5 * (theta - auxiliary) @ inverse @ (theta - auxiliary) + 0.5 * log_det
        for rate, count in zip(a + b * theta + c * theta**2 + signal, main, strict=True):
            if rate < -1e-9 or (rate <= 0 and count > 0):
                return np.inf
            total += rate - (count * np.log(rate) if count else 0.0) + gammaln(count + 1.0)
        return float(total)

    return value


def lowest(
    given: dict[str, Any], signal: Floats, main: Floats, auxiliary: Floats, starts: int = 1, seed: int = 0
) -> float:
    """The minimum over theta that SciPy finds, from zero and random starts, with rates kept above zero."""
    a, b, c, rho = coefficients(given)
    value, inverse, rng = nll(given), np.linalg.inv(rho), np.random.default_rng(seed)
    factor = np.linalg.cholesky(rho)

    def rate(theta: Floats) -> Floats:
        return a + b * theta + c * theta**2 + signal

    def smooth(theta: Floats) -> float:
        # the line search also asks where nothing is possible
        return min(value(theta, signal, main, auxiliary), 1e9)

    def slope(theta: Floats) -> Floats:
        ratio = np.where(main > 0, main / np.maximum(rate(theta), 1e-12), 0.0)
        return (1.0 - ratio) * (b + 2.0 * c * theta) + inverse @ (theta - auxiliary)

    least = np.where(main > 0, 1e-9, 0.0)
    bound = {
        "type": "ineq",
        "fun": lambda theta: rate(theta) - least,
        "jac": lambda theta: np.diag(b + 2.0 * c * theta),
    }
    best = np.inf
    for k in range(starts):
        start = auxiliary + (factor @ rng.standard_normal(len(a)) if k else 0.0)
        found = minimize(
            smooth,
            start,
            jac=slope,
            method="SLSQP",
            constraints=[bound],
            options={"ftol": 1e-13, "maxiter": 500},
        )
        if np.all(rate(found.x) > -1e-9):
            best = min(best, found.fun)
    return best
