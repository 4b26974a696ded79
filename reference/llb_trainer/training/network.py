"""The learned function: what a trained ensemble computes, in plain numpy.

    Delta_c(s) = mean over members m of min over branches k of
                 offset[c,k] + slope[c,k].s + phi_c(s) * N_m[c,k](z(s))

with `phi_c = sqrt(1 + q_c) - 1`, `q_c = |metric_c^T s|^2`, so that the exact slope and curvature of the
teacher at zero signal are built in and the network only learns a ratio of order one. Delta_c(0) is
exactly 0: the smallest offset of each curve is 0 and everything else is multiplied by the signal.
`Min` joins the basins of a multi-modal likelihood, whose kinks no smooth function can follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ProfileNetwork"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileNetwork:
    """A trained ensemble of profile likelihood networks.

    Attributes:
        curves: names of the curves, in the order of the outputs.
        branches: names of the basins.
        scale: (n_bins,) signal, in events, that counts as one unit of input.
        offset: (n_curves, n_branches) Delta NLL of each basin without signal, the smallest exactly 0.
        slope: (n_curves, n_branches, n_bins) gradients there.
        metric: (n_curves, n_bins, n_bins) factor of the curvature at zero: q = |metric^T s|^2.
        kernels: per layer (n_members, n_in, n_out); hidden layers are followed by SiLU.
        biases: per layer (n_members, n_out); the last has n_curves * n_branches outputs, curve first.
    """

    curves: tuple[str, ...]
    branches: tuple[str, ...]
    scale: Floats
    offset: Floats
    slope: Floats
    metric: Floats
    kernels: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    @property
    def n_members(self) -> int:
        """Size of the ensemble."""
        return self.kernels[0].shape[0]

    def members(self, signals: Floats) -> Floats:
        """Delta NLL by each member, shape (n_members, n, n_curves), for signals (n, n_bins)."""
        x = signals / self.scale
        hidden = np.broadcast_to(x / np.sqrt(np.sqrt(1.0 + x * x)), (self.n_members, *x.shape))
        last = len(self.kernels) - 1
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            hidden = hidden @ kernel + bias[:, None, :]
            if layer < last:
                hidden = hidden * (0.5 + 0.5 * np.tanh(0.5 * hidden))
        ratio = hidden.reshape(self.n_members, len(signals), len(self.curves), len(self.branches))
        q = np.sum(np.einsum("nb,cbj->ncj", signals, self.metric) ** 2, axis=2)
        phi = q / (1.0 + np.sqrt(1.0 + q))
        start = self.offset + np.einsum("nb,ckb->nck", signals, self.slope)
        return np.min(start + phi[:, :, None] * ratio, axis=3)

    def __call__(self, signals: Floats) -> Floats:
        """Delta NLL, shape (n, n_curves), for signals (n, n_bins) in events."""
        return np.mean(self.members(signals), axis=0)
