"""The model card of a density."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llb.bundle.card_parts import card_head, card_table, card_text

__all__ = ["density_card"]

_MAX_PARAMETERS = 120
_KINDS = {
    "posterior": "the posterior density of the parameters of",
    "normalized_likelihood": "the likelihood, as a density of its parameters, of",
    "likelihood": "the likelihood, as a function of its parameters, of",
}


def density_card(manifest: Mapping[str, Any]) -> str:
    """The README.md of a density, in Markdown.

    Args:
        manifest: a valid manifest as a JSON object (`files` is not used).
    """
    head = card_head(manifest, _KINDS[manifest["density"]["kind"]])
    return "\n\n".join([head, _meaning(manifest), *_accuracy(manifest), _usage(manifest)]) + "\n"


def _meaning(manifest: Mapping[str, Any]) -> str:
    parameters = sorted(manifest["parameters"], key=lambda item: item["column"])
    domain, density = manifest["domain"], manifest["density"]
    priors = {item["parameter"]: item for item in density.get("prior", ())}
    rows = [
        (
            item["column"],
            f"`{card_text(item['name'])}`",
            item["role"],
            card_text(item["unit"]),
            f"{domain['lower'][item['column']]:g} to {domain['upper'][item['column']]:g}",
            _prior(priors.get(item["name"], {})),
        )
        for item in parameters[:_MAX_PARAMETERS]
    ]
    left = len(parameters) - _MAX_PARAMETERS
    more = f"\n\n... and {left} more parameters." if left > 0 else ""
    heads = ("column", "parameter", "role", "unit", "domain", "prior")
    text = "`log_prob` is the natural logarithm of the density with respect to the parameters in their units."
    if density["kind"] == "likelihood":
        text = (
            f"ln L with every constant is `log_prob` plus {density['offset']!r}, added in double precision."
        )
    given = ", ".join(f"`{card_text(item['name'])}`" for item in manifest.get("conditions", ()))
    conditions = f" It is conditional on {given}." if given else ""
    return f"## Parameters\n\n{text}{conditions}\n\n" + card_table(heads, rows) + more


def _prior(factor: Mapping[str, Any]) -> str:
    if factor.get("kind") in ("normal", "lognormal"):
        return f"{factor['kind']}, {factor['mean']:g} ± {factor['width']:g}"
    return card_text(factor.get("text", factor.get("kind", "")))


def _accuracy(manifest: Mapping[str, Any]) -> Iterator[str]:
    validation = manifest["validation"]
    text = f"## Accuracy\n\n{card_text(validation['method'])}"
    for item in validation["metrics"]:
        numbers = ", ".join(f"{name} {item[name]:.2g}" for name in ("median", "p95", "p99", "max"))
        text += f"\n\n|error of log_prob| on {item['count']} held-out points: {numbers}."
    yield text
    rows = [
        (item["quantity"], f"{item['value']:.4g}", f"{item['null']:.4g} ± {item['null_std']:.2g}", item["n"])
        for item in validation.get("sample_metrics", ())
    ]
    if rows:
        heads = ("distance", "samples and truth", "truth and truth", "points")
        yield "Distances between samples, beside those between samples of the truth:\n\n" + card_table(
            heads, rows
        )


def _usage(manifest: Mapping[str, Any]) -> str:
    name = f"{manifest['id']}.llb"
    roles = {item["role"] for item in manifest["graphs"]}
    first = card_text(min(manifest["parameters"], key=lambda item: item["column"])["name"])
    under = ", condition" if manifest.get("conditions") else ""
    draw = f"\ndraws = density.sample(1000, 1{under})" if "sample" in roles else ""
    return f"""## Use

```
llb validate {name}
llb eval {name} --parameters points.csv
llb profile {name} --parameter {first}
```

In Python, with `theta` an array of shape (points, {len(manifest["parameters"])}) in the order of the columns:

```python
from llb.runtime import load_density

density = load_density("{name}")
values = density.log_prob(theta{under}){draw}
```"""
