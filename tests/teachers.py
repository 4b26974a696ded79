"""Teachers that several tests share, and pyhf's own view of the same models."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.quickstart import workspace_path
from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher, read_workspace

__all__ = ["embedded_teacher", "pyhf_model", "pyhf_nll", "stau_teacher"]

Floats = NDArray[np.float64]
STAU = "ATLAS-SUSY-2018-04/Region-combined_BkgOnly.json"


@cache
def embedded_teacher() -> HistFactoryTeacher:
    """The teacher of the search that comes with llb, with every start."""
    return histfactory_teacher(read_workspace(workspace_path()))


@cache
def stau_teacher(data: Path, signal_modifiers: tuple[str, ...] | None = None) -> HistFactoryTeacher:
    """The teacher of ATLAS-SUSY-2018-04, with every start."""
    return histfactory_teacher(read_workspace(data / STAU), signal_modifiers=signal_modifiers)


def pyhf_nll(teacher: HistFactoryTeacher, curve: str, signal: Floats, theta: Floats) -> float:
    """-logpdf of the workspace by pyhf itself, with the signal as one more sample, at the parameters `theta`.

    The signal model is built here, by hand, from the workspace document: it shares nothing with the teacher.
    """
    pdf, order = pyhf_model(teacher, tuple(signal))
    data = next(item for item in teacher.curves if item.name == curve)
    counts = dict(
        zip(zip(teacher.model.bins.channel, teacher.model.bins.index, strict=True), data.main, strict=True)
    )
    main = [counts[name, i] for name in pdf.config.channels for i in range(pdf.config.channel_nbins[name])]
    auxiliary = dict(data.auxiliary)
    extra = [value for name in pdf.config.auxdata_order for value in auxiliary[name]]
    values = np.insert(theta[order], pdf.config.poi_index, 1.0)
    return -float(pdf.logpdf(values, main + extra)[0])


@cache
def pyhf_model(teacher: HistFactoryTeacher, signal: tuple[float, ...]) -> tuple[Any, list[int]]:
    """pyhf's model with this signal, and the teacher's parameter at each of its own, the POI left out."""
    import pyhf

    spec = teacher.workspace.spec
    channels = []
    for channel in spec["channels"]:
        where = [b for b, name in enumerate(teacher.model.bins.channel) if name == channel["name"]]
        modifiers = [{"name": teacher.workspace.poi, "type": "normfactor", "data": None}]
        modifiers += [{"name": name, "type": name, "data": None} for name in teacher.signal_modifiers]
        sample = {"name": "a_signal", "data": [signal[b] for b in where], "modifiers": modifiers}
        channels.append({**channel, "samples": [*channel["samples"], sample]})
    settings = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
    workspace = pyhf.Workspace({**spec, "channels": channels})
    pdf = workspace.model(measurement_name=teacher.workspace.measurement, modifier_settings=settings)
    names: list[str] = []
    for name in pdf.config.par_order:
        parameter = pdf.config.param_set(name)
        count = parameter.n_parameters
        names += [name] if parameter.is_scalar else [f"{name}[{i}]" for i in range(count)]
    return pdf, [teacher.model.parameters.index(name) for name in names if name != teacher.workspace.poi]
