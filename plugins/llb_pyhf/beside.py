"""A bundle beside the full model that it was learned from: the same signals, by both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from llb.bundle import Bundle
from llb.evaluation import signal_numbers
from llb.evaluation.figures import agreement_figure
from llb.runtime import Limits, ProfileLikelihood, Signals, limits, load
from llb_pyhf.full_model import FullModel, FullModelAnswer
from llb_pyhf.yields import signal_yields
from llb_schema import FindingError, finding

__all__ = ["Beside", "compare"]

SignalModel = Literal["learned", "published"]


@dataclass(frozen=True)
class Beside:
    """Both answers for each signal.

    Attributes:
        bundle: the bundle's.
        pyhf: the full model's, in the same order.
        seconds: wall time of all of the bundle's.
    """

    bundle: tuple[Limits, ...]
    pyhf: tuple[FullModelAnswer, ...]
    seconds: float

    def table(self) -> str:
        """A line a signal: observed CLs and upper limits of both, and pyhf's time."""
        pair = f"{'bundle':>9s} {'pyhf':>9s} {'diff. %':>8s}"
        lines = [f"{'':24s} {'CLs':^28s}   {'upper limit':^28s}", f"{'signal':24s} {pair}   {pair}"]
        for ours, theirs in zip(self.bundle, self.pyhf, strict=True):
            cls = _pair(ours.cls_observed, theirs.cls_observed)
            limit = _pair(ours.upper_limit_observed, theirs.upper_limit_observed)
            line = f"{ours.name:24.24s} {cls}   {limit}  {theirs.seconds:6.1f} s  {theirs.failure}"
            lines.append(line.rstrip())
        spent = sum(item.seconds for item in self.pyhf)
        lines.append(f"all of them: bundle {1e3 * self.seconds:.1f} ms, pyhf {spent:.1f} s")
        return "\n".join(lines)

    def picture(self) -> bytes:
        """CLs and upper limits of the bundle over those of pyhf, and their differences, as a PNG.

        Raises:
            FindingError: LLB-X001, matplotlib is not installed.
        """
        return agreement_figure(signal_numbers(self.pyhf), signal_numbers(self.bundle))

    def to_json(self) -> list[dict[str, Any]]:
        """An object a signal, for programs; what is no number is null."""
        return [
            {
                "name": ours.name,
                "bundle": _plain(asdict(ours), theirs),
                "pyhf": _plain(asdict(theirs), theirs),
            }
            for ours, theirs in zip(self.bundle, self.pyhf, strict=True)
        ]


def compare(
    bundle: str | Path | Bundle | ProfileLikelihood,
    workspace: Mapping[str, Any],
    patchset: Mapping[str, Any],
    *,
    names: Sequence[str] | None = None,
    signal_model: SignalModel = "learned",
    upper_limits: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Beside:
    """CLs at mu = 1 and upper limits of published signals, by a bundle and by pyhf on the full model.

    pyhf works as its user finds it: current backend and optimiser, its own start. Where the likelihood has
    several minima, its fits may end in a higher one than the bundle has learned; `llb quickstart` tells.

    Args:
        bundle: path of a bundle, an opened bundle, or a loaded model.
        workspace: the background-only workspace that the bundle was learned from, as a JSON object.
        patchset: a pyhf patchset, as a JSON object.
        names: of the patches to compare, all by default.
        signal_model: `learned` does to the signal in the full model what was done to the bundle's signals,
            which tests the network; `published` applies the patch as it is, so that the difference holds
            what the signal's own uncertainties and removed channels change, too.
        upper_limits: whether pyhf is asked for them; they take most of its time.
        progress: told the name of each signal before pyhf is asked.

    Raises:
        FindingError: LLB-Y020 the bundle was not learned from a workspace, LLB-Y011 or from another one;
            LLB-Y010 there is no patch of a name; see `signal_yields`; the bundle cannot be used.
    """
    model = bundle if isinstance(bundle, ProfileLikelihood) else load(bundle)
    manifest = model.bundle.manifest
    full = FullModel(workspace, manifest)
    patches = _patches(patchset, names)
    added = {name: _everywhere(model, full, patch) for name, patch in patches.items()}
    signals = np.array([model.signal(yields) for yields in added.values()])
    began = time.perf_counter()
    ours = limits(model, Signals(tuple(added), signals))
    seconds = time.perf_counter() - began
    theirs: list[FullModelAnswer] = []
    for name, patch in patches.items():
        if progress is not None:
            progress(name)
        learned = signal_model == "learned"
        spec = full.with_yields(added[name]) if learned else full.with_patch(patch)
        theirs.append(full.answer(name, spec, upper_limits=upper_limits))
    return Beside(tuple(ours), tuple(theirs), seconds)


def _patches(patchset: Mapping[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    """The wanted patches by name."""
    try:
        known = {str(item["metadata"]["name"]): item["patch"] for item in patchset["patches"]}
    except (KeyError, TypeError) as error:
        raise FindingError(finding("LLB-Y010", f"not a patchset: {error!r}"[:200])) from error
    wanted = list(known) if names is None else list(names)
    missing = [name for name in wanted if name not in known]
    if missing or not wanted:
        message = f"the patchset has no patch {missing[0]!r}" if missing else "no signal to compare"
        raise FindingError(finding("LLB-Y010", message))
    return {name: known[name] for name in wanted}


def _everywhere(model: ProfileLikelihood, full: FullModel, patch: Any) -> dict[str, float]:
    """The signal's events in every bin of the bundle: none in channels that the patch removes."""
    teacher = model.bundle.manifest.teacher
    found = signal_yields(
        full.workspace, patch, measurement=teacher.measurement, interpolation=teacher.interpolation
    )
    return {**dict.fromkeys(model.bin_ids, 0.0), **found}


def _pair(ours: float, theirs: float) -> str:
    comparable = math.isfinite(ours) and math.isfinite(theirs) and theirs != 0.0
    difference = f"{100.0 * (ours / theirs - 1.0):+8.2f}" if comparable else f"{'-':>8s}"
    return f"{ours:9.4g} {theirs:9.4g} {difference}"


def _plain(answer: Mapping[str, Any], like: FullModelAnswer) -> dict[str, Any]:
    """The numbers that both have; NaN and infinity become null."""

    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        return value if not isinstance(value, float) or math.isfinite(value) else None

    shared = asdict(like).keys() - {"name"}
    return {key: plain(value) for key, value in answer.items() if key in shared}
