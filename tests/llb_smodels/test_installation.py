"""Putting the adapter into SModelS, from Python and from runSModelS.py, and the lines of a database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llb.bundle import read_bundle
from llb_conformance import counting_model, write_quadratic
from llb_schema import FindingError
from llb_smodels import global_info

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "in_other_tools" / "smodels_run"
COUNTING = counting_model()
EVENTS = {"SRlow[0]": 8.0, "SRhigh[0]": 6.0, "SRhigh[1]": 5.0, "CR[0]": 7.0}
MODULE = "smodels.statistics.hep_olll.nnAdapter"


def ran(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )


def printed(code: str, **environment: str) -> list[str]:
    done = ran("-c", code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_importing_changes_nothing() -> None:
    code = "import sys; before = list(sys.path); import llb_smodels; from llb_smodels import adapter\n"
    code += "print('smodels' in sys.modules, sys.path == before)"
    assert printed(code) == ["False True"]


def test_a_second_call_changes_nothing() -> None:
    code = f"import sys, llb_smodels; llb_smodels.install(); one = sys.modules['{MODULE}']\n"
    code += f"llb_smodels.install(); print(sys.modules['{MODULE}'] is one)\n"
    code += f"from {MODULE} import NNAdapter\n"
    code += "print(NNAdapter.__self__ is one)"
    assert printed(code) == ["True", "True"]


@pytest.mark.parametrize("loaded", [False, True])
def test_an_adapter_that_is_there_gets_what_is_no_bundle(loaded: bool, tmp_path: Path) -> None:
    bundle = write_quadratic(COUNTING, tmp_path / "toy.llb")
    package = tmp_path / "more" / "hep_olll"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "nnAdapter.py").write_text(
        "class NNAdapter:\n"
        "    def __init__(self, model, onnxfilename, session_options, validate_metadata):\n"
        "        self.said = (model[:4], onnxfilename, session_options, validate_metadata)\n",
        encoding="utf-8",
    )
    code = f"""
import smodels.statistics, llb_smodels
from llb.bundle import copy_bundle, read_bundle
smodels.statistics.__path__.append({str(package.parent)!r})
if {loaded}:
    from {MODULE} import NNAdapter
llb_smodels.install()
from {MODULE} import NNAdapter
options = dict(session_options={{}}, validate_metadata=True)
print(NNAdapter(b'onnx, really', 'a.onnx', **options).said)
path = copy_bundle(read_bundle({str(bundle)!r}), {str(tmp_path / "toy.zip")!r})
print(type(NNAdapter(path.read_bytes(), 'a.zip', **options)).__name__)
"""
    assert printed(code) == ["(b'onnx', 'a.onnx', {}, True)", "BundleAdapter"]


def test_without_smodels_it_says_what_to_install() -> None:
    code = """
import sys
sys.modules["smodels"] = None
import llb_smodels
try:
    llb_smodels.install()
except Exception as error:
    print(type(error).__name__, error)
