"""A bundle as an OLLL v0.1 file that the incumbent's adapter runs as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, StringStringEntryProto, load_model_from_string

from llb.bundle import Bundle, GraphSpec, Manifest, TensorSpec, check_free, write_file
from llb.evaluation import read_benchmarks
from llb.interop.olll_export_graph import FEATURES, RESULT, exported_model
from llb.interop.olll_export_metadata import ExportChoices, Numbers, metadata_texts, missing_facts
from llb.interop.olll_metadata import CURVES
from llb.interop.olll_reading import gravest_first
from llb.interop.probes import domain_points
from llb.runtime import GraphSession, ProfileLikelihood, Signals, graph_file, limits, load, open_session
from llb_schema import Finding, FindingError, finding, has_errors

__all__ = ["FLOAT32_WARNING", "LIFTED", "ExportReport", "export_olll"]

Floats = NDArray[np.float64]

FLOAT32_WARNING = 0.008
"""NLL units: 1 % on CLs."""

LIFTED = 100.0
"""NLL units: where the lowest baseline is lifted to. SModelS takes no minimum that is not positive, and
compares a step at mu = 0 with 3 % of the NLL."""

_POINTS = 512


@dataclass(frozen=True)
class ExportReport:
    """What came of an export.

    Attributes:
        path: the file.
        loss: largest |difference| of Delta NLL between file and bundle at points of the domain, in NLL
            units: total yields are in single precision there.
        findings: warnings.
    """

    path: Path
    loss: float
    findings: tuple[Finding, ...]


def export_olll(
    bundle: Bundle, out: Path, *, choices: ExportChoices | None = None, overwrite: bool = False
) -> ExportReport:
    """Writes a bundle as an OLLL v0.1 file.

    Args:
        bundle: a bundle with all four curves.
        out: path of the file; its folder has to exist.
        choices: what the bundle leaves open.
        overwrite: whether a file at `out` may be replaced.

    Raises:
        FindingError: `LLB-F1...`, everything that the bundle does not have and the format needs; `LLB-X002`,
            `LLB-X003`, the file cannot be written; `LLB-I...`, `LLB-G...`, the bundle's graph cannot be used.
    """
    chosen = choices or ExportChoices()
    check_free(out, overwrite=overwrite)
    manifest = bundle.manifest
    found = [*_missing_curves(manifest), *missing_facts(manifest, chosen), *_baselines(manifest, chosen)]
    if has_errors(found):
        raise FindingError(gravest_first(found))
    model = load(bundle)
    # What the adapter adds; unlike the training, it has no rule of its own for validation regions.
    offset = tuple(item.observed if item.role == "CR" else item.background for item in manifest.bins)
    spec, data = graph_file(bundle, "delta_nll")
    exported = exported_model(load_model_from_string(data), manifest, offset)
    session = _session(exported, spec, len(offset))
    _, signals = domain_points(manifest.domain, _POINTS)
    inside = model.in_domain(signals)
    delta = model.delta_nll(signals[inside])
    got = session.run(signals[inside] + np.asarray(offset))
    wanted = np.stack([delta[curve] for curve in CURVES.values()], axis=1)
    loss = float(np.abs(got[:, : len(CURVES)] - wanted).max())
    # Written so that NaN is caught.
    if not loss <= FLOAT32_WARNING:
        expected = f"at most {FLOAT32_WARNING:g}"
        found.append(finding("LLB-F105", expected=expected, actual=f"{loss:.3g}"))
    numbers = _numbers(model, wanted, offset, _lift(manifest, chosen))
    for key, text in metadata_texts(bundle, numbers, chosen).items():
        exported.metadata_props.append(StringStringEntryProto(key=key, value=text))
    write_file(out, exported.SerializeToString(deterministic=True), overwrite=overwrite)
    return ExportReport(out, loss, tuple(gravest_first(found)))


def _missing_curves(manifest: Manifest) -> Iterator[Finding]:
    names = {curve.name for curve in manifest.curves}
    for curve in CURVES.values():
        if curve not in names:
            yield finding("LLB-F101", f"the bundle has no curve {curve}", pointer="/curves", expected=curve)


def _lift(manifest: Manifest, choices: ExportChoices) -> float:
    """What is added to every baseline."""
    lowest = min(curve.baseline_nll for curve in manifest.curves)
    return 0.0 if lowest > 0.0 or not choices.positive_baselines else LIFTED - lowest


def _baselines(manifest: Manifest, choices: ExportChoices) -> Iterator[Finding]:
    if min(curve.baseline_nll for curve in manifest.curves) > 0.0:
        return
    if choices.positive_baselines:
        message = f"every baseline is lifted by {_lift(manifest, choices):.6g}: none is NLL(0) any more"
        yield finding("LLB-F103", message, pointer="/curves")
        return
    for position, curve in enumerate(manifest.curves):
        if curve.baseline_nll <= 0.0:
            where = f"/curves/{position}/baseline_nll"
            message = f"NLL(0) of {curve.name} is not positive"
            yield finding("LLB-F102", message, pointer=where, actual=f"{curve.baseline_nll:.6g}")


def _session(exported: ModelProto, spec: GraphSpec, inputs: int) -> GraphSession:
    signature = GraphSpec(
        role="delta_nll",
        path="the exported graph",
        opset=spec.opset,
        input=TensorSpec(FEATURES, "float32", ("batch", inputs)),
        outputs=(TensorSpec(RESULT, "float64", ("batch", 2 * len(CURVES))),),
    )
    return GraphSession(signature, open_session(exported.SerializeToString(), signature))


def _numbers(model: ProfileLikelihood, delta: Floats, offset: tuple[float, ...], lift: float) -> Numbers:
    """What the file says besides the manifest; `delta` (n, 4) is Delta NLL at points of the domain."""
    manifest = model.bundle.manifest
    baselines = {name: manifest.curve(curve).baseline_nll + lift for name, curve in CURVES.items()}
    truncation = manifest.domain.delta_nll_max
    best = {name: (0.0, value) for name, value in baselines.items()}
    benchmarks = read_benchmarks(model.bundle)
    if benchmarks is not None:
        # For the first real signal; v0.1 does not say of which signal the pair is.
        signal = benchmarks.signals[:1]
        (answer,) = limits(model, Signals(benchmarks.names[:1], signal))
        if np.isfinite(answer.mu_hat):
            lowest = float(model.delta_nll(answer.mu_hat * signal)["observed"][0])
            best["nLL_obs"] = (answer.mu_hat, baselines["nLL_obs"] + lowest)
    return Numbers(
        offset=offset,
        baselines=baselines,
        best=best,
        smallest=dict(zip(CURVES, delta.min(axis=0).tolist(), strict=True)),
        # A truncation comes back from here when the file is imported.
        largest={
            name: value if truncation is None else truncation
            for name, value in zip(CURVES, delta.max(axis=0).tolist(), strict=True)
        },
    )
