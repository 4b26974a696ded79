"""The house rules of docs/architecture.md, read off the source: who imports whom, and how."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WINGS = ("schema", "reference", "plugins", "conformance")
OURS = (
    "llb",
    "llb_schema",
    "llb_trainer",
    "llb_spey",
    "llb_pyhf",
    "llb_jax",
    "llb_smodels",
    "llb_conformance",
)

# Room -> rooms it may know besides itself. The longest matching prefix of a module is its room.
MAY_KNOW: dict[str, tuple[str, ...]] = {
    "llb_schema": (),
    "llb": ("llb_schema", "llb.bundle", "llb.runtime", "llb.evaluation", "llb.validation"),
    "llb.bundle": ("llb_schema",),
    "llb.runtime": ("llb_schema", "llb.bundle"),
    "llb.evaluation": ("llb_schema", "llb.bundle", "llb.runtime"),
    "llb.validation": ("llb_schema", "llb.bundle", "llb.runtime", "llb.evaluation"),
    "llb.fetch": ("llb_schema", "llb.bundle", "llb.validation"),
    "llb.page_policy": (),
    "llb.view": ("llb_schema", "llb.bundle", "llb.page_policy"),
    "llb.interop": ("llb_schema", "llb.bundle", "llb.runtime", "llb.evaluation"),
    "llb.publish": ("llb_schema", "llb.bundle", "llb.runtime", "llb.evaluation", "llb.validation"),
    "llb.report": (
        "llb_schema",
        "llb.bundle",
        "llb.runtime",
        "llb.evaluation",
        "llb.validation",
        "llb.page_policy",
    ),
    "llb.index": ("llb_schema", "llb.bundle", "llb.validation", "llb.report", "llb.page_policy"),
    "llb.cli": ("llb_schema", "llb"),
    "llb.cli.conform": ("llb_schema", "llb", "llb_conformance"),
    "llb.cli.conform_run": ("llb_schema", "llb", "llb_conformance"),
    "llb.cli.given": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.label": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.make": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.quickstart_output": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.teacher": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.train": ("llb_schema", "llb", "llb_trainer"),
    "llb.cli.train_density": ("llb_schema", "llb", "llb_trainer"),
    "llb_spey": ("llb_schema", "llb.bundle", "llb.runtime"),
    "llb_pyhf": ("llb_schema", "llb.bundle", "llb.runtime", "llb.evaluation"),
    "llb_jax": ("llb_schema", "llb.bundle", "llb.runtime"),
    "llb_smodels": ("llb_schema", "llb.bundle", "llb.runtime"),
    "llb_conformance": ("llb_schema",),
    "llb_conformance.suite": (
        "llb_schema",
        "llb_conformance.gaussian",
        "llb_conformance.gaussian_bundle",
        "llb_conformance.quadratic",
        "llb_conformance.quadratic_bundle",
        "llb_conformance.corpus",
    ),
    "llb_conformance.harness": ("llb_schema", "llb_conformance.corpus", "llb_conformance.suite"),
    "llb_conformance.report": (
        "llb_schema",
        "llb_conformance.documents",
        "llb_conformance.suite",
        "llb_conformance.harness",
    ),
    "llb_conformance.mutants": ("llb_schema", "llb", "llb_conformance.suite", "llb_conformance.harness"),
    "llb_trainer": (),
    "llb_trainer.workers": (),
    "llb_trainer.chains": ("llb_schema", "llb_trainer.toml_files"),
    "llb_trainer.teachers": ("llb_schema",),
    "llb_trainer.teachers.densities": ("llb_schema", "llb_trainer.chains", "llb_trainer.teachers"),
    "llb_trainer.mcmc": ("llb_schema", "llb_trainer.chains", "llb_trainer.teachers.densities"),
    "llb_trainer.sampling": ("llb_schema",),
    "llb_trainer.labels": (
        "llb_schema",
        "llb_trainer.teachers",
        "llb_trainer.sampling",
        "llb_trainer.workers",
    ),
    "llb_trainer.exact": (
        "llb_schema",
        "llb.runtime",
        "llb_trainer.teachers",
        "llb_trainer.sampling",
        "llb_trainer.labels",
    ),
    "llb_trainer.training": ("llb_schema", "llb_trainer.labels"),
    "llb_trainer.flows": ("llb_schema", "llb_trainer.training.checkpoint", "llb_trainer.training.soap"),
    "llb_trainer.regression": (
        "llb_schema",
        "llb_trainer.chains",
        "llb_trainer.mcmc",
        "llb_trainer.teachers.densities",
        "llb_trainer.training.checkpoint",
        "llb_trainer.training.soap",
    ),
    "llb_trainer.export": ("llb_schema", "llb_trainer.training"),
    "llb_trainer.export.flow": ("llb_schema", "llb_trainer.flows"),
    "llb_trainer.export.density": (
        "llb_schema",
        "llb",
        "llb_trainer.teachers",
        "llb_trainer.chains",
        "llb_trainer.flows",
        "llb_trainer.export",
    ),
    "llb_trainer.export.regression": (
        "llb_schema",
        "llb",
        "llb_trainer.teachers",
        "llb_trainer.chains",
        "llb_trainer.regression",
        "llb_trainer.export",
    ),
    "llb_trainer.export.emit": (
        "llb_schema",
        "llb",
        "llb_trainer.teachers",
        "llb_trainer.labels",
        "llb_trainer.training",
        "llb_trainer.export",
        "llb_trainer.exact",
    ),
    "llb_trainer.peer": ("llb_schema", "llb_trainer.workers"),
    "llb_trainer.comparison": (
        "llb_schema",
        "llb.bundle",
        "llb.evaluation",
        "llb.runtime",
        "llb_trainer.peer",
        "llb_trainer.sampling",
        "llb_trainer.teachers",
    ),
    "llb_trainer.toml_files": ("llb_schema",),
    "llb_trainer.about": (
        "llb_schema",
        "llb.bundle",
        "llb_trainer.export",
        "llb_trainer.teachers",
        "llb_trainer.toml_files",
    ),
    "llb_trainer.plan": (
        "llb_schema",
        "llb_trainer.sampling",
        "llb_trainer.toml_files",
        "llb_trainer.training",
    ),
    "llb_trainer.quickstart": ("llb_schema",),
    "llb_trainer.quickstart.plan": (
        "llb_schema",
        "llb_trainer.plan",
        "llb_trainer.sampling",
        "llb_trainer.training",
    ),
    "llb_trainer.pipeline": ("llb_schema", "llb", "llb_trainer"),
    "llb_trainer.density_pipeline": ("llb_schema", "llb", "llb_trainer"),
    "llb_trainer.density_sources": ("llb_schema", "llb_trainer"),
    "llb_trainer.regression_pipeline": ("llb_schema", "llb", "llb_trainer"),
}

# Room -> third-party packages that it and everything below it must do without.
TRAINING_STACK = frozenset({"jax", "flax", "optax", "pyhf", "smodels", "spey"})
MUST_NOT_IMPORT: dict[str, frozenset[str]] = {
    "llb_schema": TRAINING_STACK | {"numpy", "scipy", "onnx", "onnxruntime", "matplotlib"},
    "llb": TRAINING_STACK | {"matplotlib"},
    "llb.evaluation.figures": TRAINING_STACK,
    "llb_conformance": TRAINING_STACK | {"onnxruntime", "matplotlib"},
    "llb_spey": TRAINING_STACK - {"spey"},
    # pyhf has loaded jax where that is its backend.
    "llb_pyhf": TRAINING_STACK - {"pyhf", "jax"},
    "llb_jax": (TRAINING_STACK - {"jax"}) | {"onnxruntime"},
    # Finds SModelS by name, if at all: what it stands in for may not exist.
    "llb_smodels": TRAINING_STACK,
    "llb_trainer.peer": TRAINING_STACK - {"pyhf"},
    "llb_trainer.quickstart": TRAINING_STACK - {"pyhf"},
}

# What `import llb` must not load: its start-up time is everybody's.
HEAVY = (
    "jax", "flax", "optax", "pyhf", "spey", "onnx", "onnxruntime", "scipy", "numpy", "matplotlib", "jinja2",
)  # fmt: skip


@cache
def modules() -> dict[str, Path]:
    """All modules of the distribution by dotted name."""
    found: dict[str, Path] = {}
    for wing in WINGS:
        for path in sorted((ROOT / wing).rglob("*.py")):
            parts = path.relative_to(ROOT / wing).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[tuple[str, int]]:
    """Everything a module imports, anywhere in it, with the line; submodules resolved."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield (submodule if submodule in modules() else node.module), node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((str(a.value), node.lineno) for a in node.args[:1] if isinstance(a, ast.Constant))


