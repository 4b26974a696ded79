"""What an OLLL v0.1 file says in its metadata, as typed data; nothing in it is ever evaluated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llb.interop.metadata_values import MetadataValues, is_number, place
from llb.interop.olll_bins import OlllBin, read_bins
from llb_schema import Finding, finding

__all__ = [
    "CURVES",
    "OlllBin",
    "OlllMetadata",
    "OlllSource",
    "collect_texts",
    "read_metadata",
    "read_signal_uncertainty",
]

CURVES: Mapping[str, str] = {
    "nLL_exp": "apriori",
    "nLL_obs": "observed",
    "nLLA_exp": "apriori_asimov",
    "nLLA_obs": "observed_asimov",
}
"""Their four outputs, in the order of their columns, and the curve that each is (CURVE-1)."""

_VERSION = "0.1"
_MAX_FINDINGS = 20
# Required by v0.1; a bundle does not need them.
_UNUSED = (
    "model_type",
    "bkg_unc",
    "removeCRsVRs",
    "y_min",
    "y_max",
    *(f"{name}_max" for name in CURVES),
)


@dataclass(frozen=True)
class OlllSource:
    """The `source` of a file: the analysis and its statistical model; "" and None where it does not say."""

    analysis: str
    arxiv: str = ""
    experiment: str = ""
    sqrt_s: float | None = None
    luminosity: float | None = None
    inspire: str = ""
    reference: str = ""
    filename: str = ""


@dataclass(frozen=True)
class OlllMetadata:
    """What a file says, as far as a bundle needs it; transforms are read by `llb.interop.olll_pipelines`.

    Attributes:
        name, author: of the model, as text.
        source: where its likelihood comes from.
        bins: the inputs of the network, by column: channels that were removed are left out.
        lower, upper: (n,) smallest and largest total yields of the training, by column.
        delta_max: largest Delta NLL of the training over the four outputs; None where it is not said.
        baselines: NLL at no signal, by output.
    """

    name: str
    author: str
    source: OlllSource
    bins: tuple[OlllBin, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    delta_max: float | None
    baselines: tuple[float, ...]


def collect_texts(pairs: Iterable[tuple[str | bytes, str | bytes]]) -> tuple[dict[str, str], list[Finding]]:
    """Metadata by key, and a finding for every key that is there twice.

    The first value is kept, for the findings to go on; consumers of these files disagree about which counts.
    """
    texts: dict[str, str] = {}
    twice: dict[str, bool] = {}
    for raw_key, raw_value in pairs:
        key, value = _decoded(raw_key), _decoded(raw_value)
        if key in texts:
            twice[key] = twice.get(key, True) and texts[key] == value
        else:
            texts[key] = value
    return texts, [
        finding(
            "LLB-F004" if same else "LLB-F003", f"the key {key[:80]} is there twice", pointer=place(key[:80])
        )
        for key, same in list(twice.items())[:_MAX_FINDINGS]
    ]


def _decoded(text: str | bytes) -> str:
    """The text; protobuf gives bytes where it is not UTF-8."""
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text


def read_metadata(values: MetadataValues) -> OlllMetadata | None:
    """The metadata as typed data; None if the findings that `values` then has leave no way to tell."""
    version = values.texts.get("olll_schema_version")
    if version != _VERSION:
        message = "this is no OLLL v0.1 file" if version is None else "this is another version of OLLL"
        where = place("olll_schema_version")
        actual = "nothing" if version is None else version[:40]
        values.found.append(finding("LLB-F001", message, pointer=where, expected=_VERSION, actual=actual))
        return None
    kind = values.text("input_type")
    if kind not in {"total_yields", None}:
        values.found.append(finding("LLB-F006", pointer=place("input_type"), actual=str(kind)[:60]))
    for key in _UNUSED:
        if key not in values.texts:
            values.found.append(finding("LLB-F010", f"the key {key} is missing", pointer=place(key)))
    name, author = values.text("model_name"), values.text("model_author")
    source = _source(values)
    bins = read_bins(values)
    lower, upper = values.numbers("x_min"), values.numbers("x_max")
    baselines = tuple(values.number(f"{key}_mu0") for key in CURVES)
    if None in (name, author, source, bins, lower, upper, *baselines):
        return None
    result = OlllMetadata(
        name=name or "",
        author=author or "",
        source=source or OlllSource(""),
        bins=bins or (),
        lower=lower or (),
        upper=upper or (),
        delta_max=_delta_max(values),
        baselines=tuple(item or 0.0 for item in baselines),
    )
    for key, numbers in (("x_min", result.lower), ("x_max", result.upper)):
        if len(numbers) != len(result.bins):
            values.wrong(key, f"one number for each of the {len(result.bins)} inputs", f"{len(numbers)}")
    return result


def _delta_max(values: MetadataValues) -> float | None:
    largest = values.numbers("y_max", needed=False)
    if largest is None:
        return None
    if len(largest) != len(CURVES):
        values.wrong("y_max", f"{len(CURVES)} numbers", f"{len(largest)}")
    # All targets at or below zero would leave nothing of the domain: then there is no such bound.
    return max(largest) if max(largest) > 0.0 else None


def read_signal_uncertainty(values: MetadataValues) -> float | None:
    """The signal's relative uncertainty in the labels, which v0.1 has no key for; None where none says it."""
    for key in ("signal_unc", "sig_rel_unc"):
        if key in values.texts:
            return values.number(key)
    return None


def _source(values: MetadataValues) -> OlllSource | None:
    raw = values.mapping("source")
    if raw is None:
        return None
    model = raw.get("statistical_model", {})
    if not isinstance(model, dict):
        values.wrong("source", "an object", model, "/statistical_model")
        model = {}
    if model.get("type") not in (None, "histfactory"):
        values.wrong("source", "a histfactory model", model["type"], "/statistical_model/type")

    def text(document: Mapping[str, Any], key: str) -> str:
        value = document.get(key)
        return value.strip() if isinstance(value, str) else ""

    def positive(key: str) -> float | None:
        value = raw.get(key)
        if value is None or (is_number(value) and value > 0):
            return None if value is None else float(value)
        values.wrong("source", "a positive number", value, f"/{key}")
        return None

    analysis = text(raw, "analysis_id")
    if not analysis:
        values.wrong("source", "text", raw.get("analysis_id"), "/analysis_id")
    inspire = raw.get("inspire_id")
    return OlllSource(
        analysis=analysis,
        arxiv=text(raw, "arxiv"),
        experiment=text(raw, "experiment"),
        sqrt_s=positive("sqrt_s"),
        luminosity=positive("luminosity"),
        inspire=str(inspire).strip() if isinstance(inspire, str | int) else "",
        reference=text(model, "reference"),
        filename=text(model, "filename"),
    )
