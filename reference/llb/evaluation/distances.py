"""Distances between two samples, by column, along random directions, and of all columns together.

Samples are arrays (n, columns), standardised by the caller: a distance in physical units weighs columns by
their units. None of these numbers means anything without its null, the same number between two samples of one
distribution, which depends on n and on the number of columns: see `llb.evaluation.null_tests`.

References: arXiv:2309.09743 (mean KS, sliced Wasserstein), arXiv:2409.16336 (sliced KS, Frobenius norm,
Frechet and maximum mean discrepancy, calibration by nulls).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "correlation_distance",
    "frechet_distance",
    "ks_distances",
    "ks_of_sorted",
    "polynomial_mmd",
    "random_directions",
    "sorted_columns",
    "wasserstein_distances",
    "wasserstein_of_sorted",
]

Array = NDArray[np.float64]

# Rows of the kernel matrix that are held at once.
_BLOCK = 2048


def random_directions(count: int, columns: int, generator: np.random.Generator) -> Array:
    """Unit vectors, independent and uniform on the sphere, shape (columns, count): samples @ directions."""
    normal = generator.standard_normal((columns, count))
    return normal / np.linalg.norm(normal, axis=0)


def sorted_columns(points: Array) -> Array:
    """The values of each column in ascending order, (columns, n): what most distances begin with."""
    return np.sort(np.ascontiguousarray(points.T), axis=1)


def ks_distances(one: Array, two: Array) -> Array:
    """The largest difference of the empirical distribution functions, by column.

    Args:
        one: (n, columns).
        two: (m, columns); ties within and between the samples are taken as what they are.

    Returns:
        (columns,), between 0 and 1.
    """
    return ks_of_sorted(sorted_columns(one), sorted_columns(two))


def ks_of_sorted(first: Array, second: Array) -> Array:
    """`ks_distances` of `sorted_columns`."""
    return np.array([_largest_step(*pair) for pair in zip(first, second, strict=True)])


def _largest_step(first: Array, second: Array) -> float:
    """Both functions are constant but at values of either sample, where they have their whole step."""
    steps = [
        np.searchsorted(first, values, "right") / len(first)
        - np.searchsorted(second, values, "right") / len(second)
        for values in (first, second)
    ]
    return float(max(np.abs(item).max() for item in steps))


def wasserstein_distances(one: Array, two: Array) -> Array:
    """The 1-Wasserstein distance by column: the mean absolute difference of the quantile functions.

    Args:
        one: (n, columns).
        two: (m, columns).

    Returns:
        (columns,), in the unit of the columns.
    """
    return wasserstein_of_sorted(sorted_columns(one), sorted_columns(two))


def wasserstein_of_sorted(first: Array, second: Array) -> Array:
    """`wasserstein_distances` of `sorted_columns`."""
    sizes = first.shape[1], second.shape[1]
    if sizes[0] == sizes[1]:
        return np.mean(np.abs(first - second), axis=1)
    # Both functions are constant between the merged edges of their steps.
    edges = np.union1d(*(np.arange(1, size + 1) / size for size in sizes))
    widths = np.diff(edges, prepend=0.0)
    middles = edges - 0.5 * widths
    quantiles = [part[:, (middles * part.shape[1]).astype(np.intp)] for part in (first, second)]
    return np.abs(quantiles[0] - quantiles[1]) @ widths


def correlation_distance(one: Array, two: Array) -> float:
    """The Frobenius norm of the difference of the matrices of linear correlation; constant columns have 0."""
    return float(np.linalg.norm(_correlation(one) - _correlation(two)))


def _correlation(points: Array) -> Array:
    centred = points - points.mean(axis=0)
    width = centred.std(axis=0)
    scaled = np.divide(centred, width, out=np.zeros_like(centred), where=width > 0.0)
    return scaled.T @ scaled / len(points)


def frechet_distance(one: Array, two: Array) -> float:
    """The squared Frechet distance of the Gaussians with the means and covariances of the samples.

    |m - k|^2 + tr(S + T - 2 (S T)^(1/2)). It is larger than 0 for equal distributions, by its null.
    """
    mean = one.mean(axis=0) - two.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(points, rowvar=False)) for points in (one, two))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # S^(1/2) T S^(1/2) is symmetric and has the eigenvalues of S T.
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0.0)).sum()
    return float(mean @ mean + np.trace(first) + np.trace(second) - 2.0 * mixed)


def polynomial_mmd(one: Array, two: Array) -> float:
    """The unbiased squared maximum mean discrepancy with the kernel (x . y / columns + 1)^4.

    It is 0 in the mean for equal distributions, and may be negative. The cost grows with the square of n.
    """
    first, second = len(one), len(two)
    own = _kernel_sum(one, one) - _kernel_diagonal(one)
    other = _kernel_sum(two, two) - _kernel_diagonal(two)
    return float(
        own / (first * (first - 1))
        + other / (second * (second - 1))
        - 2.0 * _kernel_sum(one, two) / (first * second)
    )


def _kernel_sum(one: Array, two: Array) -> float:
    total = 0.0
    for start in range(0, len(one), _BLOCK):
        kernel = one[start : start + _BLOCK] @ two.T
        kernel /= one.shape[1]
        kernel += 1.0
        np.square(kernel, out=kernel)
        np.square(kernel, out=kernel)
        total += float(kernel.sum())
    return total


def _kernel_diagonal(points: Array) -> float:
    return float(np.sum((np.sum(points**2, axis=1) / points.shape[1] + 1.0) ** 4))
