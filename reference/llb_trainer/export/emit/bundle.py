"""Writing the bundle: graph, vectors, truth, figures and records, and the manifest that binds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from llb.bundle import BundleFile, dump_numbers, write_bundle
from llb.evaluation import Comparison, accuracy, coverage, error_figure, learning_figure, truth_figure
from llb.runtime import GraphSession, open_session
from llb_schema import FindingError, finding
from llb_trainer.export.emit.emission import Emission
from llb_trainer.export.emit.manifest import (
    BENCHMARKS,
    GRAPH,
    HELDOUT,
    LABELS,
    TRAINING,
    VECTORS,
    graph_spec,
    manifest,
)
from llb_trainer.export.emit.records import label_record, training_record
from llb_trainer.export.emit.tables import Truth, benchmark_table, heldout_table, heldout_truth
from llb_trainer.export.emit.vectors import TOLERANCE, vector_cases, vectors_document
from llb_trainer.export.onnx import profile_graph

__all__ = ["emit_bundle"]


def emit_bundle(out: Path, emission: Emission, overwrite: bool = False) -> Path:
    """Writes a bundle, as a directory or, by its suffix, as an archive; whole or not at all.

    The graph is run before anything is written: it has to pass the audit and reproduce the network. Whether
    it is any good is not judged here, `llb.validation.validate` does that.

    Args:
        out: path of the bundle; its folder has to exist.
        emission: what goes into it.
        overwrite: whether a bundle at that path may be replaced.

    Returns:
        The path.

    Raises:
        FindingError: LLB-T020 the network cannot be exported; LLB-T021 no held-out point lies in the domain;
            LLB-G... the graph fails the audit; LLB-N001 the runtime does not reproduce the network; and
            whatever `llb.bundle.write_bundle` finds.
        ValueError: network, teacher and labels do not have the same bins and curves.
    """
    _check_parts(emission)
    graph = profile_graph(emission.trained.network, bins=emission.bin_ids)
    spec = graph_spec(emission)
    session = GraphSession(spec, open_session(graph, spec))
    truth = heldout_truth(emission.labels, emission.domain)
    comparisons = _compare(emission, session, truth)
    files = {
        GRAPH: BundleFile(graph, "graph", "application/octet-stream"),
        VECTORS: BundleFile(_vectors(emission, session), "vectors", "application/json"),
        HELDOUT: BundleFile(heldout_table(emission, truth), "heldout", "text/csv"),
        LABELS: BundleFile(dump_numbers(label_record(emission)), "provenance", "application/json"),
        TRAINING: BundleFile(dump_numbers(training_record(emission)), "provenance", "application/json"),
        **_figures(emission, comparisons),
    }
    if emission.benchmarks:
        table = benchmark_table(emission.bin_ids, emission.benchmarks)
        files[BENCHMARKS] = BundleFile(table, "benchmarks", "text/csv")
    document = manifest(emission, _method(emission, truth), accuracy(comparisons), coverage(comparisons))
    return write_bundle(out, document, files, overwrite=overwrite)


def _check_parts(emission: Emission) -> None:
    curves = [
        tuple(curve.name for curve in curves)
        for curves in (emission.teacher.owners, emission.labels.heldout.curves)
    ]
    widths = {len(emission.trained.network.scale), emission.labels.heldout.signals.shape[1]}
    if any(names != emission.curves for names in curves) or widths != {len(emission.bin_ids)}:
        raise ValueError("network, teacher and labels do not have the same bins and curves")


def _compare(emission: Emission, session: GraphSession, truth: Truth) -> tuple[Comparison, ...]:
    signals, delta = truth
    predicted, *stated = (
        part.astype(np.float64) for part in session.run_outputs(signals, session.spec.outputs)
    )
    return tuple(
        Comparison(name, delta[:, column], predicted[:, column], stated[0][:, column] if stated else None)
        for column, name in enumerate(emission.curves)
    )


def _vectors(emission: Emission, session: GraphSession) -> bytes:
    names, signals = vector_cases(emission)
    # Adding zero turns a negative zero into the one that people write
    expected = emission.trained.network(signals) + 0.0
    difference = np.abs(session.run(signals) - expected)
    # Written so that NaN is caught
    wrong = ~(difference <= 0.1 * TOLERANCE * (1.0 + np.abs(expected)))
    runtime = f"onnxruntime {onnxruntime.__version__}"
    if wrong.any():
        case = int(np.argmax(wrong.any(axis=1)))
        message = f"{runtime} does not reproduce the network at the signal {names[case]!r}"
        actual = f"difference {difference[case].max():.3g}"
        raise FindingError(finding("LLB-N001", message, pointer=GRAPH, actual=actual))
    deviation = float(difference.max())
    return dump_numbers(vectors_document(emission, names, signals, expected, deviation, runtime))


def _figures(emission: Emission, comparisons: tuple[Comparison, ...]) -> dict[str, BundleFile]:
    history = emission.trained.history
    steps = np.asarray(history.steps, np.float64)
    losses = {"values": history.loss_values, "gradients": history.loss_gradients}
    errors = {"median": history.heldout_median, "99 %": history.heldout_p99}
    pictures = {
        "truth": truth_figure(comparisons),
        "error": error_figure(comparisons),
        "learning": learning_figure(
            steps,
            {name: np.asarray(values) for name, values in losses.items()},
            steps,
            {name: np.asarray(values) for name, values in errors.items()},
        ),
    }
    return {
        f"validation/{name}.png": BundleFile(data, "figure", "image/png") for name, data in pictures.items()
    }


def _method(emission: Emission, truth: Truth) -> str:
    labels = emission.labels
    distance = max(float(curve.edm.max(initial=0.0)) for curve in labels.heldout.curves)
    text = (
        f"{len(truth[0])} signals, {labels.set_aside}, never used in training (which saw "
        f"{len(labels.training.signals)}) or calibration, fitted with the teacher on every data set; every "
        f"minimum is proven, at an estimated distance of at most {distance:.1e} NLL units. Signals outside "
        f"the domain are left out, by the teacher's values. Of {labels.counts.requested} signals, "
        f"{labels.counts.failed} had no proven minimum and are in no set."
    )
    if labels.counts.second_look:
        text += (
            f" A second look at {labels.counts.second_look} signals with all starts found no minimum lower "
            f"by more than {labels.second_look_excess:.1e}."
        )
    return text
