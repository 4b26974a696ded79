"""The negative corpus as cases: bundles that a loader has to refuse, and for the right reason."""

from __future__ import annotations

from collections.abc import Iterator

from llb_conformance.corpus import Archive, corpus
from llb_conformance.corpus import Case as Fault
from llb_conformance.suite.case import Bundle, Case, ConformanceClass
from llb_conformance.suite.core import CORE_FAULTS
from llb_conformance.suite.requests import refusing

__all__ = ["fault_cases"]

# The names of stages in the protocol, where they differ.
_STAGES = {"numerics": "numbers"}
# These are about a family that a loader may have.
_OF_OTHER_FAMILIES = {"family-not-implemented"}


def fault_cases() -> Iterator[Case]:
    """Of every fault that it is refused, of class `core` or `archives`, and that the reason is right."""
    for fault in corpus():
        if fault.id in _OF_OTHER_FAMILIES:
            continue
        # Only of those has it to be built to know.
        packed = fault.stage == "archive" and isinstance(fault.build(), Archive)
        if packed or fault.id in CORE_FAULTS:
            yield _case(fault, "refuse", "archives" if packed else "core")
        yield _case(fault, "reason", "recommended", ("archives",) if packed else ())


def _case(
    fault: Fault, kind: str, conformance_class: ConformanceClass, needs: tuple[ConformanceClass, ...] = ()
) -> Case:
    bundle = Bundle(f"fault-{fault.id}", fault.build)
    stage = _STAGES.get(fault.stage, fault.stage)
    exact = kind == "reason"
    words = fault.id.replace("-", " ")
    how = f" at the stage `{stage}` with {fault.code}" if exact else ""
    return Case(
        id=f"{kind}-{fault.id}",
        conformance_class=conformance_class,
        requirements=(fault.requirement, *(("PROTOCOL-3",) if exact else ())),
        description=f"The loader refuses a bundle with this fault{how}: {words}.",
        bundles=(bundle,),
        steps=(refusing(bundle, stage, fault.code) if exact else refusing(bundle),),
        needs=needs,
    )
