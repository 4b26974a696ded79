"""Who a label store is: the model, the engine, the signals and the teacher that its labels belong to.

Labels are only ever mixed with labels of the same identity. Each part of it is compared by itself, so that a
refusal says what differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.sampling import ActiveSettings, MetropolisSettings, Sampling

if TYPE_CHECKING:
    from llb_trainer.teachers.histfactory import HistFactoryTeacher, Workspace

__all__ = [
    "ENGINE",
    "CurveRecord",
    "Engine",
    "Model",
    "Sampled",
    "StoreIdentity",
    "TeacherRecord",
    "engine",
    "model_of",
    "signals_digest",
    "teacher_record",
]

Floats = NDArray[np.float64]

ENGINE = 6
"""Number of the labelling engine; raised whenever the same signals get other numbers than before."""

_SOFTWARE = ("jax", "jaxlib", "numpy")


@dataclass(frozen=True)
class Model:
    """The statistical model.

    Attributes:
        workspace: file name, for the record; a renamed file is the same model.
        sha256: digest of the file's bytes.
        pyhf_digest: pyhf's own digest of the content.
        measurement: name of the measurement.
        poi: name of the parameter of interest.
        interpolation: interpolation code by modifier type.
        own_signal: what was done with samples that carry the POI.
    """

    workspace: str
    sha256: str
    pyhf_digest: str
    measurement: str
    poi: str
    interpolation: Mapping[str, str]
    own_signal: str


@dataclass(frozen=True)
class Engine:
    """What computes: version of llb with the number of its engine, and the libraries below it."""

    version: str
    software: Mapping[str, str]

    def __str__(self) -> str:
        """One line for people."""
        return ", ".join([self.version, *(f"{name} {number}" for name, number in self.software.items())])


@dataclass(frozen=True)
class Sampled:
    """How the signals were drawn, and what they are.

    Attributes:
        n: number of signals.
        chunk: signals in a chunk.
        sha256: digest over the names and yields.
        sampling: settings of the sampling, its strategy and seed among them; empty for given signals.
    """

    n: int
    chunk: int
    sha256: str
    sampling: Mapping[str, Any]

    @property
    def settings(self) -> Sampling | None:
        """The settings of the sampling; None for given signals."""
        if not self.sampling:
            return None
        settings = dict(self.sampling)
        settings["metropolis"] = MetropolisSettings(**settings["metropolis"])
        settings["active"] = ActiveSettings(**settings["active"])
        return Sampling(**settings)


@dataclass(frozen=True)
class CurveRecord:
    """A curve: its name, the NLL without signal, and the curve whose Delta NLL it shares, or ""."""

    name: str
    baseline_nll: float
    alias_of: str


@dataclass(frozen=True)
class TeacherRecord:
    """What the teacher answers with.

    Attributes:
        fingerprint: digest of the teacher's own numbers.
        signal_modifiers: what multiplies the signal besides the POI.
        signal_uncertainty: flat relative uncertainty of the signal, 0 for none.
        bins: ids of the bins, in the order of every signal array.
        parameters: names of the nuisance parameters.
        branches: names of the basins.
        curves: the four curves.
    """

    fingerprint: str
    signal_modifiers: tuple[str, ...]
    signal_uncertainty: float
    bins: tuple[str, ...]
    parameters: tuple[str, ...]
    branches: tuple[str, ...]
    curves: tuple[CurveRecord, ...]

    @property
    def owners(self) -> tuple[CurveRecord, ...]:
        """The curves that are no alias of another; labels have an entry for each."""
        return tuple(curve for curve in self.curves if not curve.alias_of)


@dataclass(frozen=True)
class StoreIdentity:
    """All of it, as `store.json` holds it."""

    model: Model
    engine: Engine
    sampled: Sampled
    teacher: TeacherRecord

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> StoreIdentity:
        """The identity in a JSON object that `to_json` made.

        Raises:
            KeyError, TypeError, ValueError: the object is not one of those.
        """
        teacher = dict(raw["teacher"])
        teacher["curves"] = tuple(CurveRecord(**curve) for curve in teacher["curves"])
        for name in ("signal_modifiers", "bins", "parameters", "branches"):
            teacher[name] = tuple(teacher[name])
        return cls(
            Model(**raw["model"]),
            Engine(**raw["engine"]),
            Sampled(**raw["sampled"]),
            TeacherRecord(**teacher),
        )


def engine() -> Engine:
    """The engine of this installation."""
    return Engine(f"llb {version('llb')} engine {ENGINE}", {name: version(name) for name in _SOFTWARE})


def model_of(workspace: Workspace) -> Model:
    """The model in a workspace."""
    return Model(
        workspace.name,
        workspace.sha256,
        workspace.pyhf_digest,
        workspace.measurement,
        workspace.poi,
        dict(workspace.interpolation),
        workspace.own_signal,
    )


def teacher_record(teacher: HistFactoryTeacher) -> TeacherRecord:
    """What a HistFactory teacher answers with."""
    return TeacherRecord(
        teacher.fingerprint,
        teacher.signal_modifiers,
        teacher.signal_uncertainty,
        tuple(item.id for item in teacher.bins),
        teacher.model.parameters,
        teacher.branches,
        tuple(CurveRecord(item.name, item.baseline_nll, item.alias_of) for item in teacher.curves),
    )


def signals_digest(names: tuple[str, ...], signals: Floats) -> str:
    """Digest over names and yields (n, n_bins)."""
    digest = hashlib.sha256(f"{signals.shape}\0".encode())
    digest.update("\0".join(names).encode())
    digest.update(np.ascontiguousarray(signals, dtype="<f8").tobytes())
    return digest.hexdigest()
