"""A bundle in the shape in which SModelS 3.2 expects a model: total yields in, full NLLs out.

What SModelS does with it (and what the numbers of a bundle then mean):

- Observed limits take `nll_obs` with `nllA_obs`, a-posteriori expected ones `nllA_obs` alone, as `llb limit`.
- A-priori expected limits take `nll_exp` with the Asimov curve of the *observed* data, `nllA_obs`, where
  `llb limit` takes the curve `apriori_asimov` alone. That is SModelS' choice and cannot be mended from here;
  the two differ where the observed data pull the background.
- Best fits are looked for with Nelder-Mead and limits with brentq, to 0.1 %, far beyond any domain. So all
  points are answered from rays: splines inside the domain, their convex continuation beyond.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.runtime import BinNames, ProfileLikelihood, load, signal_vector
from llb_schema import FindingError, finding
from llb_smodels.directions import Directions
from llb_smodels.names import key_of_region, region_names
from llb_smodels.sources import load_bytes

__all__ = ["CURVES", "LEAST_NLL", "BundleAdapter"]

Array = NDArray[np.float64]

CURVES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "observed": ("nll_obs", "sigma_obs"),
        "observed_asimov": ("nllA_obs", "sigma_obsA"),
        "apriori": ("nll_exp", "sigma_exp"),
        "apriori_asimov": ("nllA_exp", "sigma_expA"),
    }
)
"""What SModelS calls the NLL of each curve, and the NLL's error."""

LEAST_NLL = 50.0
"""What the NLL at zero signal is raised to, in all curves of a bundle together, where it is lower in one.

SModelS divides by NLLs in its check of mu = 0 and takes no minimum that is not positive, but a density may
well be larger than 1. A constant cancels in every likelihood ratio, and 50 units are a best fit 10 sigma
away from the background.
"""

# A sum of two numbers and a difference are off by a rounding each.
_ROUNDING = 4.0 * np.finfo(np.float64).eps


class BundleAdapter:
    """A bundle as SModelS' `NNAdapter`.

    Signal yields are total yields minus `onnxMeta["bkg_yields"]`. In the files that SModelS was made for, the
    offset of control regions is what was *observed*, and what is a control region the database says, not the
    file. Here nothing hangs on that: `obs_yields` has the same numbers, the nominal background of every
    bin, so that a total has one meaning whichever of the two it was built on.

    With `includeCRs: False` SModelS leaves all control regions out of the yields, which says that there is no
    signal in them; so all bins of role CR may be missing, together. Any other bin that is missing is an
    error, unless the bundle calls it optional. (That SModelS itself puts 0 for regions that have no
    efficiencies in the database cannot be seen from here.)

    Args:
        source: the bytes of an archived bundle, as SModelS gives them; a path; an opened bundle; or a loaded
            model.
        onnxfilename: name of the file, for messages.
        session_options: ignored; sessions have one thread and are shared by all adapters of the same graph.
        validate_metadata: ignored; a manifest is always checked.

    Attributes:
        onnxMeta: `bkg_yields` and `obs_yields`, events by key (`llb_smodels.names`) in column order.
        model: the loaded bundle.
        constant: what is added to the NLL of every curve, in NLL units; 0 for most bundles, see `LEAST_NLL`.

    Raises:
        FindingError: the bundle cannot be used, or (`LLB-L005`) does not have all four curves.
    """

    def __init__(
        self,
        source: bytes | str | Path | Bundle | ProfileLikelihood,
        onnxfilename: str = "?",
        session_options: object = None,
        validate_metadata: bool = True,
    ) -> None:
        del session_options, validate_metadata
        self.model = _loaded(source, onnxfilename)
        manifest = self.model.bundle.manifest
        curves = {curve.name: curve for curve in manifest.curves}
        if missing := [name for name in CURVES if name not in curves]:
            message = f"SModelS needs four curves, and {onnxfilename} has no {', '.join(missing)}"
            raise FindingError(
                finding(
                    "LLB-L005",
                    message,
                    pointer=onnxfilename,
                    expected=", ".join(CURVES),
                    actual=", ".join(curves),
                )
            )
        self._columns = {name: curves[name].column for name in CURVES}
        self._baselines = {name: curves[name].baseline_nll for name in CURVES}
        self.constant = max(0.0, LEAST_NLL - min(self._baselines.values()))
        regions = region_names(manifest)
        self._ids = {key_of_region(region): bin_id for bin_id, region in regions.items()}
        self._offset = np.array([item.background for item in manifest.bins])
        self._control = frozenset(item.id for item in manifest.bins if item.role == "CR")
        self._optional = frozenset(item.id for item in manifest.bins if item.signal_optional)
        self._directions = Directions(self.model, onnxfilename)
        self._name = onnxfilename
        offset = dict(zip(self._ids, self._offset.tolist(), strict=True))
        # Copies: whoever writes into one changes neither the other nor the meaning of a total.
        self.onnxMeta: dict[str, dict[str, float]] = {"bkg_yields": dict(offset), "obs_yields": dict(offset)}

    def predict(
        self, yields: Mapping[str, float], yields_are_signal_yields: bool = True
    ) -> dict[str, float | bool]:
        """The NLLs of one signal, with all constants and `constant`, and their stated errors.

        Args:
            yields: events by key, signal and offset together (or the signal alone).
            yields_are_signal_yields: whether it is the signal alone; SModelS asks with totals.

        Returns:
            In NLL units, with curves as in `CURVES`: `<nll>_0` at zero signal, `<nll>_1` at this one, and the
            errors of the latter, one standard deviation, 0 where the bundle states none. Beyond the domain,
            where `in_domain` is False, NLLs are the loader's continuation and errors those of the edge.

        Raises:
            FindingError: `LLB-Y001` unknown bin, `LLB-Y002` missing bin, `LLB-Y004` not a finite number,
                `LLB-L001` no multiple of the signal is in the domain, `LLB-L002` the graph fails.
        """
        offset = np.zeros_like(self._offset) if yields_are_signal_yields else self._offset
        signal = self._signal(yields, dict(zip(self._ids, offset.tolist(), strict=True)))
        point = self._directions.at(signal, _ROUNDING * (np.abs(offset) + np.abs(signal)))
        answer: dict[str, float | bool] = {"in_domain": point.inside}
        for curve, (nll, sigma) in CURVES.items():
            column, start = self._columns[curve], self._baselines[curve] + self.constant
            answer[f"{nll}_0"] = start
            answer[f"{nll}_1"] = start + float(point.delta[column])
            answer[sigma] = float(point.sigma[column])
        return answer

    def _signal(self, yields: Mapping[str, float], offset: Mapping[str, float]) -> Array:
        """Events of signal by column, shape (n_bins,)."""
        given = {self._ids[key] for key in yields if key in self._ids}
        left_out = self._optional if given & self._control else self._optional | self._control
        bins = BinNames(self.model.bin_ids, self._ids, left_out)
        signal = {key: value - offset.get(key, 0.0) for key, value in yields.items()}
        return signal_vector(signal, bins, pointer=self._name)


def _loaded(source: bytes | str | Path | Bundle | ProfileLikelihood, name: str) -> ProfileLikelihood:
    if isinstance(source, ProfileLikelihood):
        return source
    return load_bytes(source, name) if isinstance(source, bytes) else load(source)
