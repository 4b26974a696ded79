"""Which case notices which fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llb.loader import CLASSES, Opened, open_bundle
from llb_conformance.harness import Bench, Dialogue, converse
from llb_conformance.mutants.densities import density_mutants
from llb_conformance.mutants.density_answers import density_answer_mutants
from llb_conformance.mutants.density_inputs import density_input_mutants
from llb_conformance.mutants.inputs import input_mutants
from llb_conformance.mutants.memory import memory_mutants
from llb_conformance.mutants.mutant import Mutant, WrongLoader
from llb_conformance.mutants.numbers import number_mutants
from llb_conformance.mutants.opening import opening_mutants
from llb_conformance.mutants.statistics import statistics_mutants
from llb_conformance.mutants.talk import talk_mutants
from llb_conformance.suite import Case, Outcome

__all__ = ["IDLE", "MUTANTS", "KillMatrix", "kill_matrix"]

MUTANTS: tuple[Mutant, ...] = (
    *number_mutants(),
    *input_mutants(),
    *opening_mutants(),
    *memory_mutants(),
    *talk_mutants(),
    *statistics_mutants(),
    *density_mutants(),
    *density_input_mutants(),
    *density_answer_mutants(),
)
"""Wrong loaders, one fault each."""

IDLE: Mapping[str, str] = {}
"""Cases that need not fail anybody, and why."""

_TIMEOUT = 60.0


class _Direct:
    """A wrong loader that is asked in this process."""

    def __init__(self, loader: WrongLoader) -> None:
        self._loader = loader

    def ask(self, line: str, timeout: float) -> str:
        """The line that answers this one."""
        return self._loader.line(json.dumps(self._loader.answer(json.loads(line))))


@dataclass(frozen=True)
class KillMatrix:
    """What came of it.

    Attributes:
        kills: by fault, the cases of the classes that have to notice it which failed, in their order.
        idle_cases: cases that failed nobody and need to.
        smallest_excess: by case of numbers, how far the nearest of the wrong answers that it noticed was
            off, in units of its tolerance.
    """

    kills: Mapping[str, tuple[str, ...]]
    idle_cases: tuple[str, ...]
    smallest_excess: Mapping[str, float]

    @property
    def killed(self) -> int:
        """Number of faults that were noticed."""
        return sum(1 for cases in self.kills.values() if cases)

    @property
    def survivors(self) -> tuple[str, ...]:
        """Faults that nobody noticed."""
        return tuple(name for name, cases in self.kills.items() if not cases)

    @property
    def complete(self) -> bool:
        """Whether every fault was noticed and every case noticed one."""
        return not self.survivors and not self.idle_cases

    def to_json(self) -> dict[str, Any]:
        """The matrix as JSON."""
        return {
            "mutants": len(self.kills),
            "killed": self.killed,
            "survivors": list(self.survivors),
            "idle_cases": list(self.idle_cases),
            "kills": {name: list(cases) for name, cases in self.kills.items()},
        }


def kill_matrix(
    cases: Sequence[Case],
    finished: Callable[[Mutant], object] = lambda _: None,
    mutants: Sequence[Mutant] = MUTANTS,
) -> KillMatrix:
    """Asks every wrong loader every case of the classes that the reference claims.

    Args:
        cases: of the suite.
        finished: is called after each loader.
        mutants: the wrong loaders.

    Raises:
        ValueError: the reference itself fails a case: nothing follows from the failures of others then.
    """
    asked = [case for case in cases if case.applies_to(frozenset(CLASSES))]
    noticed: set[str] = set()
    kills: dict[str, tuple[str, ...]] = {}
    smallest: dict[str, float] = {}
    with Bench(asked, 0) as bench:
        bundles: dict[str, Opened] = {}
        good: set[str] = set()

        def opened(path: str) -> Opened:
            # Opening is what takes long, and what no fault is in: wrong loaders get what the reference made.
            if path not in bundles:
                bundles[path] = open_bundle(path)
            return bundles[path]

        right = _failed(WrongLoader(opened), bench, asked, good)
        if right:
            raise ValueError(f"the reference loader fails {', '.join(right)}")
        for mutant in mutants:
            failed = _failed(mutant.make(opened), bench, asked, good)
            bench.mend()
            noticed |= failed.keys()
            own = {"core", "recommended", mutant.conformance_class}
            kills[mutant.name] = tuple(
                case.id for case in asked if case.id in failed and case.conformance_class in own
            )
            for name, excess in failed.items():
                if excess is not None:
                    smallest[name] = min(excess, smallest.get(name, excess))
            finished(mutant)
    idle = tuple(case.id for case in asked if case.id not in noticed and case.id not in IDLE)
    return KillMatrix(kills, idle, smallest)


def _failed(
    loader: WrongLoader, bench: Bench, cases: Sequence[Case], good: set[str]
) -> dict[str, float | None]:
    """The cases that a loader fails, with how far its worst number is off."""
    dialogue = Dialogue(_Direct(loader), _TIMEOUT, good)
    dialogue.start(_TIMEOUT)
    found: dict[str, float | None] = {}
    for case in cases:
        judgement, _, _ = converse(dialogue, bench, case)
        if judgement.outcome is not Outcome.PASSED:
            found[case.id] = judgement.excess
    return found
