"""A trained normalizing flow as plain numbers: density, samples and base space in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_trainer.flows.layout import Layout
from llb_trainer.flows.spline import spline, spline_inverse
from llb_trainer.flows.units import UnitMap

__all__ = ["MAX_LOG_SCALE", "Flow", "Network", "activation"]

Floats = NDArray[np.float64]

MAX_LOG_SCALE = 8.0
"""Where the logarithm of an affine scale is cut off: no network output can make a density overflow."""


@dataclass(frozen=True)
class Network:
    """The masked network of one bijector; what a mask forbids is 0 in the weights.

    Attributes:
        kernels: (n_in, n_out) per layer, `Layout.sizes`; outputs are grouped by column.
        biases: (n_out,) per layer.
        conditioning: (conditions, n_out) per layer, or none without a condition.
    """

    kernels: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    conditioning: tuple[Floats, ...] = ()


@dataclass(frozen=True)
class Flow:
    """p(theta) or p(theta | condition).

    theta is taken to the standard scale (`units`), to unit covariance (`whitening`), and through the
    bijectors in turn, column by column `u = S((x - m) exp(-s))`, where shift m, log scale s and spline S
    depend on the columns before in that bijector's order. What comes out, z, has the density of independent
    normal numbers.

    Attributes:
        layout: shapes and orders.
        units: physical units to the standard scale and back.
        whitening: (D, D), lower triangular; x_white = whitening @ x_standard.
        networks: one per bijector.
        condition_shift, condition_scale: (conditions,), standardisation of the condition.
    """

    layout: Layout
    units: UnitMap
    whitening: Floats
    networks: tuple[Network, ...]
    condition_shift: Floats
    condition_scale: Floats

    def log_prob(self, theta: ArrayLike, condition: ArrayLike | None = None) -> Floats:
        """ln p, (n,), of points (n, D) in physical units, by 1 / product of those.

        Outside of the bounds it is -inf; a row with NaN gives NaN.

        Args:
            theta: points.
            condition: (n, conditions) or one row for all; needed exactly if the flow has one.

        Raises:
            ValueError: a shape is wrong.
        """
        points = self._rows(theta, self.layout.columns, "theta")
        inside = self.units.inside(points)
        z, log_slope = self._forward(np.where(inside[:, None], points, self._somewhere()), condition)
        found = log_slope - 0.5 * np.sum(z * z, axis=1) - 0.5 * self.layout.columns * np.log(2.0 * np.pi)
        found = np.where(inside, found, -np.inf)
        return np.where(np.isnan(points).any(axis=1), np.nan, found)

    def base(self, theta: ArrayLike, condition: ArrayLike | None = None) -> Floats:
        """z, (n, D): what of each draw is independent standard normal. NaN outside of the bounds."""
        points = self._rows(theta, self.layout.columns, "theta")
        inside = self.units.inside(points)
        z, _ = self._forward(np.where(inside[:, None], points, self._somewhere()), condition)
        return np.where(inside[:, None], z, np.nan)

    def sample(self, z: ArrayLike, condition: ArrayLike | None = None) -> Floats:
        """theta, (n, D), from base noise of the same shape: the inverse of `base`."""
        x = self._rows(z, self.layout.columns, "z")
        given = self._condition(condition, len(x))
        for number in reversed(range(len(self.networks))):
            x = self._inverse(number, x, given)
        return self.units.physical(np.linalg.solve(self.whitening, x.T).T)

    def _forward(self, theta: Floats, condition: ArrayLike | None) -> tuple[Floats, Floats]:
        given = self._condition(condition, len(theta))
        x, log_slope = self.units.standard(theta)
        x = x @ self.whitening.T
        log_slope = log_slope + np.sum(np.log(np.diag(self.whitening)))
        for network in self.networks:
            hidden, last = x, len(network.kernels) - 1
            for layer in range(last + 1):
                hidden = hidden @ network.kernels[layer] + self._offset(network, layer, given)
                hidden = hidden if layer == last else activation(hidden)
            numbers = hidden.reshape(len(x), self.layout.columns, self.layout.numbers)
            log_scale = np.clip(numbers[..., 1], -MAX_LOG_SCALE, MAX_LOG_SCALE)
            x = (x - numbers[..., 0]) * np.exp(-log_scale)
            log_slope = log_slope - log_scale.sum(axis=1)
            if self.layout.bins:
                x, more = spline(x, numbers[..., 2:], self.layout.box)
                log_slope = log_slope + more.sum(axis=1)
        return x, log_slope

    def _inverse(self, number: int, u: Floats, given: Floats) -> Floats:
        """One bijector backwards, a column at a time: each weight is used once."""
        network, layout = self.networks[number], self.layout
        order = list(layout.orders[number])
        _, *degrees = layout.degrees(number)
        x = np.zeros_like(u)
        ordered = np.zeros_like(u)
        hidden = [np.zeros((len(u), width)) for width in layout.widths]
        offsets = [self._offset(network, layer, given) for layer in range(len(network.kernels))]
        first, *others = network.kernels
        kernels = [first[order], *others]
        for known, column in enumerate(order):
            seen, values = known, ordered
            for layer, degree in enumerate(degrees):
                new = slice(*np.searchsorted(degree, [known, known + 1]))
                product = values[:, :seen] @ kernels[layer][:seen, new] + offsets[layer][:, new]
                hidden[layer][:, new] = activation(product)
                seen, values = new.stop, hidden[layer]
            mine = slice(column * layout.numbers, (column + 1) * layout.numbers)
            numbers = values[:, :seen] @ kernels[-1][:seen, mine] + offsets[-1][:, mine]
            v = u[:, column]
            if layout.bins:
                v = spline_inverse(v, numbers[:, 2:], layout.box)
            log_scale = np.clip(numbers[:, 1], -MAX_LOG_SCALE, MAX_LOG_SCALE)
            x[:, column] = ordered[:, known] = v * np.exp(log_scale) + numbers[:, 0]
        return x

    def _offset(self, network: Network, layer: int, given: Floats) -> Floats:
        """What a layer adds to its product, (n or 1, n_out)."""
        if not network.conditioning:
            return network.biases[layer][None]
        return network.biases[layer] + given @ network.conditioning[layer]

    def _condition(self, condition: ArrayLike | None, n: int) -> Floats:
        width = self.layout.conditions
        if (condition is not None) != bool(width):
            raise ValueError(f"this flow has {width} columns of condition")
        rows = self._rows(np.zeros((n, 0)) if condition is None else condition, width, "condition")
        if len(rows) not in {1, n}:
            raise ValueError(f"{len(rows)} rows of condition for {n} points")
        return np.broadcast_to((rows - self.condition_shift) / self.condition_scale, (n, width))

    def _somewhere(self) -> Floats:
        """A point inside the bounds."""
        return self.units.physical(np.zeros((1, self.layout.columns)))

    @staticmethod
    def _rows(values: ArrayLike, columns: int, name: str) -> Floats:
        rows = np.asarray(values, np.float64)
        if rows.ndim != 2 or rows.shape[1] != columns:
            raise ValueError(f"{name} has shape {rows.shape}, not (n, {columns})")
        return rows


def activation(x: Floats) -> Floats:
    """x + sqrt(x^2 + 1), a smooth ramp: squareplus (J. Barron, arXiv:2112.11687) without its factor 1/2."""
    return x + np.sqrt(x * x + 1.0)