def room(module: str, rooms: dict[str, object]) -> str | None:
    parts = module.split(".")
    prefixes = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in rooms), None)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def test_the_walk_sees_the_house() -> None:
    assert {"llb.bundle", "llb.runtime", "llb_schema", "llb_trainer.peer.fits"} <= set(modules())
    assert {name.split(".")[0] for name in modules()} <= set(OURS)


def test_the_page_states_the_same_rules() -> None:
    """docs/architecture.md is where people read the rules; it must be these."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.split("| room | may know |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    stated = {name.strip(" `"): tuple(re.findall(r"`([^`]+)`", known)) for name, known in rows}
    assert stated == MAY_KNOW


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_stay_in_the_rooms_that_may_be_known(module: str) -> None:
    home = room(module, dict(MAY_KNOW))
    assert home is not None
    wrong = [
        f"line {line}: {name}"
        for name, line in imports(module)
        if name.split(".")[0] in OURS
        and not within(name, home)
        and not any(within(name, known) for known in MAY_KNOW[home])
    ]
    assert not wrong


@pytest.mark.parametrize("module", sorted(modules()))
def test_heavy_packages_stay_out_of_the_light_rooms(module: str) -> None:
    home = room(module, dict(MUST_NOT_IMPORT))
    forbidden = MUST_NOT_IMPORT[home] if home else frozenset[str]()
    wrong = [f"line {line}: {name}" for name, line in imports(module) if name.split(".")[0] in forbidden]
    assert not wrong


def test_only_the_make_commands_reach_the_trainer_and_only_when_called() -> None:
    for module in (name for name in modules() if within(name, "llb")):
        reached = [line for name, line in imports(module) if within(name, "llb_trainer")]
        assert not reached or module in {
            f"llb.cli.{name}"
            for name in ("given", "label", "make", "quickstart_output", "teacher", "train", "train_density")
        }
        top_level = {node.lineno for node in tree(module).body}
        assert not top_level & set(reached), f"{module} imports the trainer before it is asked to"


def test_no_circles() -> None:
    graph = {
        module: {name for name, _ in imports(module) if name in modules() and name != module}
        for module in modules()
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError naming the circle
    assert order.index("llb_schema.findings") < order.index("llb.bundle.reader")


@pytest.mark.parametrize("module", sorted(modules()))
def test_every_module_names_its_public_part_and_stays_readable(module: str) -> None:
    body = tree(module).body
    assert ast.get_docstring(tree(module)), "no docstring"
    if len(body) > 1:
        named = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
        targets = [target for node in named for target in _targets(node)]
        assert targets.count("__all__") == 1, "no __all__"
    relative = [n.lineno for n in ast.walk(tree(module)) if isinstance(n, ast.ImportFrom) and n.level]
    assert not relative, "relative imports"
    assert len(modules()[module].read_text(encoding="utf-8").splitlines()) < 400


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    return [ast.unparse(item) for item in (node.targets if isinstance(node, ast.Assign) else [node.target])]


@pytest.mark.parametrize("module", sorted(modules()))
def test_private_names_stay_at_home(module: str) -> None:
    wrong = [
        f"line {node.lineno}: {alias.name}"
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not wrong


@pytest.mark.parametrize(
    "statement", ["import llb", "import llb.cli.main", "import llb_schema", "import llb_spey"]
)
def test_importing_loads_nothing_heavy(statement: str) -> None:
    allowed = ("numpy", "scipy", "onnx", "onnxruntime", "spey") if statement == "import llb_spey" else ()
    heavy = [name for name in HEAVY if name not in allowed]
    # Left by os._exit: spey says goodbye on stdout otherwise.
    code = (
        f"import os, sys; {statement}; "
        f"print(*sorted(set({heavy!r}) & set(sys.modules)), flush=True); os._exit(0)"
    )
    environment = {**os.environ, "SPEY_CHECKUPDATE": "OFF"}
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert found.stdout.split() == []
