"""A case of the conformance suite: bundles, and a dialogue about them with what every answer has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llb_conformance.corpus import Archive, Folder
from llb_conformance.corpus.case import Build
from llb_conformance.suite.expectation import Expectation

__all__ = ["CLAIMABLE", "CLASSES", "Bundle", "Case", "ConformanceClass", "Step"]

ConformanceClass = Literal["core", "recommended", "archives", "gradient", "limits", "density"]
CLASSES: tuple[ConformanceClass, ...] = ("core", "recommended", "archives", "gradient", "limits", "density")
"""Classes of conformance (CONFORM-1)."""
CLAIMABLE: tuple[ConformanceClass, ...] = ("core", "archives", "gradient", "limits", "density")
"""Those that a loader says it has."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that cases open.

    Attributes:
        name: of the bundle, unique in the suite; loaders never see it.
        build: makes it, the same bytes every time.
    """

    name: str
    build: Build

    def made(self) -> Folder | Archive:
        """The bundle in memory."""
        return self.build()


@dataclass(frozen=True)
class Step:
    """A request and what its answer has to be.

    Attributes:
        request: a message of the protocol without `seq`; the `bundle` of `open` is the name of a `Bundle`.
        expected: the answer.
    """

    request: Mapping[str, Any]
    expected: Expectation


@dataclass(frozen=True)
class Case:
    """Something that a loader does right or wrong.

    Attributes:
        id: stable, and never given to another case.
        conformance_class: the class that it belongs to.
        requirements: clauses of the specification that it holds a loader to.
        description: what is asked, in a sentence.
        bundles: all that its steps open.
        steps: the dialogue, in its order; the case passes if every answer does.
        needs: further classes that a loader has to claim for the case to apply to it.
    """

    id: str
    conformance_class: ConformanceClass
    requirements: tuple[str, ...]
    description: str
    bundles: tuple[Bundle, ...]
    steps: tuple[Step, ...]
    needs: tuple[ConformanceClass, ...] = field(default=())

    def applies_to(self, claimed: frozenset[str]) -> bool:
        """Whether a loader that claims these classes is asked; optional ones are for those that have them."""
        own = () if self.conformance_class == "recommended" else (self.conformance_class,)
        return claimed.issuperset((*own, *self.needs))

    def to_json(self) -> dict[str, Any]:
        """The case as a document of `urn:llb:conformance:1:case`, without the bundles themselves."""
        return {
            "id": self.id,
            "class": self.conformance_class,
            "requirements": list(self.requirements),
            "description": self.description,
            "needs": list(self.needs),
            "bundles": [bundle.name for bundle in self.bundles],
            "steps": [
                {"request": dict(step.request), "expected": step.expected.to_json()} for step in self.steps
            ],
        }
