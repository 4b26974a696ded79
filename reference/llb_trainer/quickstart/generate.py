"""Writes the embedded search: `python -m llb_trainer.quickstart.generate [FOLDER]`.

An invented search for pairs of heavy partners, each decaying to visible particles and an
invisible lightest state, in a data set of 100 fb^-1. One signal region `SR` is binned in a
transverse mass (mT2), a second one, `SRboost`, counts events with a boosted system; `CRtop` and
`CRZ` fix the two free normalisations. All modifier types that public searches commonly use occur.

Every number below was made up. Running the script again gives the same bytes; a test holds the
files to that.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any, Final

from pyhf.utils import digest

from llb_trainer.quickstart import patchset_path, workspace_path

__all__ = ["background_workspace", "main", "render", "signal_patchset", "signal_yields"]

Json = dict[str, Any]

_POI: Final = "mu_SIG"

# Expected background events: channel -> sample -> one value per bin.
_BACKGROUND: Final[dict[str, dict[str, list[float]]]] = {
    "CRtop": {"Top": [612.0], "Zjets": [21.5], "Diboson": [17.8], "Fakes": [30.4]},
    "CRZ": {"Top": [34.6], "Zjets": [241.0], "Diboson": [28.3], "Fakes": [8.9]},
    "SR": {
        "Top": [14.3, 5.7, 1.92, 0.46],
        "Zjets": [6.2, 3.45, 1.74, 0.63],
        "Diboson": [5.3, 3.62, 2.21, 1.08],
        "Fakes": [3.2, 1.52, 0.71, 0.26],
    },
    "SRboost": {"Top": [0.83], "Zjets": [1.94], "Diboson": [1.31], "Fakes": [0.37]},
}

# A mild excess in the third bin of SR; the control regions pull both normalisations a little.
_OBSERVED: Final[dict[str, list[float]]] = {
    "CRtop": [703],
    "CRZ": [299],
    "SR": [31, 12, 10, 2],
    "SRboost": [5],
}

_FREE_NORMALISATION: Final = {"Top": "mu_Top", "Zjets": "mu_Z"}

# Samples without a free normalisation take their size from the luminosity; fakes come from data.
_LUMINOSITY_SCALED: Final = ("Diboson",)

# One-parameter scale uncertainties: name -> sample -> relative (down, up).
_SCALE: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "lepton_efficiency": {"Top": (-0.021, 0.022), "Zjets": (-0.024, 0.025), "Diboson": (-0.023, 0.023)},
    "b_tagging": {"Top": (-0.043, 0.038), "Zjets": (0.012, -0.011), "Diboson": (0.009, -0.01)},
    "top_generator": {"Top": (-0.11, 0.125)},
    "Z_generator": {"Zjets": (-0.09, 0.1)},
    "diboson_cross_section": {"Diboson": (-0.07, 0.075)},
    "fakes_closure": {"Fakes": (-0.26, 0.31)},
}
# Generator uncertainties act on the extrapolation, hence not in the region that fixes the sample.
_SKIPPED: Final = {("top_generator", "CRtop"), ("Z_generator", "CRZ")}

# Uncertainties that move events along mT2: name -> relative change per bin of SR at +1 and -1 sigma,
# and of every one-bin channel.
_SHAPE: Final[dict[str, tuple[list[float], list[float], float]]] = {
    "jet_scale": ([0.03, 0.045, 0.07, 0.12], [-0.028, -0.05, -0.066, -0.1], 0.025),
    "jet_resolution": ([-0.012, 0.01, 0.035, 0.08], [0.01, -0.014, -0.03, -0.07], 0.008),
    "met_soft_term": ([0.006, 0.018, 0.03, 0.05], [-0.007, -0.015, -0.034, -0.04], 0.004),
}
_SHAPE_SAMPLES: Final = ("Top", "Zjets", "Diboson")

# Relative statistical uncertainty of the simulation in the signal regions, per bin.
_SIMULATION: Final[dict[str, dict[str, list[float]]]] = {
    "SR": {
        "Top": [0.03, 0.05, 0.09, 0.18],
        "Zjets": [0.04, 0.05, 0.08, 0.13],
        "Diboson": [0.02, 0.03, 0.04, 0.05],
    },
    "SRboost": {"Top": [0.14], "Zjets": [0.07], "Diboson": [0.05]},
}
# Relative statistical uncertainty of the data sample that the fakes are taken from.
_FAKES_SAMPLE: Final = [0.16, 0.23, 0.33, 0.52]

_PARENT_MASSES: Final = (300, 400, 500, 600, 700, 800)
_LSP_MASSES: Final = (1, 80, 160, 240)
_MT2_EDGES: Final = (100.0, 150.0, 220.0, 310.0, math.inf)


def _rounded(values: list[float]) -> list[float]:
    """Four decimals: enough for physics, and the same text on every platform."""
    return [round(value, 4) for value in values]


def _scaled(nominal: list[float], relative: list[float]) -> list[float]:
    return _rounded([n * (1.0 + r) for n, r in zip(nominal, relative, strict=True)])


def _background_modifiers(channel: str, sample: str, nominal: list[float]) -> list[Json]:
    modifiers: list[Json] = []
    if sample in _FREE_NORMALISATION:
        modifiers.append({"name": _FREE_NORMALISATION[sample], "type": "normfactor", "data": None})
    if sample in _LUMINOSITY_SCALED:
        modifiers.append({"name": "lumi", "type": "lumi", "data": None})
    for name, effects in _SCALE.items():
        if sample in effects and (name, channel) not in _SKIPPED:
            down, up = effects[sample]
            data = {"hi": round(1 + up, 4), "lo": round(1 + down, 4)}
            modifiers.append({"name": name, "type": "normsys", "data": data})
    for name, (up, down, flat) in _SHAPE.items():
        if sample in _SHAPE_SAMPLES:
            above, below = (up, down) if channel == "SR" else ([flat], [-flat])
            data = {"hi_data": _scaled(nominal, above), "lo_data": _scaled(nominal, below)}
            modifiers.append({"name": name, "type": "histosys", "data": data})
    if sample in _SIMULATION.get(channel, {}):
        absolute = [n * r for n, r in zip(nominal, _SIMULATION[channel][sample], strict=True)]
        modifiers.append({"name": f"staterror_{channel}", "type": "staterror", "data": _rounded(absolute)})
    if channel == "SR" and sample == "Fakes":
        absolute = [n * r for n, r in zip(nominal, _FAKES_SAMPLE, strict=True)]
        modifiers.append({"name": "fakes_sample_SR", "type": "shapesys", "data": _rounded(absolute)})
    return modifiers


def background_workspace() -> Json:
    """The background-only workspace: four channels, seven bins, two free normalisations."""
    lumi = {"name": "lumi", "auxdata": [1.0], "bounds": [[0.9, 1.1]], "inits": [1.0], "sigmas": [0.018]}
    return {
        "channels": [
            {
                "name": channel,
                "samples": [
                    {
                        "name": sample,
                        "data": nominal,
                        "modifiers": _background_modifiers(channel, sample, nominal),
                    }
                    for sample, nominal in samples.items()
                ],
            }
            for channel, samples in _BACKGROUND.items()
        ],
        "measurements": [{"name": "HeavyPartners", "config": {"poi": _POI, "parameters": [lumi]}}],
        "observations": [{"name": channel, "data": counts} for channel, counts in _OBSERVED.items()],
        "version": "1.0.0",
    }


def signal_yields(parent: float, lsp: float) -> dict[str, list[float]]:
    """Signal events at mu = 1 per channel, from a caricature of the kinematics.

    Args:
        parent: mass of the heavy partner, GeV.
        lsp: mass of the invisible state, GeV.

    The rate falls with the parent mass like a pair cross section, the acceptance grows with the
    mass gap, and mT2 extends to its endpoint (parent^2 - lsp^2) / parent.
    """
    produced = 265.0 * (parent / 300.0) ** -2.6
    selected = 0.2 * (1.0 - math.exp(-(((parent - lsp) / 300.0) ** 2)))
    endpoint = (parent**2 - lsp**2) / parent
    below = [min(edge / endpoint, 1.0) ** 1.6 for edge in _MT2_EDGES]
    fractions = [above - edge for edge, above in itertools.pairwise(below)]
    boosted = 0.16 * (1.0 - math.exp(-((endpoint / 500.0) ** 3)))
    return {
        "CRtop": _rounded([0.02 * produced * (1.0 - selected)]),
        "CRZ": _rounded([0.007 * produced * (1.0 - selected)]),
        "SR": _rounded([produced * selected * fraction for fraction in fractions]),
        "SRboost": _rounded([produced * selected * boosted]),
    }


def _signal_sample(name: str, yields: list[float], gap: float) -> Json:
    # Published signals carry systematics of their own; learned likelihoods usually take yields
    # only. This one is here so that the difference is seen and warned about.
    acceptance = round(0.04 + 6.0 / gap, 4)
    return {
        "name": name,
        "data": yields,
        "modifiers": [
            {"name": _POI, "type": "normfactor", "data": None},
            {"name": "lumi", "type": "lumi", "data": None},
            {
                "name": "signal_acceptance",
                "type": "normsys",
                "data": {"hi": round(1 + acceptance, 4), "lo": round(1 - acceptance, 4)},
            },
        ],
    }


def signal_patchset(workspace: Json) -> Json:
    """The patchset on the plane (m_parent, m_lsp) in GeV, for exactly this workspace."""
    channels = [channel["name"] for channel in workspace["channels"]]
    patches: list[Json] = []
    for parent in _PARENT_MASSES:
        for lsp in _LSP_MASSES:
            name, yields = f"PP_{parent}_{lsp}", signal_yields(parent, lsp)
            operations = [
                {
                    "op": "add",
                    "path": f"/channels/{index}/samples/-",
                    "value": _signal_sample(name, yields[channel], parent - lsp),
                }
                for index, channel in enumerate(channels)
            ]
            patches.append({"metadata": {"name": name, "values": [parent, lsp]}, "patch": operations})
    return {
        "metadata": {
            "description": "Pairs of heavy partners in an invented search; all numbers are fiction",
            "digests": {"sha256": digest(workspace)},
            "labels": ["m_parent", "m_lsp"],
            "references": {"hepdata": "ins0000000"},
        },
        "patches": patches,
        "version": "1.0.0",
    }


def render(document: Json) -> str:
    """The document as text: one line per sample, modifier or patch operation, for readable diffs."""
    return _render(document, 0) + "\n"


def _render(value: object, depth: int) -> str:
    flat = json.dumps(value, allow_nan=False)
    if len(flat) <= 120 - 2 * depth or not isinstance(value, (dict, list)):
        return flat
    pad, end = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {_render(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(pad + part for part in parts) + f"\n{end}}}"
    return "[\n" + ",\n".join(pad + _render(item, depth + 1) for item in value) + f"\n{end}]"


def main(folder: Path | None = None) -> None:
    """Write both files, by default over the embedded ones."""
    workspace = background_workspace()
    targets = {workspace_path(): workspace, patchset_path(): signal_patchset(workspace)}
    for path, document in targets.items():
        target = path if folder is None else folder / path.name
        target.write_text(render(document), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
