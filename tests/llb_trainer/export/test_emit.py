"""The embedded search becomes a bundle: real teacher and labels, a network that is right near zero only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from llb.bundle import Analysis, Author, Reference, parse_json, read_bundle
from llb.evaluation import accuracy, compare_heldout
from llb.runtime import load
from llb.validation import validate
from llb_schema import FindingError
from llb_trainer.export.emit import Benchmark, Emission, Identity, emit_bundle, label_domain
from llb_trainer.export.emit.vectors import vector_cases
from llb_trainer.labels import LabelSet, make_labels, take
from llb_trainer.quickstart import workspace_path
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher, read_workspace
from llb_trainer.training import Calibration, ProfileNetwork, Recipe, Trained, TrainingHistory
from llb_trainer.training.analytic import analytic_profile

IDENTITY = Identity(
    id="quickstart-search",
    title="The embedded search",
    authors=(Author("A. Author", None, "Example Institute"),),
    analysis=Analysis("quickstart", "Example", 13.0, 139.0),
    references=(Reference("arxiv", "1007.1727"),),
    created=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
)
LONG = "a signal point with parameters in its name " * 3
BENCHMARK_COLUMNS = (
    "cls_observed",
    "upper_limit_observed",
    "mu_hat",
    "cls_expected",
    "upper_limit_expected",
)
HISTORY = TrainingHistory(
    steps=(50, 100, 150),
    loss_values=(0.9, 0.3, 0.1),
    loss_gradients=(0.8, 0.4, 0.2),
    heldout_median=(float("nan"), 1e-2, 5e-3),
    heldout_p99=(float("nan"), 0.2, 0.05),
    seconds=1.5,
)


def expansion(labels: LabelSet) -> ProfileNetwork:
    """What training starts from: the analytic part, and next to nothing beside it."""
    curves, rng = tuple(curve.name for curve in labels.training.curves), np.random.default_rng(5)
    n_bins, n_out = len(labels.background.scale), len(curves)
    return ProfileNetwork(
        curves=curves,
        asimov=tuple(labels.origin.asimov.tolist()),
        counts=(1,) * n_out,
        scale=labels.background.scale,
        analytic=analytic_profile(labels.origin),
        offset=np.zeros((2, n_out)),
        gain=np.ones((2, n_out)),
        tilt=np.zeros((2, n_bins, n_out)),
        kernels=(rng.standard_normal((2, n_bins, 6)), 1e-2 * rng.standard_normal((2, 6, n_out))),
        biases=(rng.standard_normal((2, 6)), np.zeros((2, n_out))),
        calibration=Calibration(np.full(n_out, 2.0), np.full(n_out, 0.05)),
    )


@pytest.fixture(scope="module")
def teacher() -> HistFactoryTeacher:
    opened = histfactory_teacher(read_workspace(workspace_path()))
    pilot = np.random.default_rng(1).exponential(5.0, size=(24, len(opened.bins)))
    return opened.explored(pilot, draws=4)


@pytest.fixture(scope="module")
def labels(teacher: HistFactoryTeacher) -> LabelSet:
    none = np.empty((0, len(teacher.bins)))
    return make_labels(teacher, none, 150, Sampling(delta_max=20.0, far=0.0), second_look=2)


@pytest.fixture(scope="module")
def emission(teacher: HistFactoryTeacher, labels: LabelSet) -> Emission:
    background = labels.background.events
    return Emission(
        identity=IDENTITY,
        teacher=teacher,
        labels=labels,
        recipe=Recipe(members=2),
        trained=Trained(expansion(labels), HISTORY),
        domain=label_domain(labels),
        published={
            "weak": 0.02 * background,
            "too strong": 3.0 * background,
            "negative": -background,
            LONG: 0.01 * background,
        },
        benchmarks=(Benchmark("weak", 0.02 * background, 0.7, 3.5, 0.4, 0.6, 3.1),),
        optional_channels=frozenset({teacher.bins[-1].channel}),
    )


@pytest.fixture(scope="module")
def bundle(emission: Emission, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return emit_bundle(tmp_path_factory.mktemp("emitted") / "quickstart.llb", emission)


def test_the_bundle_is_valid_as_folder_and_as_archive(bundle: Path, emission: Emission) -> None:
    archive = emit_bundle(bundle.with_suffix(".llb.zip"), emission)
    for path in (bundle, archive):
        assert validate(path, 4).findings == ()
    assert read_bundle(archive).raw == read_bundle(bundle).raw


def test_the_manifest_says_what_the_teacher_is(bundle: Path, emission: Emission) -> None:
    manifest, teacher = read_bundle(bundle).manifest, emission.teacher
    assert (manifest.id, manifest.created) == ("quickstart-search", "2026-11-22T01:02:03Z")
    assert manifest.teacher.pyhf_digest == teacher.workspace.pyhf_digest
    assert [item.name for item in manifest.teacher.channels] == [
        channel["name"] for channel in teacher.workspace.spec["channels"]
    ]
    assert manifest.signal_model.modifiers == teacher.signal_modifiers
    assert [item.observed for item in manifest.bins] == [item.observed for item in teacher.bins]
    for item in manifest.bins:
        expected = "CR" if "CR" in item.channel else "VR" if "VR" in item.channel else "SR"
        assert item.role == expected
        assert item.signal_optional == (item.channel == teacher.bins[-1].channel)
    assert {item.role for item in manifest.bins} >= {"SR", "CR"}


def test_curves_carry_baselines_data_and_aliases(bundle: Path, emission: Emission) -> None:
    manifest = read_bundle(bundle).manifest
    assert len(manifest.curves) == 4
    for curve, exact in zip(manifest.curves, emission.teacher.curves, strict=True):
        assert (curve.name, curve.alias_of or "") == (exact.name, exact.alias_of)
        assert curve.baseline_nll == exact.baseline_nll
        assert curve.data.main == tuple(exact.main)
        assert [(item.name, item.values) for item in curve.data.auxiliary] == list(exact.auxiliary)


@pytest.mark.requirement("CLAIM-2")
def test_the_claims_can_be_recomputed_from_the_bundle(bundle: Path) -> None:
    model = load(bundle)
    claimed = model.bundle.manifest.validation.metrics
    assert claimed == accuracy(compare_heldout(model))
    assert {metric.region for metric in claimed} >= {"decision", "tail", "all"}


def test_the_truth_is_the_teachers_and_inside_the_domain(bundle: Path, emission: Emission) -> None:
    heldout = emission.labels.heldout
    text = read_bundle(bundle).read("validation/heldout.csv").decode()
    header, *rows = csv.reader(io.StringIO(text))
    table = np.array([row[1:] for row in rows], np.float64)
    width = len(emission.bin_ids)
    assert header == ["name", *emission.bin_ids, *emission.curves]
    assert 0 < len(table) <= len(heldout.signals)
    assert np.all(table[:, :width] <= emission.domain.upper)
    for row in table:
        (match,) = np.flatnonzero((heldout.signals == row[:width]).all(axis=1))
        assert row[width:].tolist() == [curve.delta[match] for curve in heldout.curves]


def test_the_vectors_hold_what_loaders_have_to_get_right(bundle: Path, emission: Emission) -> None:
    document = parse_json(read_bundle(bundle).read("validation/vectors.json"), "vectors")
    cases = {case["name"]: case for case in document["cases"]}
    assert {f"single {name}" for name in emission.bin_ids} <= set(cases)
    assert set(cases["zero"]["delta_nll"].values()) == {0.0}
    background = dict(zip(emission.bin_ids, emission.labels.background.events, strict=True))
    assert cases["published weak"]["signal"] == {name: 0.02 * value for name, value in background.items()}
    (long,) = (name for name in cases if name.startswith(f"published {LONG[:80]}"))
    assert len(long) == 100
    strong = cases["published too strong"]["signal"]
    factors = [strong[name] / value for name, value in background.items()]
    assert 0.0 < factors[0] < 3.0
    np.testing.assert_allclose(factors, factors[0])
    assert max(cases["published negative"]["signal"].values()) < 0.0


def test_the_vectors_reach_the_edge_of_the_domain_and_not_beyond(emission: Emission) -> None:
    narrow = replace(emission, domain=replace(emission.domain, delta_nll_max=5.0))
    names, signals = vector_cases(narrow)
    largest = emission.trained.network(signals).max(axis=1)
    assert 4.9 < largest.max() <= 5.0
    assert np.all(signals <= np.asarray(narrow.domain.upper))
    assert len(set(names)) == len(names) > len(emission.bin_ids) + 24
    small = [value for name, value in zip(names, largest, strict=True) if name.startswith("near zero")]
    assert min(small) < 1e-6


def test_provenance_tells_how_it_was_made(bundle: Path, emission: Emission) -> None:
    contents = read_bundle(bundle)
    record = json.loads(contents.read("provenance/labels.json"))
    assert record["signals"]["requested"] == 150 + 2 * 200
    assert record["signals"]["failed"] == emission.labels.counts.failed
    assert record["sampling"]["seed"] == emission.labels.sampling.seed
    assert record["starts"]["held"] == list(emission.teacher.branches[1:])
    for name, curve in emission.teacher.atlases.items():
        assert record["starts"]["minima_known"][name] == len(curve.minima)
    for curve in record["curves"]:
        assert 0 <= curve["estimated_distance_to_minimum"]["max"] < 1e-6
        assert sum(curve["lowest_basin"].values()) == pytest.approx(1.0)
    training = json.loads(contents.read("provenance/training.json"))
    assert training["recipe"]["members"] == 2
    assert training["history"]["heldout_median"] == [None, 0.01, 0.005]
    assert training["network"]["layers"] == [len(emission.bin_ids), 6, len(emission.curves)]


def test_the_benchmarks_are_written(bundle: Path, emission: Emission) -> None:
    header, row = csv.reader(io.StringIO(read_bundle(bundle).read("validation/benchmarks.csv").decode()))
    assert header == ["name", *emission.bin_ids, *BENCHMARK_COLUMNS]
    assert row[0] == "weak"
    assert [float(value) for value in row[-5:]] == [0.7, 3.5, 0.4, 0.6, 3.1]


def test_figures_are_pictures(bundle: Path) -> None:
    names = {entry.path for entry in read_bundle(bundle).manifest.files if entry.role == "figure"}
    assert names == {f"validation/{name}.png" for name in ("truth", "error", "learning")}
    assert all((bundle / name).read_bytes().startswith(b"\x89PNG\r\n") for name in names)


def test_the_same_emission_gives_the_same_bytes(bundle: Path, emission: Emission, tmp_path: Path) -> None:
    again = emit_bundle(tmp_path / "again.llb", emission)
    assert (again / "manifest.json").read_bytes() == (bundle / "manifest.json").read_bytes()


def _without_heldout(emission: Emission) -> Emission:
    nothing = take(emission.labels.heldout, np.empty(0, np.int64))
    return replace(emission, labels=replace(emission.labels, heldout=nothing))


def _diverged(emission: Emission) -> Emission:
    network = emission.trained.network
    broken = replace(network, biases=(*network.biases[:-1], network.biases[-1] * np.nan))
    return replace(emission, trained=replace(emission.trained, network=broken))


@pytest.mark.parametrize(("spoil", "code"), [(_without_heldout, "LLB-T021"), (_diverged, "LLB-T020")])
def test_what_cannot_be_published_leaves_nothing_behind(
    emission: Emission, tmp_path: Path, spoil: Callable[[Emission], Emission], code: str
) -> None:
    with pytest.raises(FindingError, match=code):
        emit_bundle(tmp_path / "bad.llb", spoil(emission))
    assert list(tmp_path.iterdir()) == []


def test_parts_that_do_not_belong_together_are_refused(emission: Emission, tmp_path: Path) -> None:
    network = replace(emission.trained.network, curves=("observed", "apriori", "observed_asimov"))
    mixed = replace(emission, trained=replace(emission.trained, network=network))
    with pytest.raises(ValueError, match="same bins and curves"):
        emit_bundle(tmp_path / "mixed.llb", mixed)


def test_an_existing_bundle_is_replaced_only_on_demand(bundle: Path, emission: Emission) -> None:
    with pytest.raises(FindingError, match="LLB-X002"):
        emit_bundle(bundle, emission)
    assert emit_bundle(bundle, emission, overwrite=True) == bundle
    assert validate(bundle, 2).findings == ()
