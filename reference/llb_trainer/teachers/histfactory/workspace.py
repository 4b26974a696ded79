"""A pyhf workspace as the teacher sees it: read, checked by pyhf, one measurement chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from llb_schema import Finding, FindingError, Severity, finding
from llb_trainer.teachers.histfactory.soundness import (
    document_findings,
    model_findings,
    non_finite_findings,
)

if TYPE_CHECKING:
    import pyhf

__all__ = ["INTERPOLATION", "Channel", "OwnSignal", "Workspace", "checked_workspace", "read_workspace"]

INTERPOLATION = {"normsys": "code4", "histosys": "code4p"}
"""The teacher's interpolation codes: those of ATLAS and pyhf's command line, not pyhf's library defaults."""

OwnSignal = Literal["refuse", "float", "drop"]
"""What to do with samples that carry the POI: refuse the workspace; keep them, the POI floating like any
other normalisation; or leave them out."""

_CODES = {"normsys": ("code1", "code4"), "histosys": ("code0", "code2", "code4p")}
_KINKED = frozenset({"code0", "code1", "code2"})


@dataclass(frozen=True)
class Channel:
    """A channel as the workspace document lists it; JSON patches point into this order."""

    name: str
    bins: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Workspace:
    """A workspace that pyhf accepts, with one of its measurements.

    Attributes:
        name: file name, for the record.
        spec: the document, without the samples that were dropped.
        sha256: digest of the raw bytes.
        size: number of raw bytes.
        pyhf_digest: pyhf's own digest of the file's content, the one that patchsets quote.
        measurement: name of the measurement in use.
        poi: name of the parameter of interest; a sample carries it only where `own_signal` is "float".
        own_signal: what was asked for the samples that carry the POI.
        interpolation: interpolation code of each modifier type that has one.
        channels: the channels in the order of `spec`.
        model: the pyhf model of that measurement, without a POI.
        observed: observed main data per channel name.
        warnings: findings that do not stand in the way.
    """

    name: str
    spec: dict[str, Any] = field(repr=False)
    sha256: str
    size: int
    pyhf_digest: str
    measurement: str
    poi: str
    own_signal: OwnSignal
    interpolation: dict[str, str]
    channels: tuple[Channel, ...]
    model: pyhf.Model = field(repr=False)
    observed: dict[str, tuple[float, ...]]
    warnings: tuple[Finding, ...] = ()

    @property
    def bins(self) -> tuple[tuple[str, int], ...]:
        """Channel and index of every bin, in pyhf's order, which is that of signals."""
        config = self.model.config
        return tuple(
            (str(name), index) for name in config.channels for index in range(int(config.channel_nbins[name]))
        )

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """The bins as bundles name them, `channel[index]`."""
        return tuple(f"{name}[{index}]" for name, index in self.bins)


def read_workspace(
    path: Path,
    measurement: str | None = None,
    *,
    interpolation: Mapping[str, str] | None = None,
    own_signal: OwnSignal = "refuse",
) -> Workspace:
    """Read a HistFactory workspace and let pyhf check it.

    Args:
        path: pyhf JSON workspace with observations and at least one measurement.
        measurement: name of the measurement; the first one if None.
        interpolation: codes other than those of `INTERPOLATION`, by modifier type.
        own_signal: what to do with samples that carry the POI.

    Raises:
        FindingError: LLB-W001 not readable or not JSON; LLB-W002 refused by pyhf; LLB-W003 no such
            measurement; LLB-W004 a sample carries the POI; LLB-W005 a number in it is not finite; LLB-W006 a
            channel has no observation of its length; LLB-W007 an interpolation code that pyhf does not know;
            LLB-W017 no sample of a channel is left; and what `soundness` finds: LLB-W008 to LLB-W018.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FindingError(
            finding("LLB-W001", f"Workspace cannot be read: {error.strerror}", pointer=str(path))
        ) from error
    try:
        spec = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FindingError(
            finding("LLB-W001", f"Workspace is not JSON: {error}", pointer=str(path))
        ) from error
    if not isinstance(spec, dict):
        raise FindingError(finding("LLB-W002", "A workspace is a JSON object", pointer=path.name))
    return checked_workspace(
        spec, data, path.name, measurement, interpolation=interpolation, own_signal=own_signal
    )


def checked_workspace(
    spec: dict[str, Any],
    data: bytes,
    name: str,
    measurement: str | None = None,
    *,
    interpolation: Mapping[str, str] | None = None,
    own_signal: OwnSignal = "refuse",
) -> Workspace:
    """A workspace document, such as one that a patch was applied to, checked by pyhf.

    Args:
        spec: the document.
        data: raw bytes of the file that it comes from, for the record.
        name: of that file.
        measurement, interpolation, own_signal: as of `read_workspace`.

    Raises:
        FindingError: as `read_workspace`, LLB-W001 left out.
    """
    _sift(non_finite_findings(spec, name))
    codes = _codes(interpolation or {})
    _validate(spec, name)
    chosen = _measurement(spec, measurement, name)
    poi = str(chosen["config"]["poi"])
    kept = _without_signal(spec, poi, name) if own_signal == "drop" else spec
    warnings = _sift(document_findings(kept, chosen["config"]["parameters"], name))
    model, observed = _built(kept, str(chosen["name"]), codes, name)
    if own_signal == "refuse" and poi in model.config.parameters:
        raise FindingError(finding("LLB-W004", f"A sample carries the POI {poi!r}", pointer=name))
    warnings += _sift(model_findings(kept, model, observed, name))
    return Workspace(
        name=name,
        spec=kept,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        pyhf_digest=_digest(spec),
        measurement=str(chosen["name"]),
        poi=poi,
        own_signal=own_signal,
        interpolation=codes,
        channels=_channels(kept),
        model=model,
        observed=observed,
        warnings=(*warnings, *_kinks(codes, model, name)),
    )


def _sift(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, if all of them are warnings."""
    found = tuple(findings)
    errors = tuple(item for item in found if item.severity is Severity.ERROR)
    if errors:
        raise FindingError(errors)
    return found