"""
    (line,) = printed(code)
    assert line.startswith("FindingError [LLB-X001] SModelS is not installed")


def test_run_smodels_gives_the_same_r(tmp_path: Path) -> None:
    bundle = write_quadratic(COUNTING, tmp_path / "toy.llb")
    code = "import json, sys; from database import *; from llb import read_bundle\n"
    code += f"write_database(Path({str(tmp_path / 'db')!r}), read_bundle({str(bundle)!r}), {EVENTS!r})"
    assert printed(code, PYTHONPATH=str(EXAMPLE)) == []
    told = printed("import runpy; runpy.run_module('llb_smodels', run_name='__main__')")
    assert told[0] == "[custom-codes]"
    parameters = tmp_path / "parameters.ini"
    parameters.write_text("\n".join([*told, PARAMETERS.format(database=tmp_path / "db")]), encoding="utf-8")
    script = Path(sys.executable).with_name("runSModelS.py")
    # SModelS itself warns here and there.
    done = subprocess.run(
        [sys.executable, script, "-f", EXAMPLE / "stau.slha", "-p", parameters, "-o", tmp_path / "out"],
        capture_output=True,
        cwd=tmp_path,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (output,) = (tmp_path / "out").glob("*.py")
    scope: dict[str, Any] = {}
    exec(output.read_text(encoding="utf-8"), scope)  # noqa: S102 - that is how SModelS' own files are read
    (result,) = scope["smodelsOutput"]["ExptRes"]
    exact = COUNTING.exact(COUNTING.vector(EVENTS))
    assert result["dataType"] == "combined"
    assert result["r"] == pytest.approx(1.0 / exact.upper_limit_observed, rel=1e-3)


PARAMETERS = """
[options]
checkInput = True
doInvisible = True
doCompress = True
computeStatistics = True
testCoverage = False
combineSRs = True
[particles]
model = share.models.mssm
promptWidth = 1e-11
stableWidth = 1e-25
[parameters]
sigmacut = 0.001
minmassgap = 5.
minmassgapISR = 1.
maxcond = 0.2
ncpus = 1
[database]
path = {database}
analyses = all
txnames = all
dataselector = all
[printer]
outputFormat = current
outputType = python
[python-printer]
addElementList = False
"""


def test_lines_of_a_database(tmp_path: Path) -> None:
    manifest = read_bundle(write_quadratic(COUNTING, tmp_path / "toy.llb")).manifest
    lines = global_info(manifest, "toy.llb.zip")
    scope = evaluated(lines)
    assert scope["regionMappings"] == {
        "SRlow": {"smodels": "SRlow", "onnx": "SRlow", "type": "SR"},
        "SRhigh[0]": {"smodels": "SRhigh[0]", "onnx": "SRhigh[0]", "type": "SR"},
        "SRhigh[1]": {"smodels": "SRhigh[1]", "onnx": "SRhigh[1]", "type": "SR"},
        "CR": {"smodels": None, "onnx": "CR", "type": "CR"},
    }
    assert scope["regionSets"] == {"counting": ["SRlow", "SRhigh[0]", "SRhigh[1]", "CR"]}
    assert scope["statModels"] == {"counting": [("onnx", "toy.llb.zip")]}
    assert scope["includeCRs"] is False
    done = ran("-m", "llb_smodels", tmp_path / "toy.llb")
    assert (done.returncode, done.stdout) == (0, lines)
    assert "llb pack" in done.stderr


def test_datasets_have_the_names_that_they_are_given(tmp_path: Path) -> None:
    manifest = read_bundle(write_quadratic(COUNTING, tmp_path / "toy.llb")).manifest
    datasets = {"SRhigh[1]": "it's #2", "CR": "control", "SRlow": None}
    scope = evaluated(global_info(manifest, "toy.zip", region_set="all", datasets=datasets))
    found = {label: (item["smodels"], item["onnx"]) for label, item in scope["regionMappings"].items()}
    assert found == {
        "SRlow": (None, "SRlow"),
        "SRhigh[0]": ("SRhigh[0]", "SRhigh[0]"),
        "it's #2": ("it's #2", "SRhigh[1]"),
        "control": ("control", "CR"),
    }
    assert scope["includeCRs"] is True
    assert list(scope["regionSets"]) == ["all"]
    for wrong, code in (({"SRhigh": "a"}, "LLB-Y001"), ({"CR": "SRlow"}, "LLB-Y003")):
        with pytest.raises(FindingError) as error:
            global_info(manifest, "toy.zip", datasets=wrong)
        assert [item.code for item in error.value.findings] == [code]


def test_what_is_no_bundle_is_said_on_one_line(tmp_path: Path) -> None:
    done = ran("-m", "llb_smodels", tmp_path / "nothing.llb")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: [LLB-A001]")
    assert "Traceback" not in done.stderr


def evaluated(lines: str) -> dict[str, Any]:
    """The values of the keys, as SModelS reads them."""
    code = f"""
import json, tempfile, pathlib
from smodels.experiment.infoObj import Info
folder = pathlib.Path(tempfile.mkdtemp())
for name in ("toy.llb.zip", "toy.zip"):
    (folder / name).write_bytes(b"")
(folder / "globalInfo.txt").write_text({lines!r}, encoding="utf-8")
info = Info(str(folder / "globalInfo.txt"))
print(json.dumps([info.regionMappings, info.regionSets, info.statModels, info.includeCRs]))
"""
    mappings, sets, models, controls = json.loads(printed(code)[-1])
    # Fields that SModelS fills in for other kinds of models.
    mappings = {
        label: {key: value for key, value in item.items() if key in ("smodels", "onnx", "type")}
        for label, item in mappings.items()
    }
    models = {name: [tuple(item) for item in items] for name, items in models.items()}
    return {"regionMappings": mappings, "regionSets": sets, "statModels": models, "includeCRs": controls}
