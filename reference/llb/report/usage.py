"""Programs that use the bundle, as whole as in docs and examples, with its own bins and tensors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from llb.bundle import Bundle, DensityManifest, GraphSpec, Manifest
from llb.evaluation import read_benchmarks
from llb.report.blocks import Block, Listing, Prose, Section
from llb_schema import FindingError

__all__ = ["density_usage", "profile_usage"]

_LINE = 76
_MAX_BINS = 24
_CPP_TYPES = {"float64": "double", "float32": "float"}


def profile_usage(bundle: Bundle) -> Section:
    """How to load a profile likelihood in other people's tools."""
    return Section("use", "How to use it", tuple(_profile(bundle.manifest, _signal(bundle))))


def density_usage(manifest: DensityManifest) -> Section:
    """How to load a density."""
    return Section("use", "How to use it", tuple(_density(manifest)))


def _signal(bundle: Bundle) -> Mapping[str, float]:
    """Events by bin: of the first benchmark, or without one, a tenth of what was learned."""
    manifest = bundle.manifest
    try:
        benchmarks = read_benchmarks(bundle)
    except FindingError:
        benchmarks = None
    if benchmarks is not None:
        events: list[float] = benchmarks.signals[0].tolist()
    else:
        events = [float(f"{max(0.0, 0.1 * value):.3g}") for value in manifest.domain.upper]
    return dict(zip(manifest.bin_ids, events, strict=True))


def _profile(manifest: Manifest, signal: Mapping[str, float]) -> Iterator[Block]:
    name = f"{manifest.id}.llb"
    graph = manifest.graph("delta_nll")
    yield Prose("A signal is events by bin, as in this file:")
    yield Listing("signal.json", _file(signal))
    yield Listing(
        "On the command line",
        f"pip install llb\nllb validate {name}\nllb limit {name} --signal signal.json",
    )
    yield Listing(
        "Python",
        f"""import json
from pathlib import Path

import llb

signal = json.loads(Path("signal.json").read_text())
model = llb.load("{name}")
print(model.log_likelihood_ratio(signal))  # ln L(s + b) - ln L(b)
print(model.delta_nll([model.signal(signal)]))  # by curve""",
    )
    yield Listing(
        "Spey, and so MadAnalysis 5 and CheckMATE: pip install 'llb[spey]'",
        f"""import json
from pathlib import Path

import spey

signal = json.loads(Path("signal.json").read_text())
backend = spey.get_backend("llb.profile_likelihood")
model = backend(bundle="{name}", signal_yields=signal)
print(model.poi_upper_limit(expected=spey.ExpectationType.observed))""",
    )
    yield Listing(
        "pyhf: pip install 'llb[pyhf]'",
        f"""import json
from pathlib import Path

import pyhf
from llb_pyhf import BundleModel

signal = json.loads(Path("signal.json").read_text())
model = BundleModel("{name}", signal)
print(pyhf.infer.hypotest(1.0, model.data(), model, return_expected_set=True))""",
    )
    yield Listing(
        "SModelS 3.2: pip install 'llb[smodels]'",
        f"""llb pack {name} --out {name}.zip
python -m llb_smodels {name}.zip  # the lines for globalInfo.txt of the analysis
python -m llb_smodels             # the lines for the parameter file of runSModelS.py""",
    )
    yield Listing(
        "SModelS from Python, before the database is read", "import llb_smodels\n\nllb_smodels.install()"
    )
    if graph is not None:
        yield _cpp(name, graph, list(signal.values()), "Δ NLL of the first curve")


def _file(signal: Mapping[str, float]) -> str:
    """The signal as JSON; of many bins only the first."""
    entries = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value)}"
        for name, value in list(signal.items())[:_MAX_BINS]
    ]
    if len(signal) > _MAX_BINS:
        entries.append(f"... and so on for all {len(signal)} bins")
    return "{" + _lines(entries, " ") + "}"


def _lines(entries: Iterable[str], indent: str) -> str:
    """What stands between brackets, in lines of some length."""
    lines = [""]
    for entry in entries:
        if lines[-1] and len(lines[-1]) + len(entry) > _LINE:
            lines.append("")
        lines[-1] += f", {entry}" if lines[-1] else entry
    return f",\n{indent}".join(lines)


def _density(manifest: DensityManifest) -> Iterator[Block]:
    name, first = f"{manifest.id}.llb", manifest.columns[0]
    roles = {item.role for item in manifest.graphs}
    point = dict(zip(manifest.columns, _middle(manifest), strict=True))
    given = {item.name: _between(item.lower, item.upper) for item in manifest.conditions}
    condition = f", {json.dumps(given)}" if given else ""
    commands = [f"pip install llb\nllb validate {name}"]
    if not given:
        if "sample" in roles:
            commands.append(f"llb sample {name} --n 10000 --seed 1 --out draws.csv")
        commands.append(f"llb profile {name} --parameter {_shell(first)}")
    yield Listing("On the command line", "\n".join(commands))
    lines = [
        "from llb.runtime import load_density\n",
        f'density = load_density("{name}")',
        f"point = {json.dumps(point, ensure_ascii=False)}",
        f"print(density.log_prob(point{condition}))",
    ]
    if "sample" in roles:
        under = f", condition={json.dumps(given)}" if given else ""
        lines.append(f"print(density.sample(5, seed=1{under}))")
    yield Listing("Python", "\n".join(lines))
    graph = manifest.graph("log_prob")
    if graph is not None and graph.condition is None:
        yield _cpp(name, graph, list(point.values()), "log_prob")


def _middle(manifest: DensityManifest) -> list[float]:
    return [
        _between(max(lower, item.lower), min(upper, item.upper))
        for lower, upper, item in zip(
            manifest.domain.lower, manifest.domain.upper, manifest.parameters, strict=True
        )
    ]


def _between(lower: float, upper: float) -> float:
    return float(f"{0.5 * (lower + upper):.4g}")


def _shell(text: str) -> str:
    return text if text.isidentifier() else f"'{text}'"


def _cpp(name: str, graph: GraphSpec, row: list[float], what: str) -> Listing:
    """A program around onnxruntime's C++ interface, for one row."""
    kind = _CPP_TYPES[graph.input.dtype]
    values = _lines(map(repr, row), 28 * " ")
    given, wanted = json.dumps(graph.input.name), json.dumps(graph.outputs[0].name)
    return Listing(
        "C++, with onnxruntime alone",
        f"""#include <array>
#include <cstdint>
#include <iostream>
#include <vector>

#include <onnxruntime_cxx_api.h>

int main() {{
  Ort::Env environment;
  Ort::Session session(environment, "{name}/{graph.path}", Ort::SessionOptions{{}});
  std::vector<{kind}> row = {{{values}}};
  const std::array<std::int64_t, 2> shape = {{1, {len(row)}}};
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  auto input = Ort::Value::CreateTensor<{kind}>(memory, row.data(), row.size(),
                                                shape.data(), shape.size());
  const char* inputs[] = {{{given}}};
  const char* outputs[] = {{{wanted}}};
  auto found = session.Run(Ort::RunOptions{{nullptr}}, inputs, &input, 1, outputs, 1);
  std::cout << found[0].GetTensorData<{kind}>()[0] << '\\n';  // {what}
}}""",
    )
