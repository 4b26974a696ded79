"""The smallest SModelS database around a bundle: one analysis, pairs of staus, flat efficiencies."""

from collections.abc import Mapping
from pathlib import Path

from llb.bundle import Bundle, copy_bundle
from llb_smodels import global_info

LUMINOSITY = 139.0  # 1/fb
CROSS_SECTION = 2.0  # fb, as in stau.slha
MODEL = "model.llb.zip"

TOPOLOGY = """\
txName: TStauStau
constraint: [[['ta']],[['ta']]]
condition: None
conditionDescription: None
validated: True
efficiencyMap: [MAP]
"""


def write_database(folder: Path, bundle: Bundle, signal: Mapping[str, float]) -> Path:
    """Writes a database in which the point of stau.slha has these events by bin id, and returns its folder.

    Bins without an entry have no dataset; a control region that has one makes `includeCRs` true.
    """
    bins = {item.id: item for item in bundle.manifest.bins}
    datasets = {name: name if name in signal else None for name in bins}
    analysis = folder / "13TeV" / "ATLAS" / "ATLAS-TOY-2024-01-eff"
    analysis.mkdir(parents=True)
    (folder / "version").write_text("1.0.0\n", encoding="utf-8")
    copy_bundle(bundle, analysis / MODEL)
    header = f"id: ATLAS-TOY-2024-01\nsqrts: 13*TeV\nlumi: {LUMINOSITY}/fb\n"
    lines = global_info(bundle.manifest, MODEL, datasets=datasets)
    (analysis / "globalInfo.txt").write_text(header + lines, encoding="utf-8")
    for number, (name, events) in enumerate(signal.items()):
        dataset, item = analysis / f"region{number}", bins[name]
        dataset.mkdir()
        # SModelS wants an error and single-region limits of every dataset; the bundle does not need them.
        (dataset / "dataInfo.txt").write_text(
            f"dataType: efficiencyMap\ndataId: {name}\nobservedN: {item.observed}\n"
            f"expectedBG: {item.background}\nbgError: {0.1 * item.background}\n"
            "upperLimit: 1.0*fb\nexpectedUpperLimit: 1.0*fb\n",
            encoding="utf-8",
        )
        efficiency = events / (LUMINOSITY * CROSS_SECTION)
        points = [(stau, lsp) for stau in (150.0, 250.0, 350.0) for lsp in (0.0, 50.0, 100.0)]
        grid = [f"[[[{x}*GeV,{y}*GeV],[{x}*GeV,{y}*GeV]],{efficiency!r}]" for x, y in points]
        text = TOPOLOGY.replace("MAP", ", ".join(grid))
        (dataset / "TStauStau.txt").write_text(text, encoding="utf-8")
    return folder
