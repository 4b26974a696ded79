"""Runs SModelS in a process of its own, which it fills with loggers and paths: one line of JSON on stdout.

    PYTHONPATH=examples/in_other_tools/smodels_run python -W error probe.py CASES

CASES is a JSON list of objects with `bundle`, a path, `signal`, events by bin id of the bins with a dataset,
`database`, a folder to be written, and optionally `edits`, pairs of texts to be replaced in `globalInfo.txt`,
and `model`, a file to be put in the bundle's place.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import database as example
from smodels.base.model import Model
from smodels.base.physicsUnits import GeV, fb
from smodels.base.smodelsLogging import setLogLevel
from smodels.decomposition import decomposer
from smodels.experiment.databaseObj import Database
from smodels.matching.theoryPrediction import theoryPredictionsFor
from smodels.share.models.mssm import BSMList
from smodels.share.models.SMparticles import SMList
from smodels.statistics.basicStats import NllEvalType

import llb
import llb_smodels
from llb_schema import FindingError

__all__ = ["answer", "topologies"]

POINT = Path(example.__file__).with_name("stau.slha")
KINDS = {kind.name: kind for kind in NllEvalType}


def topologies() -> Any:
    """The decomposed point of stau.slha."""
    model = Model(BSMparticles=BSMList, SMparticles=SMList)
    model.updateParticles(inputFile=str(POINT))
    return decomposer.decompose(model, sigmacut=0.001 * fb, minmassgap=5 * GeV)


def answer(case: dict[str, Any], found: Any) -> dict[str, Any]:
    """What SModelS says of a case; or `findings`, the codes with which it ended, and what they say."""
    folder = example.write_database(Path(case["database"]), llb.read_bundle(case["bundle"]), case["signal"])
    (info,) = folder.rglob("globalInfo.txt")
    for old, new in case.get("edits", []):
        text = info.read_text(encoding="utf-8")
        assert old in text
        info.write_text(text.replace(old, new), encoding="utf-8")
    if "model" in case:
        shutil.copyfile(case["model"], info.with_name(example.MODEL))
    base = Database(str(folder))
    try:
        (prediction,) = theoryPredictionsFor(base, found, combinedResults=True)
        return numbers(prediction)
    except FindingError as error:
        return {"findings": [item.code for item in error.findings], "text": str(error)}


def numbers(prediction: Any) -> dict[str, Any]:
    """r, limits and CLs of one prediction, and what its computer is made of."""
    (computer,) = prediction.statsComputer.subComputers
    adapter = computer.adaptor
    return {
        "adapter": type(adapter).__name__,
        "signal": computer.nsignals,
        "r": {name: float(prediction.getRValue(kind)) for name, kind in KINDS.items()},
        "limit": {name: float(computer.getUpperLimitOnMu(kind)) for name, kind in KINDS.items()},
        "limit_with_error": [
            float(computer.getUpperLimitOnMu(KINDS["observed"], pmSigma=sign)) for sign in (-1, 1)
        ],
        "cls": {name: float(computer.CLs(1.0, kind)) for name, kind in KINDS.items()},
        "nll": {str(mu): float(computer.nll(mu)) for mu in (0.0, 1.0)},
        "error": float(computer.nll(1.0, pmSigma=1) - computer.nll(1.0)),
        "lowest": {key: float(value) for key, value in computer.nll_min(allowNegativeSignals=False).items()},
        "constant": adapter.constant,
    }


if __name__ == "__main__":
    setLogLevel("fatal")
    llb_smodels.install()
    point = topologies()
    print(json.dumps([answer(case, point) for case in json.loads(sys.argv[1])]))
