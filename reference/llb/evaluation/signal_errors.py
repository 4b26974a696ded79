"""A bundle on real signals: errors of best fit, CLs and upper limits against the teacher's exact ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.spread import Spread, spread

if TYPE_CHECKING:
    from llb.runtime import Band

__all__ = ["CLS_DECIDED", "Answer", "BenchmarkErrors", "SignalNumbers", "benchmark_errors", "signal_numbers"]

Floats = NDArray[np.float64]

CLS_DECIDED = 1e-3
"""Below this CLs a signal is excluded beyond any doubt, and a relative error of it means nothing."""
_MEDIAN = 2
"""Position of N = 0 in a band."""


class Answer(Protocol):
    """Whatever has the numbers of one signal: `llb.runtime.Limits`, or a teacher's exact ones."""

    @property
    def name(self) -> str:
        """Of the signal."""
        ...

    @property
    def mu_hat(self) -> float:
        """Best-fit signal strength."""
        ...

    @property
    def cls_observed(self) -> float:
        """Observed CLs at mu = 1."""
        ...

    @property
    def cls_expected(self) -> Band:
        """A-posteriori expected CLs."""
        ...

    @property
    def upper_limit_observed(self) -> float:
        """Observed upper limit."""
        ...

    @property
    def upper_limit_expected(self) -> Band:
        """A-posteriori expected upper limits."""
        ...


@dataclass(frozen=True, eq=False)
class SignalNumbers:
    """The numbers of n signals from one source.

    Attributes:
        names: of the signals.
        mu_hat: (n,) best-fit signal strengths.
        cls_observed: (n,) at mu = 1.
        cls_expected: (n,) a-posteriori median at mu = 1.
        upper_limit_observed: (n,) signal strengths.
        upper_limit_expected: (n,) a-posteriori median.
    """

    names: tuple[str, ...]
    mu_hat: Floats
    cls_observed: Floats
    cls_expected: Floats
    upper_limit_observed: Floats
    upper_limit_expected: Floats


def signal_numbers(answers: Iterable[Answer]) -> SignalNumbers:
    """The numbers that are compared, of answers such as those of `llb.runtime.limits`."""
    found = list(answers)

    def column(values: Iterable[float]) -> Floats:
        return np.array(list(values), dtype=np.float64)

    return SignalNumbers(
        names=tuple(item.name for item in found),
        mu_hat=column(item.mu_hat for item in found),
        cls_observed=column(item.cls_observed for item in found),
        cls_expected=column(item.cls_expected[_MEDIAN] for item in found),
        upper_limit_observed=column(item.upper_limit_observed for item in found),
        upper_limit_expected=column(item.upper_limit_expected[_MEDIAN] for item in found),
    )


@dataclass(frozen=True)
class BenchmarkErrors:
    """Errors on real signals, each as its spread over them.

    Attributes:
        signals: how many were compared.
        mu_hat: absolute.
        mu_hat_by_limit: in units of the exact observed limit.
        cls_observed, cls_expected: absolute; expected means the a-posteriori median.
        cls_observed_relative, cls_expected_relative: relative, where 1e-3 < CLs < 1.
        upper_limit_observed, upper_limit_expected: relative.
    """

    signals: int
    mu_hat: Spread
    mu_hat_by_limit: Spread
    cls_observed: Spread
    cls_expected: Spread
    cls_observed_relative: Spread
    cls_expected_relative: Spread
    upper_limit_observed: Spread
    upper_limit_expected: Spread

    def to_json(self) -> dict[str, Any]:
        """For a JSON file."""
        return {
            "signals": self.signals,
            **{name: getattr(self, name).to_json() for name in _spreads()},
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> BenchmarkErrors:
        """What `to_json` gave.

        Raises:
            KeyError: something is missing.
        """
        return cls(int(raw["signals"]), **{name: Spread.from_json(raw[name]) for name in _spreads()})


def benchmark_errors(truth: SignalNumbers, predicted: SignalNumbers) -> BenchmarkErrors:
    """How far the predicted numbers are from the true ones; a truth that is not finite is left out.

    Raises:
        ValueError: they are not of the same signals in the same order.
    """
    if truth.names != predicted.names:
        raise ValueError("truth and prediction are of different signals")

    def relative(name: str) -> Spread:
        exact: Floats = getattr(truth, name)
        return spread(exact, getattr(predicted, name), unit=exact)

    def decided(name: str) -> Spread:
        exact: Floats = getattr(truth, name)
        inside = (exact > CLS_DECIDED) & (exact < 1.0)
        return spread(exact[inside], getattr(predicted, name)[inside], unit=exact[inside])

    return BenchmarkErrors(
        signals=len(truth.names),
        mu_hat=spread(truth.mu_hat, predicted.mu_hat),
        mu_hat_by_limit=spread(truth.mu_hat, predicted.mu_hat, unit=truth.upper_limit_observed),
        cls_observed=spread(truth.cls_observed, predicted.cls_observed),
        cls_expected=spread(truth.cls_expected, predicted.cls_expected),
        cls_observed_relative=decided("cls_observed"),
        cls_expected_relative=decided("cls_expected"),
        upper_limit_observed=relative("upper_limit_observed"),
        upper_limit_expected=relative("upper_limit_expected"),
    )


def _spreads() -> tuple[str, ...]:
    return tuple(item.name for item in fields(BenchmarkErrors) if item.name != "signals")
