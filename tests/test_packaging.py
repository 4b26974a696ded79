"""The distribution as users get it: what the wheel holds, and that it works without the trainer's extras."""

from __future__ import annotations

import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from outside import fetching, run_outside, uv

from llb_conformance import counting_model, write_quadratic

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    fetching(uv(), "build", "--wheel", "--sdist", "--out-dir", str(folder), str(ROOT))
    return folder


@pytest.fixture(scope="module")
def bare_python(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and its base dependencies."""
    environment = tmp_path_factory.mktemp("bare") / "venv"
    fetching(uv(), "venv", "--python", sys.executable, str(environment))
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    (wheel,) = distributions.glob("*.whl")
    fetching(uv(), "pip", "install", "--python", str(python), str(wheel))
    return python


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_quadratic(counting_model(), tmp_path_factory.mktemp("bundle") / "counting.llb")


def test_the_wheel_holds_code_schemas_data_and_licences(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "llb_schema/catalogue.json",
        "llb_schema/SPEC.md",
        "llb_schema/0.1/manifest.schema.json",
        "llb_schema/1.0/manifest.schema.json",
        "llb_trainer/quickstart/workspace.json",
        "llb_trainer/quickstart/patchset.json",
        "llb/cli/main.py",
        "llb/report/templates/report.html.j2",
        "llb/report/templates/page.css",
        "llb/report/templates/index.js",
        "llb_spey/__init__.py",
        "llb_conformance/__init__.py",
        "llb_conformance/report/page.css",
        "llb_conformance/schemas/results.schema.json",
        "llb_conformance/templates/loader.cpp.txt",
        "llb/view/assets/view.js",
        "llb/view/assets/engine.wasm.gz",
        "llb/view/page/main.mjs",
        "llb/view/loader/strict_json.mjs",
    } <= names
    packages = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert packages == {
        "llb",
        "llb_schema",
        "llb_trainer",
        "llb_spey",
        "llb_pyhf",
        "llb_jax",
        "llb_smodels",
        "llb_conformance",
    }
    assert {f"{package}/py.typed" for package in packages} <= names
    licences = {name.split(".dist-info/")[1] for name in names if ".dist-info/licenses/" in name}
    assert licences == {"licenses/LICENSE", "licenses/schema/LICENSE"}
    entry_points = zipfile.ZipFile(wheel).read(next(n for n in names if n.endswith("entry_points.txt")))
    assert b"llb = llb.cli.main:main" in entry_points
    assert b"[spey.backend.plugins]" in entry_points


def test_every_source_module_is_in_the_wheel(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        str(path.relative_to(ROOT / wing))
        for wing in ("schema", "reference", "plugins", "conformance")
        for path in (ROOT / wing).rglob("*.py")
    }
    assert sources
    assert sources <= names


def test_the_sdist_can_be_tested_but_carries_no_ci(distributions: Path) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"pyproject.toml", "LICENSE", "schema/SPEC.md", "tests/conftest.py"} <= names
    assert not {name for name in names if name.startswith(".ci") or name == "uv.lock"}
    # What is built of other people's packages is built where it is installed.
    assert "reference/llb/view/page/main.mjs" in names
    assert not {name for name in names if name.startswith("reference/llb/view/assets/")}
    # No bundle that somebody made in the checkout; the stored ones are what readers are tested with.
    stored = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "golden").glob("*.llb.zip")}
    names -= {name for name in names if name.startswith("examples/by_hand/two-bins.llb/")}
    assert {name for name in names if ".llb" in name} == stored


def test_base_dependencies_load_validate_and_evaluate(bare_python: Path, bundle: Path) -> None:
    code = f"""
import importlib.util, json, sys
for name in ("jax", "flax", "optax", "pyhf", "spey", "matplotlib"):
    assert importlib.util.find_spec(name) is None, name
import numpy as np
import llb
model = llb.load({str(bundle)!r})
signals = np.ones((2, len(model.bin_ids)))
signals[0] = 0.0
assert "site-packages" in llb.__file__
print(json.dumps([float(v) for v in model.delta_nll(signals)["observed"]]))
"""
    done = run_outside(str(bare_python), "-c", code, cwd=bundle.parent)
    assert done.returncode == 0, done.stderr
    zero, one = json.loads(done.stdout)
    assert zero == 0.0
    model = counting_model()
    assert one == pytest.approx(float(model.curve("observed").delta([1.0] * len(model.bins))), rel=1e-9)


def test_the_command_validates_and_limits_there(bare_python: Path, bundle: Path, tmp_path: Path) -> None:
    llb = str(bare_python.parent / "llb")
    done = run_outside(llb, "validate", str(bundle), "--level", "4", "--format", "json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert (done.returncode, report["status"], report["level"]) == (0, "ok", 4), done.stderr

    model = counting_model()
    signal = tmp_path / "signal.json"
    signal.write_text(json.dumps(dict.fromkeys(model.bin_ids, 1.0)))
    done = run_outside(llb, "limit", str(bundle), "--signal", str(signal), "--format", "json", cwd=tmp_path)
    (limits,) = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    exact = model.exact([1.0] * len(model.bins))
    assert limits["upper_limit_observed"] == pytest.approx(exact.upper_limit_observed, rel=1e-4)


def test_the_page_is_built_there_already(bare_python: Path, bundle: Path, tmp_path: Path) -> None:
    """It could be built anew, too: all its sources are installed."""
    code = f"""
from llb.bundle import read_any_bundle
from llb.view.build import build, is_built
from llb.view.page import page
assert is_built()
build()
print(len(page(read_any_bundle({str(bundle)!r}))))
"""
    done = run_outside(str(bare_python), "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 4e6 < int(done.stdout) < 8e6


def test_making_bundles_there_is_refused_in_one_line(bare_python: Path, tmp_path: Path) -> None:
    llb = str(bare_python.parent / "llb")
    done = run_outside(llb, "quickstart", "--out", str(tmp_path / "q.llb"), cwd=tmp_path)
    assert done.returncode == 2
    assert "LLB-X001" in done.stderr
    assert "llb[train]" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "q.llb").exists()


def test_fetching_there_names_its_extra(bare_python: Path, tmp_path: Path) -> None:
    llb = str(bare_python.parent / "llb")
    done = run_outside(llb, "fetch", "10.5281/zenodo.7", "--out", str(tmp_path / "x.llb"), cwd=tmp_path)
    assert done.returncode == 2
    assert "LLB-X001" in done.stderr
    assert "llb[fetch]" in done.stderr


def test_a_loader_can_be_tested_there(bare_python: Path, tmp_path: Path) -> None:
    llb = str(bare_python.parent / "llb")
    loader = f"{bare_python} -m llb.loader"
    cases = ("--cases", "curve*", "--cases", "reason-digest-wrong")
    done = run_outside(
        llb, "conform", "run", "--loader", loader, *cases, "--report", "r", "--class", "core", cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "r" / "report.html").is_file()
    assert run_outside(llb, "conform", "init", "--lang", "cpp", cwd=tmp_path).returncode == 0
