"""What the numbers of a profile-likelihood bundle mean: inputs, curves, domain and graphs, as typed data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "AuxiliaryData",
    "Coverage",
    "Curve",
    "CurveData",
    "Domain",
    "GraphSpec",
    "InputBin",
    "SignalModel",
    "TensorSpec",
    "Uncertainty",
]


@dataclass(frozen=True)
class InputBin:
    """One input of the graph: the signal yield, in events, of one bin.

    Attributes:
        id: `<channel>[<index>]`.
        channel: name of the channel in the teacher.
        index: position within the channel, from 0.
        role: `SR`, `CR` or `VR`.
        column: column of the graph's input.
        observed: observed events.
        background: nominal expected background events.
        signal_optional: whether a signal may leave the bin out (it is then 0).
    """

    id: str
    channel: str
    index: int
    role: str
    column: int
    observed: float
    background: float
    signal_optional: bool

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> InputBin:
        """The bin in a schema-valid JSON object."""
        return cls(
            id=raw["id"],
            channel=raw["channel"],
            index=int(raw["index"]),
            role=raw["role"],
            column=int(raw["column"]),
            observed=float(raw["observed"]),
            background=float(raw["background"]),
            signal_optional=raw["signal_optional"],
        )


@dataclass(frozen=True)
class AuxiliaryData:
    """Auxiliary measurements of one constrained parameter (set)."""

    name: str
    values: tuple[float, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> AuxiliaryData:
        """The auxiliary data in a schema-valid JSON object."""
        return cls(raw["name"], tuple(float(value) for value in raw["values"]))


@dataclass(frozen=True)
class CurveData:
    """The data set of a curve: `main` in events by input column, and the auxiliary data."""

    main: tuple[float, ...]
    auxiliary: tuple[AuxiliaryData, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> CurveData:
        """The data set in a schema-valid JSON object."""
        return cls(
            tuple(float(value) for value in raw["main"]),
            tuple(AuxiliaryData.from_json(item) for item in raw["auxiliary"]),
        )


@dataclass(frozen=True)
class Curve:
    """One profile likelihood, named by its data set.

    Attributes:
        name: `observed`, `observed_asimov`, `apriori` or `apriori_asimov`.
        column: column of the graph's output; an alias has the column of its target.
        baseline_nll: -ln L at zero signal with all constants, to be added to Delta NLL for an absolute NLL.
        data: the data set.
        alias_of: the curve that it was found to agree with, or None.
        alias_max_difference: largest difference seen in that test, in NLL units, or None.
    """

    name: str
    column: int
    baseline_nll: float
    data: CurveData
    alias_of: str | None
    alias_max_difference: float | None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Curve:
        """The curve in a schema-valid JSON object."""
        difference = raw.get("alias_max_difference")
        return cls(
            name=raw["name"],
            column=int(raw["column"]),
            baseline_nll=float(raw["baseline_nll"]),
            data=CurveData.from_json(raw["data"]),
            alias_of=raw.get("alias_of"),
            alias_max_difference=None if difference is None else float(difference),
        )


@dataclass(frozen=True)
class SignalModel:
    """What the teacher gave the signal besides the POI: modifier names and a flat relative uncertainty."""

    modifiers: tuple[str, ...]
    relative_uncertainty: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> SignalModel:
        """The signal model in a schema-valid JSON object."""
        return cls(tuple(raw["modifiers"]), float(raw["relative_uncertainty"]))


@dataclass(frozen=True)
class Domain:
    """Where the graph was trained: a box by input column, tightened by `delta_nll_max` if not None.

    The box is in events, or of a density in the units of the parameters.

    A point is inside when `lower <= s <= upper` in every column and, with a truncation, the largest
    predicted Delta NLL over the graph's columns is at most `delta_nll_max`.
    """

    lower: tuple[float, ...]
    upper: tuple[float, ...]
    delta_nll_max: float | None

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Domain:
        """The domain in a schema-valid JSON object."""
        truncation = raw.get("truncation")
        return cls(
            tuple(float(value) for value in raw["lower"]),
            tuple(float(value) for value in raw["upper"]),
            None if truncation is None else float(truncation["delta_nll_max"]),
        )


@dataclass(frozen=True)
class Coverage:
    """How often the stated error of one curve covers the true one, on held-out points (UNCERTAINTY-3).

    Attributes:
        curve: a curve that is no alias.
        points: held-out points of the region `decision`.
        within_68: fraction of them with |error| <= 1 sigma.
        within_95: fraction with |error| <= 1.96 sigma.
    """

    curve: str
    points: int
    within_68: float
    within_95: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Coverage:
        """The entry in a schema-valid JSON object."""
        return cls(raw["curve"], int(raw["points"]), float(raw["within_68"]), float(raw["within_95"]))


@dataclass(frozen=True)
class Uncertainty:
    """How the bundle states its own error.

    Attributes:
        kind: `none`, or `ensemble_spread`.
        output: output of the `delta_nll` graph with one standard deviation of the error of Delta NLL, by
            column and in NLL units; None without one.
        method: how that was made and calibrated; "" without one.
        coverage: the claim of how well it covers, by curve.
    """

    kind: str
    output: str | None = None
    method: str = ""
    coverage: tuple[Coverage, ...] = ()

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Uncertainty:
        """The uncertainty in a schema-valid JSON object."""
        return cls(
            raw["kind"],
            raw.get("output"),
            raw.get("method", ""),
            tuple(Coverage.from_json(item) for item in raw.get("coverage", ())),
        )


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a graph; `shape` has the word `batch` for the free dimension."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> TensorSpec:
        """The tensor in a schema-valid JSON object."""
        shape = tuple(size if isinstance(size, str) else int(size) for size in raw["shape"])
        return cls(raw["name"], raw["dtype"], shape)

    def to_json(self) -> dict[str, Any]:
        """The tensor as a JSON object."""
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


@dataclass(frozen=True)
class GraphSpec:
    """An ONNX file of the bundle and its signature; `condition` is a conditional density's second input."""

    role: str
    path: str
    opset: int
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    condition: TensorSpec | None = None

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """All inputs, in the order of the graph."""
        return (self.input,) if self.condition is None else (self.input, self.condition)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> GraphSpec:
        """The graph in a schema-valid JSON object."""
        return cls(
            role=raw["role"],
            path=raw["path"],
            opset=int(raw["opset"]),
            input=TensorSpec.from_json(raw["input"]),
            outputs=tuple(TensorSpec.from_json(item) for item in raw["outputs"]),
            condition=TensorSpec.from_json(raw["condition"]) if "condition" in raw else None,
        )

    def to_json(self) -> dict[str, Any]:
        """The graph as a JSON object of a manifest."""
        condition = {} if self.condition is None else {"condition": self.condition.to_json()}
        return {
            "role": self.role,
            "path": self.path,
            "opset": self.opset,
            "input": self.input.to_json(),
            **condition,
            "outputs": [item.to_json() for item in self.outputs],
        }
