"""Tables of a profile likelihood: validation points, limits on real signals, claimed accuracy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from llb.evaluation import (
    Benchmarks,
    Comparison,
    SignalNumbers,
    agreement_figure,
    compare_benchmarks,
    compare_heldout,
    read_benchmarks,
    read_heldout,
    signal_numbers,
    truth_figure,
)
from llb.publish.data_table import QUANTILES, Cell, DataColumn, DataTable, Qualifier, cells, rows_shown
from llb.runtime import N_SIGMA, Limits, ProfileLikelihood

__all__ = ["profile_tables"]

_TEACHER, _BUNDLE = "full statistical model", "learned likelihood"


def profile_tables(
    model: ProfileLikelihood, name: str, common: Callable[..., DataTable], points: int
) -> Iterator[DataTable]:
    """The tables of a bundle.

    Args:
        model: the bundle, ready to run.
        name: how the names of its tables begin.
        common: makes a table; it knows what all of them share.
        points: validation points to show, at most.

    Raises:
        FindingError: a table of the bundle cannot be used, or the graph fails.
    """
    yield _validation(model, name, common, points)
    benchmarks = read_benchmarks(model.bundle)
    if benchmarks is not None:
        yield _limits(model, benchmarks, name, common)
    if model.bundle.manifest.validation.metrics:
        yield _accuracy(model, name, common)


def _validation(
    model: ProfileLikelihood, name: str, common: Callable[..., DataTable], points: int
) -> DataTable:
    heldout, comparisons = read_heldout(model.bundle), compare_heldout(model)
    rows = rows_shown(len(heldout.names), points)
    names = [heldout.names[row] for row in rows]
    columns = [*_signals(model, "Point", names, heldout.signals[rows])]
    for item in comparisons:
        columns += _both(item, rows)
    shown = f"{len(rows)} of the {len(heldout.names)}" if len(rows) < len(heldout.names) else f"{len(rows)}"
    return common(
        name=f"{name} validation points",
        description=f"Delta NLL, that is -ln L at a signal minus -ln L without signal, each minimised over "
        f"the nuisance parameters, by the full statistical model and by the learned likelihood, at {shown} "
        f"points that training never saw. Signal yields are events by bin. "
        f"{model.bundle.manifest.validation.method}",
        observables=("Delta NLL",),
        columns=tuple(columns),
        figure=truth_figure(comparisons),
    )


def _both(item: Comparison, rows: NDArray[np.intp]) -> Iterator[DataColumn]:
    for source, values in ((_TEACHER, item.truth), (_BUNDLE, item.predicted)):
        qualifiers = (Qualifier("CURVE", item.curve), Qualifier("SOURCE", source))
        yield DataColumn(
            f"Delta NLL, {item.curve}, {source}", cells(values[rows].tolist()), qualifiers=qualifiers
        )


def _limits(
    model: ProfileLikelihood, benchmarks: Benchmarks, name: str, common: Callable[..., DataTable]
) -> DataTable:
    found = [limits for limits, _, _ in compare_benchmarks(model, benchmarks)]
    columns = [*_signals(model, "Signal", benchmarks.names, benchmarks.signals)]
    columns += [
        _result("CLs at mu = 1, observed", _TEACHER, benchmarks.cls_observed.tolist()),
        *_results("CLs at mu = 1", found, lambda item: (item.cls_observed, *item.cls_expected)),
        _result("Upper limit on mu, observed", _TEACHER, benchmarks.upper_limit_observed.tolist()),
        *_results(
            "Upper limit on mu", found, lambda item: (item.upper_limit_observed, *item.upper_limit_expected)
        ),
    ]
    return common(
        name=f"{name} limits",
        description="CLs at the nominal signal strength mu = 1 and upper limits on mu at 95 % CL of real "
        "signals, by the full statistical model and by the learned likelihood, from the asymptotic formulae. "
        "Expected values are those of the background-only hypothesis after the fit to the observed data, at "
        "the median and at one and two standard deviations. A dash: no such number.",
        observables=("CLS", "Upper limit"),
        columns=tuple(columns),
        figure=agreement_figure(_exact(benchmarks), signal_numbers(found)),
    )


def _results(
    quantity: str, found: list[Limits], numbers: Callable[[Limits], tuple[float, ...]]
) -> Iterator[DataColumn]:
    """The bundle's columns of one quantity; expected ones only where the bundle has the curves for them."""
    whats = ("observed", *(f"expected {n:+d} sigma" if n else "expected" for n in N_SIGMA))
    for what, values in zip(whats, zip(*map(numbers, found), strict=True), strict=True):
        if not all(map(math.isnan, values)):
            yield _result(f"{quantity}, {what}", _BUNDLE, values)


def _result(quantity: str, source: str, values: list[float] | tuple[float, ...]) -> DataColumn:
    qualifiers = (Qualifier("SOURCE", source), Qualifier("CL", 95.0, "%"))
    only = qualifiers[:1] if quantity.startswith("CLs") else qualifiers
    return DataColumn(f"{quantity}, {source}", cells(values), qualifiers=only)


def _exact(benchmarks: Benchmarks) -> SignalNumbers:
    """The teacher's numbers; a bundle carries its observed ones only."""
    unknown = np.full(len(benchmarks.names), np.nan)
    return SignalNumbers(
        names=benchmarks.names,
        mu_hat=unknown,
        cls_observed=benchmarks.cls_observed,
        cls_expected=unknown,
        upper_limit_observed=benchmarks.upper_limit_observed,
        upper_limit_expected=unknown,
    )


def _accuracy(model: ProfileLikelihood, name: str, common: Callable[..., DataTable]) -> DataTable:
    metrics = model.bundle.manifest.validation.metrics

    def given(header: str, values: tuple[Cell, ...]) -> DataColumn:
        return DataColumn(header, values, given=True)

    return common(
        name=f"{name} accuracy",
        description="What the learned likelihood claims: quantiles of the absolute error of Delta NLL on "
        "points that training never saw. An error of 0.008 moves CLs by about 1 %. Regions are of the true "
        "Delta NLL: decision up to 6, tail above, near_zero below 0.1 in size.",
        observables=("Delta NLL",),
        columns=(
            given("Curve", tuple(item.curve for item in metrics)),
            given("Region", tuple(item.region for item in metrics)),
            DataColumn("Points", tuple(item.count for item in metrics)),
            *(
                DataColumn(f"|error of Delta NLL|, {text}", cells(getattr(item, key) for item in metrics))
                for key, text in QUANTILES.items()
            ),
        ),
    )


def _signals(
    model: ProfileLikelihood, header: str, names: list[str] | tuple[str, ...], signals: NDArray[np.float64]
) -> Iterator[DataColumn]:
    """The columns that say which signals: a name, and the yield in each bin."""
    yield DataColumn(header, tuple(names), given=True)
    for column, bin_id in enumerate(model.bin_ids):
        yield DataColumn(f"Signal in {bin_id}", cells(signals[:, column].tolist()), unit="events", given=True)
