"""The metadata of an exported OLLL v0.1 file.

Every value is JSON that is a Python literal as well, without true, false and null: the incumbent's adapter
reads some of them by eval. (It does not read `removeCRsVRs`, which has to be a JSON Boolean.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llb.bundle import Bundle, InputBin, Manifest, Reference
from llb.interop.olll_metadata import CURVES
from llb.interop.olll_pipelines import PLAIN_RUN_CONFIG
from llb.interop.own_record import OWN_KEY, OwnRecord
from llb.interop.teacher_facts import TeacherFacts
from llb_schema import Finding, finding

__all__ = [
    "ChannelShape",
    "ExportChoices",
    "Numbers",
    "metadata_texts",
    "missing_facts",
    "olll_name",
]

ChannelShape = Literal["list", "map"]

_SPDX_TEXT = {"CC-BY-4.0": "CC BY 4.0", "CC-BY-3.0": "CC BY 3.0", "CC0-1.0": "CC0 1.0"}


@dataclass(frozen=True)
class ExportChoices:
    """What a bundle may leave open and an OLLL file has to say, and how it says it.

    Attributes:
        channels: whether roles are a list of one map, or a map. The adapter iterates a list of maps and fails
            on a map; the validator of the standard takes nothing but a map.
        experiment, sqrt_s, arxiv, reference: in place of what the bundle does not say; `sqrt_s` in TeV,
            `reference` a DOI or an address of the statistical model.
        positive_baselines: whether baselines that are not positive are lifted, all by the same number.
    """

    channels: ChannelShape = "list"
    experiment: str | None = None
    sqrt_s: float | None = None
    arxiv: str | None = None
    reference: str | None = None
    positive_baselines: bool = False


@dataclass(frozen=True)
class Numbers:
    """What a file says besides what the manifest does.

    Attributes:
        offset: (n,) events that the incumbent adds to a signal.
        baselines: NLL at no signal by their names of curves.
        best: mu-hat and the NLL there, by the same names.
        smallest, largest: Delta NLL in the domain, by the same names.
    """

    offset: Sequence[float]
    baselines: Mapping[str, float]
    best: Mapping[str, tuple[float, float]]
    smallest: Mapping[str, float]
    largest: Mapping[str, float]


def olll_name(item: InputBin) -> str:
    """The name of a bin there."""
    return f"{item.channel}-{item.index}"


def missing_facts(manifest: Manifest, choices: ExportChoices) -> Iterator[Finding]:
    """A finding for everything that the format requires and neither the bundle nor the user says."""
    analysis = manifest.analysis
    for name, said, option in (
        ("experiment", analysis.experiment or choices.experiment, "--experiment"),
        ("sqrt_s", analysis.sqrt_s or choices.sqrt_s, "--sqrt-s"),
        ("arxiv", choices.arxiv or _arxiv(manifest), "--arxiv"),
        ("statistical_model.reference", choices.reference or _model_reference(manifest), "--reference"),
    ):
        if not said:
            message = f"the bundle does not say source.{name}, which OLLL v0.1 requires"
            yield finding("LLB-F104", message, pointer="/analysis", hint=f"Give it with {option}.")
    if manifest.teacher.kind != "histfactory":
        message = f"OLLL v0.1 has no name for a teacher of the kind {manifest.teacher.kind}"
        yield finding("LLB-F106", message, pointer="/teacher/kind", actual=manifest.teacher.kind)
    roles: dict[str, set[str]] = {}
    for item in manifest.inputs:
        roles.setdefault(item.channel, set()).add(item.role)
    for channel in sorted(name for name, found in roles.items() if len(found) > 1):
        message = f"bins of {channel} have different roles, and OLLL v0.1 has one for each channel"
        yield finding("LLB-F106", message, pointer="/inputs", actual=", ".join(sorted(roles[channel])))


def _arxiv(manifest: Manifest) -> str | None:
    return next((item.value for item in manifest.references if item.kind == "arxiv"), None)


def _model_reference(manifest: Manifest) -> str | None:
    """Where the statistical model lies: the reference that PROFILE-7 asks for, or another DOI or address."""

    def address(item: Reference) -> str:
        record = item.kind == "hepdata" and not item.value.startswith("10.")
        return f"https://www.hepdata.net/record/{item.value}" if record else item.value

    def rank(item: Reference) -> int:
        archived = item.kind == "hepdata" or item.value.startswith(("10.17182/", "10.5281/", "10.7483/"))
        return 0 if archived else 1

    usable = [item for item in manifest.references if item.kind in {"hepdata", "doi", "url"}]
    return address(min(usable, key=rank)) if usable else None


def metadata_texts(bundle: Bundle, numbers: Numbers, choices: ExportChoices) -> dict[str, str]:
    """All keys of the file with their texts, the version first.

    Args:
        bundle: what is exported; `missing_facts` has found nothing.
        numbers: what was computed for it.
        choices: what the bundle leaves open.
    """
    manifest = bundle.manifest
    bins = manifest.bins
    offset, domain = numbers.offset, manifest.domain
    width = len(bins)
    roles = {item.channel: item.role for item in bins}
    values: dict[str, Any] = {
        "source": _source(manifest, choices),
        "channels": [roles] if choices.channels == "list" else roles,
        "obs_yields": [[olll_name(item), int(item.observed)] for item in bins],
        "bkg_yields": [[olll_name(item), item.background] for item in bins],
        # A bundle has no uncertainty of a background; v0.1 leaves open what the number would mean.
        "bkg_unc": [[olll_name(item), 0.0] for item in bins],
        "removeCRsVRs": False,
        "remove_channels": [],
        "x_min": [base + low for base, low in zip(offset, domain.lower, strict=True)],
        "x_max": [base + high for base, high in zip(offset, domain.upper, strict=True)],
        "y_min": [numbers.smallest[name] for name in CURVES],
        "y_max": [numbers.largest[name] for name in CURVES],
        "preprocessing": {
            "features_pipeline": [],
            "nLLs_pipeline": [],
            "note": "All transforms are in the graph, the offset of the total yields included.",
        },
        "standardization": {
            "features_mean": [[0.0] * width],
            "features_std": [[1.0] * width],
            "nLLs_mean": [[0.0] * len(CURVES)],
            "nLLs_std": [[1.0] * len(CURVES)],
        },
        **{f"{name}_mu0": numbers.baselines[name] for name in CURVES},
        **{f"{name}_max": list(numbers.best[name]) for name in CURVES},
        "signal_unc": manifest.signal_model.relative_uncertainty,
        OWN_KEY: _own(bundle, offset).to_json(),
    }
    return {
        "olll_schema_version": "0.1",
        "model_type": "Regressor",
        "model_name": f"{manifest.id}@{manifest.version}",
        "model_author": ", ".join(author.name.replace(",", " ") for author in manifest.authors),
        "model_license": _SPDX_TEXT.get(manifest.license, manifest.license),
        "training_date": manifest.created[:10],
        "input_type": "total_yields",
        "run_config": PLAIN_RUN_CONFIG,
        **{key: json.dumps(value, allow_nan=False) for key, value in values.items()},
    }


def _own(bundle: Bundle, offset: Sequence[float]) -> OwnRecord:
    manifest = bundle.manifest
    named = dict(zip(manifest.bin_ids, offset, strict=True))
    return OwnRecord(TeacherFacts.of_bundle(bundle), named, manifest.signal_model.modifiers)


def _source(manifest: Manifest, choices: ExportChoices) -> dict[str, Any]:
    analysis = manifest.analysis
    luminosity = {} if analysis.luminosity is None else {"luminosity": analysis.luminosity}
    inspire = [item.value for item in manifest.references if item.kind == "inspire"]
    return {
        "analysis_id": analysis.name,
        "arxiv": choices.arxiv or _arxiv(manifest),
        "experiment": analysis.experiment or choices.experiment,
        "sqrt_s": analysis.sqrt_s or choices.sqrt_s,
        **luminosity,
        **({"inspire_id": inspire[0]} if inspire else {}),
        "statistical_model": {
            "type": "histfactory",
            "reference": choices.reference or _model_reference(manifest),
            "filename": manifest.teacher.files[0].name,
        },
    }
