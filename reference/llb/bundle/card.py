"""The model card: what a manifest says, for people who open the README first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llb.bundle.identity import Analysis

__all__ = ["license_notice", "model_card"]

_MAX_BINS = 60


def model_card(manifest: Mapping[str, Any]) -> str:
    """The README.md of a bundle, in Markdown.

    Args:
        manifest: a valid manifest as a JSON object (`files` is not used).
    """
    sections = (
        _identity(manifest),
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


def _identity(manifest: Mapping[str, Any]) -> str:
    analysis, teacher = Analysis.from_json(manifest["analysis"]), manifest["teacher"]
    lines = [
        f"# {_text(manifest['title'])}",
        "",
        f"`{manifest['id']}` version {manifest['version']}, a Learned Likelihood Bundle "
        f"(format {manifest['format_version']}): the profile likelihood of a signal in "
        f"{_text(str(analysis))}, learned from the full statistical model.",
        "",
        f"- Authors: {', '.join(_text(author['name']) for author in manifest['authors'])}",
        f"- Licence: {manifest['license']}",
        f"- Made: {manifest['created']}",
        f"- Teacher: {', '.join(_text(item['name']) for item in teacher['files'])}, {_model(teacher)}",
    ]
    lines += [f"- Reference: {item['kind']} {_text(item['value'])}" for item in manifest["references"]]
    if "supersedes" in manifest:
        lines.append(f"- Supersedes: {manifest['supersedes']}")
    return "\n".join(lines)


def _model(teacher: Mapping[str, Any]) -> str:
    """What kind of model the teacher is, and which part of it was used."""
    if teacher["kind"] == "histfactory":
        return f"measurement {_text(teacher['measurement'])}, parameter of interest {_text(teacher['poi'])}"
    return "a simplified likelihood" + (" with third moments" if teacher["third_moments"] else "")


def _inputs(manifest: Mapping[str, Any]) -> str:
    bins = sorted(manifest["inputs"], key=lambda item: item["column"])
    domain = manifest["domain"]
    rows = [
        (
            item["column"],
            f"`{_text(item['id'])}`",
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
        + _table(("column", "bin", "role", "observed", "background", "domain"), rows)
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
        "add the baseline for an absolute NLL.\n\n" + _table(("column", "curve", "baseline NLL", ""), rows)
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
        f"## Accuracy\n\n{_text(validation['method'])}\n\n"
        "|error of Delta NLL| in NLL units, on points that training never saw; 0.008 is 1 % on CLs.\n\n"
        + _table(("curve", "region", "points", "median", "95 %", "99 %", "max"), rows)
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
        f"## Uncertainty\n\nThe output `{_text(stated['output'])}` of the graph is one standard deviation of "
        f"the error of Delta NLL, per curve and point, in NLL units. {_text(stated['method'])}\n\n"
        "How often it covers the true error, on held-out points with Delta NLL of at most 6:\n\n"
        + _table(("curve", "points", "within 1 sigma (68.3 %)", "within 1.96 sigma (95.0 %)"), rows)
    )


def _usage(manifest: Mapping[str, Any]) -> str:
    name = f"{manifest['id']}.llb"
    graph = next(item for item in manifest["graphs"] if item["role"] == "delta_nll")
    first = min(manifest["inputs"], key=lambda item: item["column"])["id"]
    width = len(manifest["inputs"])
    return f"""## Use

On the command line, with a JSON file `{{"{_text(first)}": 1.5, ...}}` of signal yields:

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


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _text(text: str) -> str:
    """Free text of the manifest on one line, without what would be markup."""
    line = " ".join(text.split())
    for mark in "\\`|<>":
        line = line.replace(mark, "\\" + mark)
    return line
