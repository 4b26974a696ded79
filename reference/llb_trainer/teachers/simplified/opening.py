"""Opening a teacher: from a simplified likelihood to its four data sets, baselines and aliases."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.teachers.contract import CURVES, CurveData, SignalBin
from llb_trainer.teachers.simplified.document import SimplifiedLikelihood
from llb_trainer.teachers.simplified.fit import FitResult, FitSettings
from llb_trainer.teachers.simplified.model import (
    DataSet,
    Model,
    compiled,
    data_set,
    envelope,
    interval,
    rates,
)
from llb_trainer.teachers.simplified.search import Search, draws
from llb_trainer.teachers.simplified.teacher import SimplifiedTeacher

__all__ = ["simplified_teacher"]

Floats = NDArray[np.float64]

_ALIAS_TOLERANCE = 1e-6
"""Two curves are one if their Delta NLL never differ by more (in NLL units) on the signals tried."""
_DRAWS = 48
"""Random starts of each fit without signal, where the model is not convex: all is measured from there."""


def simplified_teacher(
    likelihood: SimplifiedLikelihood, *, settings: FitSettings | None = None
) -> SimplifiedTeacher:
    """Compile a simplified likelihood, define its four data sets and fit them without signal.

    Args:
        likelihood: as `read_simplified_likelihood` gives it.
        settings: of the fits.

    Raises:
        FindingError: LLB-W020 a background-only fit did not converge.
    """
    with jax.enable_x64(True):
        return _Opening(likelihood, settings or FitSettings()).teacher()


class _Opening:
    """The steps from a likelihood to a teacher."""

    def __init__(self, likelihood: SimplifiedLikelihood, settings: FitSettings) -> None:
        self.likelihood, self.settings = likelihood, settings
        self.model: Model = compiled(likelihood)
        self.nothing = np.zeros((1, len(likelihood.regions)))

    def teacher(self) -> SimplifiedTeacher:
        """Data sets, baselines and the alias, in this order."""
        given, model = self.likelihood, self.model
        sets, fits = list[DataSet](), list[FitResult]()
        for main in (given.observed, given.background):
            item = data_set(model, main, np.zeros_like(main))
            best = self.background(item)
            shifted = self.asimov(best)
            sets += [item, shifted]
            fits += [best, self.background(shifted)]
        curves = [
            CurveData(
                name=name,
                baseline_nll=float(fit.nll[0]),
                slope=envelope(model, fit.theta, self.nothing, item)[0],
                main=item.main,
                auxiliary=(("theta", tuple(float(x) for x in item.auxiliary)),),
            )
            for name, item, fit in zip(CURVES, sets, fits, strict=True)
        ]
        curves[3] = self.alias(sets, curves[3], curves[2])
        bins = tuple(
            SignalBin(region, 0, float(observed), float(background))
            for region, observed, background in zip(
                given.regions, given.observed, given.background, strict=True
            )
        )
        return SimplifiedTeacher(given, model, bins, tuple(curves), tuple(sets), self.settings)

    def background(self, item: DataSet) -> FitResult:
        """The proven fit without signal."""
        search = Search(self.model, item, self.settings)
        best, fits = search.lowest(self.nothing)
        if self.model.bends:
            best = search.among(self.nothing, draws(self.model, item, _DRAWS, 1), best)
            best, _ = search.unfolded(self.nothing, best, fits)
        if not best.converged.all():
            actual = f"EDM {best.edm.max():.2g}"
            raise FindingError(finding("LLB-W020", pointer=self.likelihood.name, actual=actual))
        return best

    def asimov(self, best: FitResult) -> DataSet:
        """Background-only Asimov data of a fit: its rates, and its parameters as auxiliary data."""
        box = interval(self.model, best.theta, self.nothing)
        held = (best.theta <= box.lower) | (best.theta >= box.upper)
        # a rate at its bound is zero, not what rounding makes of it
        events = np.where(held, 0.0, np.maximum(rates(self.model, best.theta, self.nothing), 0.0))
        return data_set(self.model, events[0], best.theta[0])

    def alias(self, sets: list[DataSet], curve: CurveData, of: CurveData) -> CurveData:
        """Declare the alias where the two curves agree on every signal tried."""
        scale = np.sqrt(np.diag(self.likelihood.covariance) + of.main)
        signals = np.random.default_rng(0).exponential(size=(16, len(scale))) * scale
        values = list[Floats]()
        for one in (curve, of):
            found, _ = Search(self.model, sets[CURVES.index(one.name)], self.settings).lowest(signals)
            values.append(np.where(found.converged, found.nll - one.baseline_nll, np.nan))
        difference = np.abs(values[0] - values[1])
        good = np.isfinite(difference)
        largest = float(np.max(difference[good], initial=0.0))
        if good.any() and largest <= _ALIAS_TOLERANCE:
            return replace(curve, alias_of=of.name, alias_max_difference=largest)
        return curve
