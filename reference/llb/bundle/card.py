"""The model card: what a manifest says, for people who open the README first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llb.bundle.card_parts import card_head, card_table, card_text
from llb.bundle.density import DENSITY_FAMILIES
from llb.bundle.density_card import density_card

__all__ = ["license_notice", "model_card"]

_MAX_BINS = 60


def model_card(manifest: Mapping[str, Any]) -> str:
    """The README.md of a bundle, in Markdown.

    Args:
        manifest: a valid manifest as a JSON object (`files` is not used).
    """
    if manifest["family"] in DENSITY_FAMILIES:
        return density_card(manifest)
    sections = (
        card_head(manifest, "the profile likelihood of a signal in"),
        _inputs(manifest),
        _curves(manifest),
        _validity(manifest),
        _accuracy(manifest),
        *_uncertainty(manifest),
        _usage(manifest),
    )
    return "\n\n".join(sections) + "\n"


def license_notice(manifest: Mapping[str, Any]) -> str:
    """The LICENSE of a bundle: a notice that names the SPDX licence expression of its manifest."""
    holders = ", ".join(author["name"] for author in manifest["authors"])
    return (
        f"{manifest['id']} {manifest['version']}\nCopyright {manifest['created'][:4]} {holders}\n\n"
        f"SPDX-License-Identifier: {manifest['license']}\n\n"
        "All files of this bundle are available under the licence named above; its text is at\n"
        "https://spdx.org/licenses/ under that identifier.\n"
    )


def _inputs(manifest: Mapping[str, Any]) -> str:
    bins = sorted(manifest["inputs"], key=lambda item: item["column"])
    domain = manifest["domain"]
    rows = [
        (
            item["column"],
            f"`{card_text(item['id'])}`",
            item["role"],
            f"{item['observed']:g}",
            f"{item['background']:.6g}",
            f"{domain['lower'][item['column']]:g} to {domain['upper'][item['column']]:g}",
        )
        for item in bins[:_MAX_BINS]
    ]
    more = f"\n\n... and {len(bins) - _MAX_BINS} more bins." if len(bins) > _MAX_BINS else ""
    return (
        "## Inputs\n\nSignal yields in events, never total yields, one column per bin.\n\n"
        + card_table(("column", "bin", "role", "observed", "background", "domain"), rows)
        + more
    )


def _curves(manifest: Mapping[str, Any]) -> str:
    rows = [
        (
            curve["column"],
            curve["name"],
            f"{curve['baseline_nll']!r}",
            f"alias of {curve['alias_of']}, within {curve['alias_max_difference']:.1g}"
            if "alias_of" in curve
            else "",
        )
        for curve in manifest["curves"]
    ]
    return (
        "## Outputs\n\nDelta NLL = -ln L(s) + ln L(0), each minimised over the nuisance parameters; "
        "add the baseline for an absolute NLL.\n\n"
        + card_table(("column", "curve", "baseline NLL", ""), rows)
    )


def _validity(manifest: Mapping[str, Any]) -> str:
    model, domain = manifest["signal_model"], manifest["domain"]
    modifiers = ", ".join(model["modifiers"]) or "none"
    uncertainty = f"flat relative uncertainty: {model['relative_uncertainty']:g}"
    text = (
        "## Signal model and domain\n\nThe signal strength mu scales every yield. "
        f"Modifiers of the signal: {modifiers}; {uncertainty}. "
        "Points outside the box above are flagged"
    )
    if "truncation" in domain:
        text += (
            f", and so are points with a predicted Delta NLL above {domain['truncation']['delta_nll_max']:g}"
        )
    return text + "."


def _accuracy(manifest: Mapping[str, Any]) -> str:
    validation = manifest["validation"]
    rows = [
        (
            item["curve"],
            item["region"],
            item["count"],
            *(f"{item[key]:.2g}" for key in ("median", "p95", "p99", "max")),
        )
        for item in validation["metrics"]
    ]
    return (
        f"## Accuracy\n\n{card_text(validation['method'])}\n\n"
        "|error of Delta NLL| in NLL units, on points that training never saw; 0.008 is 1 % on CLs.\n\n"
        + card_table(("curve", "region", "points", "median", "95 %", "99 %", "max"), rows)
    )


def _uncertainty(manifest: Mapping[str, Any]) -> Iterator[str]:
    stated = manifest["uncertainty"]
    if stated["kind"] == "none":
        return
    rows = [
        (item["curve"], item["points"], f"{item['within_68']:.1%}", f"{item['within_95']:.1%}")
        for item in stated["coverage"]
    ]
    yield (
        f"## Uncertainty\n\nThe output `{card_text(stated['output'])}` of the graph is one standard "
        f"deviation of the error of Delta NLL, per curve and point, in NLL units. "
        f"{card_text(stated['method'])}\n\n"
        "How often it covers the true error, on held-out points with Delta NLL of at most 6:\n\n"
        + card_table(("curve", "points", "within 1 sigma (68.3 %)", "within 1.96 sigma (95.0 %)"), rows)
    )


def _usage(manifest: Mapping[str, Any]) -> str:
    name = f"{manifest['id']}.llb"
    graph = next(item for item in manifest["graphs"] if item["role"] == "delta_nll")
    first = min(manifest["inputs"], key=lambda item: item["column"])["id"]
    width = len(manifest["inputs"])
    return f"""## Use

On the command line, with a JSON file `{{"{card_text(first)}": 1.5, ...}}` of signal yields:

```
llb validate {name}
llb limit {name} --signal signal.json
```

In Python, with `yields` an array of shape (points, {width}) in the order of the columns:

```python
import llb

model = llb.load("{name}")
delta = model.delta_nll(yields)
```

In Spey, with `llb[spey]` installed and `yields` as above:

```python
import spey

backend = spey.get_backend("llb.profile_likelihood")
print(backend(bundle="{name}", signal_yields=yields[0]).exclusion_confidence_level())
```

With nothing but onnxruntime, from any language:

```python
import onnxruntime

session = onnxruntime.InferenceSession("{name}/{graph["path"]}")
(delta,) = session.run(["{graph["outputs"][0]["name"]}"], {{"{graph["input"]["name"]}": yields}})
```"""
