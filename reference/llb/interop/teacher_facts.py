"""What a bundle has to say of its teacher and an OLLL file does not: which model, and the four data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb.bundle import AuxiliaryData, Bundle
from llb_schema import FindingError, finding

__all__ = ["DataSet", "TeacherFacts"]


@dataclass(frozen=True)
class DataSet:
    """The data set of a curve.

    Attributes:
        main: events by bin id.
        auxiliary: auxiliary data, in the teacher's order.
        baseline_nll: the teacher's own NLL at no signal, if it is known.
    """

    main: Mapping[str, float]
    auxiliary: tuple[AuxiliaryData, ...]
    baseline_nll: float | None = None


@dataclass(frozen=True)
class TeacherFacts:
    """A statistical model, as manifests state it.

    Attributes:
        teacher: `teacher` of a manifest (SOURCE-1).
        background: nominal expected events by bin id.
        data: data sets by curve (CURVE-1).
    """

    teacher: Mapping[str, Any]
    background: Mapping[str, float]
    data: Mapping[str, DataSet]

    @classmethod
    def of_bundle(cls, bundle: Bundle) -> TeacherFacts:
        """Those of a bundle of the same model."""
        manifest = bundle.manifest
        ids = manifest.bin_ids
        return cls(
            teacher=bundle.raw["teacher"],
            background={item.id: item.background for item in manifest.bins},
            data={
                curve.name: DataSet(
                    dict(zip(ids, curve.data.main, strict=True)), curve.data.auxiliary, curve.baseline_nll
                )
                for curve in manifest.curves
            },
        )

    @classmethod
    def from_json(cls, raw: Any, source: str) -> TeacherFacts:
        """Those in a JSON object, as `to_json` gives it.

        What a manifest may not have there is found when the manifest is checked.

        Raises:
            FindingError: `LLB-F005`, it has another form.
        """
        try:
            return cls(
                teacher=dict(raw["teacher"]),
                background={str(key): float(value) for key, value in raw["background"].items()},
                data={
                    str(name): DataSet(
                        {str(key): float(value) for key, value in item["main"].items()},
                        tuple(AuxiliaryData.from_json(part) for part in item["auxiliary"]),
                    )
                    for name, item in raw["data"].items()
                },
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"this does not describe a teacher: {type(error).__name__}: {str(error)[:80]}"
            raise FindingError(finding("LLB-F005", message, pointer=source)) from error

    def to_json(self) -> dict[str, Any]:
        """Everything but the baselines as a JSON object."""
        return {
            "teacher": dict(self.teacher),
            "background": dict(self.background),
            "data": {
                name: {
                    "main": dict(item.main),
                    "auxiliary": [
                        {"name": part.name, "values": list(part.values)} for part in item.auxiliary
                    ],
                }
                for name, item in self.data.items()
            },
        }