def _codes(asked: Mapping[str, str]) -> dict[str, str]:
    """The interpolation code of each modifier type that has one."""
    for kind, code in asked.items():
        known = _CODES.get(kind)
        if known is None:
            raise FindingError(finding("LLB-W007", expected=", ".join(_CODES), actual=kind))
        if code not in known:
            raise FindingError(finding("LLB-W007", pointer=kind, expected=", ".join(known), actual=code))
    return {**INTERPOLATION, **asked}


def _kinks(codes: Mapping[str, str], model: pyhf.Model, pointer: str) -> tuple[Finding, ...]:
    """Codes in use whose derivative jumps, or whose value does."""
    used = {kind for _, kind in model.config.modifiers}
    return tuple(
        finding("LLB-W034", pointer=pointer, actual=f"{kind} {code}")
        for kind, code in codes.items()
        if kind in used and code in _KINKED
    )


def _validate(spec: dict[str, Any], pointer: str) -> None:
    """Hold the document to pyhf's schema."""
    import pyhf

    try:
        pyhf.Workspace(spec)
    # pyhf's refusals share no base class narrower than Exception, and broken documents also
    # surface as KeyError, IndexError or TypeError from inside it.
    except Exception as error:
        raise _refused(error, pointer) from error


def _measurement(spec: dict[str, Any], name: str | None, pointer: str) -> dict[str, Any]:
    """The measurement of that name, the first one if None."""
    names = [str(item["name"]) for item in spec["measurements"]]
    if name is not None and name not in names:
        raise FindingError(finding("LLB-W003", pointer=pointer, expected=", ".join(names), actual=name))
    return spec["measurements"][0 if name is None else names.index(name)]


def _without_signal(spec: dict[str, Any], poi: str, pointer: str) -> dict[str, Any]:
    """The document without the samples that carry the POI."""
    channels = []
    for channel in spec["channels"]:
        kept = [s for s in channel["samples"] if all(m["name"] != poi for m in s["modifiers"])]
        if not kept:
            raise FindingError(finding("LLB-W017", pointer=f"{pointer}/{channel['name']}", actual=poi))
        channels.append({**channel, "samples": kept})
    return {**spec, "channels": channels}


def _built(
    spec: dict[str, Any], measurement: str, codes: Mapping[str, str], pointer: str
) -> tuple[pyhf.Model, dict[str, tuple[float, ...]]]:
    """pyhf's model of the measurement, without a POI, and the observations by channel."""
    import pyhf

    settings = {kind: {"interpcode": code} for kind, code in codes.items()}
    try:
        # validated before; and a yield of zero divides in places where pyhf does not use the quotient
        with np.errstate(all="ignore"):
            workspace = pyhf.Workspace(spec, validate=False)
            model = workspace.model(
                measurement_name=measurement, poi_name=None, modifier_settings=settings, validate=False
            )
        return model, {
            str(name): tuple(float(n) for n in counts) for name, counts in workspace.observations.items()
        }
    except Exception as error:  # as in `_validate`
        raise _refused(error, pointer) from error


def _refused(error: Exception, pointer: str) -> FindingError:
    """pyhf's refusal as a finding."""
    text = str(error).strip().splitlines()
    if isinstance(error, AssertionError) and not text:
        text = ["the samples with a common staterror are not in the same channels"]
    return FindingError(
        finding("LLB-W002", f"pyhf refuses the workspace: {text[0] if text else error!r}", pointer=pointer)
    )


def _digest(spec: dict[str, Any]) -> str:
    from pyhf.utils import digest

    return str(digest(spec))


def _channels(spec: Mapping[str, Any]) -> tuple[Channel, ...]:
    return tuple(
        Channel(
            str(channel["name"]),
            len(channel["samples"][0]["data"]),
            tuple(str(sample["name"]) for sample in channel["samples"]),
        )
        for channel in spec["channels"]
    )
