"""The levels that run a bundle's graphs: 3 graphs, 4 numbers, 5 claims, the graph's part in 6, teacher."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from llb.bundle import Bundle, DensityBundle
from llb.validation.guard import guarded
from llb.validation.results import FIRST_LEVEL, LAST_LEVEL, FreshPoints, LevelResult, Wanted
from llb_schema import Finding, has_errors

if TYPE_CHECKING:
    from llb.evaluation import DensityHeldOut
    from llb.runtime import Density, GraphSession, ProfileLikelihood

__all__ = ["run_levels"]


_AnyBundle = TypeVar("_AnyBundle", Bundle, DensityBundle)


class _Opened(Generic[_AnyBundle]):
    """The graphs of a bundle, opened by level 3 for the levels after it."""

    # Each level imports its own: onnx and onnxruntime take longer to load than a small bundle to check.
    def __init__(self, bundle: _AnyBundle) -> None:
        self.bundle = bundle
        self.sessions: dict[str, GraphSession] = {}

    def open(self) -> tuple[Finding, ...]:
        from llb.validation.graph import check_graphs

        self.sessions, findings = check_graphs(self.bundle)
        return findings


class _Graphs(_Opened[Bundle]):
    """Those of a profile likelihood."""

    @property
    def model(self) -> ProfileLikelihood:
        from llb.runtime import ProfileLikelihood

        return ProfileLikelihood(self.bundle, self.sessions["delta_nll"])

    def numerics(self) -> tuple[Finding, ...]:
        from llb.validation.numerics import check_numerics
        from llb.validation.semantics import read_vectors
        from llb.validation.vectors import TestVectors

        vectors = TestVectors.from_json(read_vectors(self.bundle), self.bundle.manifest)
        return check_numerics(self.model, vectors)

    def claims(self) -> tuple[Finding, ...]:
        from llb.validation.claims import check_claims

        return check_claims(self.model)


class _DensityGraphs(_Opened[DensityBundle]):
    """Those of a density."""

    @property
    def density(self) -> Density:
        from llb.runtime import Density

        return Density(self.bundle, self.sessions)

    @property
    def heldout(self) -> DensityHeldOut:
        from llb.evaluation import read_density_heldout

        return read_density_heldout(self.bundle)

    def numerics(self) -> tuple[Finding, ...]:
        from llb.validation.density_numerics import check_density_numerics
        from llb.validation.density_vectors import DensityVectors
        from llb.validation.semantics import read_vectors

        vectors = DensityVectors.from_json(read_vectors(self.bundle), self.bundle.manifest)
        return check_density_numerics(self.density, vectors, self.heldout)

    def claims(self) -> tuple[Finding, ...]:
        from llb.validation.density_claims import check_density_claims

        return check_density_claims(self.density, self.heldout)


def run_levels(
    bundle: Bundle | DensityBundle, level: int, wanted: Wanted | None = None
) -> Iterator[LevelResult]:
    """The levels from 3 to the one asked for, each as soon as it is done; one with errors is the last.

    Args:
        bundle: one that has passed level 2.
        level: 3 to 6.
        wanted: for level 6, which fresh points.
    """
    graphs = _DensityGraphs(bundle) if isinstance(bundle, DensityBundle) else _Graphs(bundle)
    checks: tuple[Callable[[], tuple[Finding, ...]], ...] = (graphs.open, graphs.numerics, graphs.claims)
    for reached, check in enumerate(checks[: level + 1 - FIRST_LEVEL], start=FIRST_LEVEL):
        findings = guarded(check)
        yield LevelResult(reached, findings)
        if has_errors(findings):
            return
    if wanted is not None and isinstance(graphs, _Graphs):
        yield _fresh(graphs, wanted)


def _fresh(graphs: _Graphs, wanted: Wanted) -> LevelResult:
    from llb.validation.fresh import fresh_points

    found: list[FreshPoints] = []

    def ask() -> tuple[Finding, ...]:
        found.append(fresh_points(graphs.model, wanted))
        return ()

    findings = guarded(ask)
    return LevelResult(LAST_LEVEL, findings, found[0] if found else None)
