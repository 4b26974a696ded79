"""The numbers of an answer by name, and the curves that each of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llb.runtime import Band, Limits
from llb.runtime.asymptotics import N_SIGMA

__all__ = ["CLS", "MU_HAT", "UPPER_LIMITS", "Number", "band_of", "values_of"]


@dataclass(frozen=True)
class Number:
    """One number that is read off a ray.

    Attributes:
        name: such as `upper_limit_expected[+1]`.
        curves: the curves that it depends on: two for observed CLs and limits.
        n_sigma: fluctuation of the expected data; None for the observed ones.
    """

    name: str
    curves: tuple[str, ...]
    n_sigma: int | None = None


def _of(kind: str) -> tuple[Number, ...]:
    return (
        Number(f"{kind}_observed", ("observed", "observed_asimov")),
        *(Number(f"{kind}_expected[{n:+d}]", ("observed_asimov",), n) for n in N_SIGMA),
        *(Number(f"{kind}_apriori[{n:+d}]", ("apriori_asimov",), n) for n in N_SIGMA),
    )


MU_HAT = Number("mu_hat", ("observed",))
UPPER_LIMITS, CLS = _of("upper_limit"), _of("cls")


def values_of(found: Limits) -> dict[str, float]:
    """All numbers of the reader's answer by name."""
    cls = (found.cls_observed, *found.cls_expected, *found.cls_apriori)
    upper = (found.upper_limit_observed, *found.upper_limit_expected, *found.upper_limit_apriori)
    names = (MU_HAT, *CLS, *UPPER_LIMITS)
    return {number.name: value for number, value in zip(names, (found.mu_hat, *cls, *upper), strict=True)}


def band_of(values: Mapping[str, float], kind: str) -> Band:
    """The band of a kind such as `cls_expected`."""
    a, b, c, d, e = (values[f"{kind}[{n:+d}]"] for n in N_SIGMA)
    return a, b, c, d, e
