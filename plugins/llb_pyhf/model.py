"""A bundle and a signal as a model that pyhf.infer uses like one of its own.

pyhf.infer asks a model for its configuration, for ln L of parameters and data, and for Asimov data; it passes
back only data that the model gave out. So a model of one parameter, mu, serves its fits, test statistics,
calculators and limits. It has its nuisance parameters behind it: they are profiled already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import pyhf
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.runtime import ProfileLikelihood, load, rays
from llb_pyhf.ray_function import RayFunction
from llb_schema import FindingError, has_errors

__all__ = ["BundleConfig", "BundleModel"]

Array = NDArray[np.float64]
DataSet = Literal["observed", "apriori"]

# What mu is bounded by: far beyond every limit, so that root finders have their bracket.
_FAR_DELTA = 60.0
# Asimov data are those of mu = 0; an optimiser may leave it off by rounding.
_ZERO = 1e-6


class BundleConfig:
    """What pyhf asks of `model.config`.

    Attributes:
        poi_index, poi_name, npars, par_names, parameters: the one parameter.
        channels, channel_nbins, channel_slices: of the main data, in the order of the bundle's columns.
        nmaindata, nauxdata, auxdata: of the data vectors.
    """

    def __init__(
        self,
        model: ProfileLikelihood,
        poi: str,
        start: float,
        bounds: tuple[float, float],
        auxdata: list[float],
    ) -> None:
        manifest = model.bundle.manifest
        self.poi_index, self.poi_name, self.npars = 0, poi, 1
        self.par_names, self.parameters, self.par_order = [poi], [poi], [poi]
        counts: dict[str, int] = {}
        for item in manifest.bins:
            counts[item.channel] = counts.get(item.channel, 0) + 1
        self.channels, self.channel_nbins = list(counts), counts
        self.nmaindata, self.nauxdata, self.auxdata = len(manifest.bins), len(auxdata), auxdata
        self._start, self._bounds = start, bounds

    def suggested_init(self) -> list[float]:
        """Where fits start: the best fit of the observed data."""
        return [self._start]

    def suggested_bounds(self) -> list[tuple[float, float]]:
        """From 0, as q-tilde wants it, to far beyond every limit."""
        return [self._bounds]

    def suggested_fixed(self) -> list[bool]:
        """Nothing is."""
        return [False]

    def par_slice(self, name: str) -> slice:
        """Where a parameter is.

        Raises:
            KeyError: there is no such parameter.
        """
        if name != self.poi_name:
            raise KeyError(name)
        return slice(0, 1)


class BundleModel:
    """A learned profile likelihood of one signal, for pyhf.infer with the backends numpy and jax.

    ```python
    model = BundleModel("stau.llb", {"SR[0]": 3.1, ...})
    pyhf.infer.hypotest(1.0, model.data(), model, return_expected_set=True)
    pyhf.infer.intervals.upper_limits.upper_limit(model.data(), model)
    ```

    Data are vectors as pyhf's own, main then auxiliary; a bundle knows its published ones and no others.

    Args:
        bundle: path of a bundle, an opened bundle, or a loaded model.
        signal_yields: events by bin id, or an array in the order of the columns.
        expected: the data set that expectations belong to: `observed`, a-posteriori, or `apriori`.

    Attributes:
        config: what pyhf asks of a model's configuration.
        batch_size: None, as in pyhf.

    Raises:
        FindingError: the bundle or the signal cannot be used; all findings.
        ValueError: the bundle does not have the curves of `expected`.
    """

    batch_size = None

    def __init__(
        self,
        bundle: str | Path | Bundle | ProfileLikelihood,
        signal_yields: Mapping[str, float] | Sequence[float] | Array,
        *,
        expected: DataSet = "observed",
    ) -> None:
        model = bundle if isinstance(bundle, ProfileLikelihood) else load(bundle)
        ray = rays(model, model.signal(signal_yields)[np.newaxis])
        if has_errors(ray.findings):
            raise FindingError(ray.findings)
        self._names: tuple[str, str] = (expected, f"{expected}_asimov")
        missing = [name for name in self._names if name not in ray.columns]
        if missing:
            raise ValueError(f"the bundle has no curve {missing[0]!r}")
        manifest = model.bundle.manifest
        found = {curve.name: curve for curve in manifest.curves}
        self._baselines = np.array([found[name].baseline_nll for name in self._names])
        self._data = [_vector(found[name].data) for name in self._names]
        self._curves = RayFunction.of(ray, self._names)
        low, self.findings = float(ray.minimum(self._names[0])[0][0]), ray.findings
        main = len(manifest.bins)
        self.config = BundleConfig(
            model, manifest.teacher.poi or "mu", low, (0.0, self._far()), self._data[0][main:].tolist()
        )

    def _far(self) -> float:
        """mu at which every curve is far above any limit."""
        mu = max(1.0, float(self._curves.breaks[-1]))
        while float(np.min(self._curves(mu))) < _FAR_DELTA:
            mu *= 2.0
            if mu > 1e12:
                break
        return mu

    def data(self, name: str | None = None) -> list[float]:
        """A data set of this model, `observed`, `observed_asimov` and the like; by default what was measured.

        Raises:
            KeyError: the model does not have it.
        """
        known = dict(zip(self._names, self._data, strict=True))
        return known[name or self._names[0]].tolist()

    def logpdf(self, pars: Any, data: Any) -> Any:
        """ln L with all constants, nuisance parameters profiled, as a tensor of shape (1,).

        Raises:
            ValueError: data that the bundle has not learned. (While JAX traces, the answer is NaN instead.)
            NotImplementedError: another backend than numpy or jax.
        """
        tensors: Any = pyhf.get_backend()[0]
        arrays = _arrays(tensors.name)
        given = arrays.asarray(data, dtype=float)
        if given.shape != self._data[0].shape:
            raise ValueError(
                f"data of shape {given.shape}, not {self._data[0].shape}: a bundle takes no data but its own"
            )
        same = [arrays.all(arrays.isclose(given, item, rtol=1e-7, atol=1e-9)) for item in self._data]
        if arrays is np and not any(same):
            raise ValueError("a bundle has learned its published data and takes no others")
        mu = arrays.asarray(pars, dtype=float)[0]
        values = self._baselines + self._curves(mu, arrays)
        # Data sets that are equal are one; then it is the Asimov curve.
        chosen = arrays.where(same[1], values[1], arrays.where(same[0], values[0], np.nan))
        return arrays.reshape(-chosen, (1,))

    def expected_data(self, pars: Any, include_auxdata: bool = True) -> Any:
        """The Asimov data of mu = 0, with the auxiliary data or without.

        Raises:
            NotImplementedError: another mu, as for discovery significances.
        """
        if abs(float(np.asarray(pars, dtype=float).ravel()[0])) > _ZERO:
            raise NotImplementedError(
                "a bundle holds the Asimov data of mu = 0 only: q0 and significances are not available"
            )
        vector = self._data[1] if include_auxdata else self._data[1][: self.config.nmaindata]
        return _tensor(vector)

    def expected_actualdata(self, pars: Any) -> Any:
        """The main part of `expected_data`."""
        return self.expected_data(pars, include_auxdata=False)

    def expected_auxdata(self, pars: Any) -> Any:
        """The auxiliary part of `expected_data`."""
        self.expected_data(pars)
        return _tensor(self._data[1][self.config.nmaindata :])

    def make_pdf(self, pars: Any) -> NoReturn:
        """Toys are not available.

        Raises:
            NotImplementedError: always.
        """
        del pars
        raise NotImplementedError("a profile likelihood cannot draw toys; use the asymptotic calculator")


def _vector(data: Any) -> Array:
    """Main data by column, then all auxiliary data in the teacher's order."""
    parts = [np.asarray(data.main, dtype=np.float64)]
    parts += [np.asarray(item.values, dtype=np.float64) for item in data.auxiliary]
    return np.concatenate(parts)


def _tensor(values: Array) -> Any:
    tensors: Any = pyhf.get_backend()[0]
    return tensors.astensor(values.tolist())


def _arrays(backend: str) -> Any:
    """numpy or jax.numpy, whichever pyhf works with now."""
    if backend == "numpy":
        return np
    if backend == "jax":
        # Loaded already, by pyhf.
        import jax.numpy

        return jax.numpy
    raise NotImplementedError(f"pyhf's backend {backend} is not supported: use numpy or jax")
