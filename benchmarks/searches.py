"""The searches that are measured: where their models and signals lie, and how much to do on each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Signals
from llb_schema import FindingError, finding
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.histfactory import Workspace

__all__ = ["DATA", "EMBEDDED", "REAL", "Search", "Sizes", "find_search", "mass_plane", "published_signals"]

Floats = NDArray[np.float64]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Where the real ones lie unless somebody says otherwise: beside the checkout."""
EMBEDDED = "LLB-QUICKSTART"
"""The search that comes with llb; the others need their files."""


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Attributes:
        labels: signals labelled by this engine, each on every curve.
        slsqp: fits by pyhf with SciPy's SLSQP.
        minuit: fits by pyhf with Minuit.
    """

    labels: int
    slsqp: int
    minuit: int


@dataclass(frozen=True)
class Search:
    """A search on disk.

    Attributes:
        id: name of the analysis.
        workspace: background-only workspace.
        signals: published signals, a pyhf patchset (`.json`) or yields (`.csv`); None for none.
        sizes: amounts that take a minute or two each, EWKinos ten.
    """

    id: str
    workspace: Path
    signals: Path | None
    sizes: Sizes


REAL: dict[str, tuple[str, str, Sizes]] = {
    "ATLAS-SUSY-2018-04": (
        "Region-combined_BkgOnly.json",
        "Region-combined_patchset.json",
        Sizes(3072, 48, 18),
    ),
    "ATLAS-SUSY-2018-31": ("RegionA_BkgOnly.json", "RegionA_patchset.json", Sizes(3072, 48, 30)),
    "ATLAS-SUSY-2019-08": ("BkgOnly.json", "signal_yields.csv", Sizes(3072, 36, 9)),
    "ATLAS-SUSY-2018-32": ("BkgOnly.json", "signal_yields.csv", Sizes(1536, 30, 12)),
    "ATLAS-SUSY-2018-16": ("EWKinos_BkgOnly.json", "EWKinos_signal_yields.csv", Sizes(768, 12, 3)),
}
"""Files below `<data>/<id>/`; pyhf's fits of the last one take 20 s (SLSQP) and 100 s (Minuit) each."""


def find_search(name: str, data: Path) -> Search:
    """A search by its ID; `data` is the folder of the real ones.

    Raises:
        KeyError: no such search.
    """
    if name == EMBEDDED:
        return Search(name, workspace_path(), patchset_path(), Sizes(1024, 36, 12))
    workspace, signals, sizes = REAL[name]
    return Search(name, data / name / workspace, data / name / signals, sizes)


def published_signals(search: Search, workspace: Workspace, modifiers: tuple[str, ...]) -> Signals:
    """The published signals by the bins of the workspace, those that a signal leaves out being zero.

    Args:
        search: whose signals.
        workspace: its model.
        modifiers: of the signal besides the POI.

    Raises:
        FindingError: LLB-W052, LLB-X003, or as from `llb_trainer.comparison.published_signals`.
    """
    if search.signals is None:
        return Signals((), np.empty((0, len(workspace.bins))), ())
    if search.signals.suffix == ".csv":
        return _csv_signals(search.signals, workspace.bins)
    from llb_trainer.comparison import published_signals as of_patchset

    return of_patchset(search.signals, workspace, modifiers)


def mass_plane(search: Search, names: tuple[str, ...]) -> tuple[tuple[str, ...], Floats]:
    """Names of the two masses, and (n, 2) of them for the published signals; (n, 0) if they are not two."""
    nothing = (), np.empty((len(names), 0))
    if search.signals is None:
        return nothing
    if search.signals.suffix == ".csv":
        with search.signals.open(newline="", encoding="utf-8") as lines:
            masses = {line["point"]: (float(line["m1"]), float(line["m2"])) for line in csv.DictReader(lines)}
        return ("m1 [GeV]", "m2 [GeV]"), np.array([masses[name] for name in names])
    from llb_trainer.comparison import read_patches

    published = read_patches(search.signals)
    return (published.labels, published.plane(names)) if len(published.labels) == 2 else nothing


def _csv_signals(path: Path, bins: tuple[tuple[str, int], ...]) -> Signals:
    """Columns `point, channel, bin, yield`; a row that is not there is zero."""
    column = {item: number for number, item in enumerate(bins)}
    yields: dict[str, Floats] = {}
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            for line in csv.DictReader(lines):
                signal = yields.setdefault(line["point"], np.zeros(len(bins)))
                signal[column[line["channel"], int(line["bin"])]] = float(line["yield"])
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
    except (KeyError, ValueError) as error:
        raise FindingError(finding("LLB-W052", pointer=str(path), actual=error)) from error
    table = np.stack(list(yields.values())) if yields else np.empty((0, len(bins)))
    return Signals(tuple(yields), table, ())
