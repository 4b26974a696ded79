"""The cases of the conformance suite: well formed, about clauses, with answers that nobody can look up."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from requirement_table import clauses

from llb.runtime.graph_audit import ALLOWED_OPERATORS
from llb.validation import DEFAULT_LEVEL, validate
from llb_conformance.corpus import Archive, Folder, corpus
from llb_conformance.corpus.case import write_bundle
from llb_conformance.documents import document_faults
from llb_conformance.suite import CLASSES, Bundle, Case, suite
from llb_conformance.suite.core import CORE_FAULTS
from llb_conformance.suite.density_numbers import LogProbs, OpenedOrRefused
from llb_conformance.suite.expectation import Opened
from llb_schema import validate_document

GOOD = {
    case.bundles[number].name: case.bundles[number]
    for case in suite()
    for number, step in enumerate(
        [step for step in case.steps if step.request["cmd"] == "open"][: len(case.bundles)]
    )
    if isinstance(step.expected, Opened)
}


@pytest.mark.parametrize("case", suite(), ids=lambda case: case.id)
def test_a_case_is_well_formed(case: Case) -> None:
    document = case.to_json()
    assert document_faults(document, "case") == ()
    assert set(case.requirements) <= set(clauses())
    assert case.description.endswith(".")
    names = {bundle.name for bundle in case.bundles}
    assert {step.request["bundle"] for step in case.steps if "bundle" in step.request} == names
    for number, step in enumerate(case.steps, start=1):
        assert validate_document({**step.request, "seq": number}, "protocol") == ()
    # What is expected is JSON as well, for those who want the suite without Python.
    json.dumps(document, allow_nan=False)


def test_ids_are_unique() -> None:
    ids = [case.id for case in suite()]
    assert len(ids) == len(set(ids))


@pytest.mark.requirement("CONFORM-1", "CONFORM-6")
def test_every_class_has_cases() -> None:
    assert {case.conformance_class for case in suite()} == set(CLASSES)


@pytest.mark.requirement("CONFORM-6", "FAMILY-2")
def test_loaders_without_densities_are_asked_to_refuse_them_and_nothing_else() -> None:
    """Of class `core` is only that a density is opened or refused; all numbers are of class `density`."""
    core = [case for case in suite() if case.conformance_class != "density"]
    asked = [step for case in core for step in case.steps if step.request["cmd"] in {"log_prob", "sample"}]
    assert asked == []
    either = [
        case.conformance_class
        for case in core
        if any(isinstance(step.expected, OpenedOrRefused) for step in case.steps)
    ]
    assert sorted(either) == ["core", "core", "recommended", "recommended"]


def test_densities_are_asked_in_and_out_of_domain_and_bounds_with_and_without_conditions() -> None:
    answers = [
        (case.id, step.expected)
        for case in suite()
        for step in case.steps
        if isinstance(step.expected, LogProbs)
    ]
    kinds = {
        (number == -np.inf, flag)
        for _, expected in answers
        for number, flag in zip(expected.log_prob, expected.out_of_domain, strict=True)
    }
    assert kinds == {(False, False), (False, True), (True, True)}
    lengths = {len(expected.log_prob) for _, expected in answers}
    assert {1, 513} <= lengths
    assert all(np.isfinite(expected.log_prob).any() or "bounds" in name for name, expected in answers)


@pytest.mark.requirement("CONFORM-2", "CONFORM-3", "CONFORM-4")
def test_every_fault_of_the_corpus_is_there() -> None:
    ids = {case.id for case in suite()}
    others = {fault.id for fault in corpus()} - {"family-not-implemented"}
    assert {f"reason-{name}" for name in others} <= ids
    assert {f"refuse-{name}" for name in CORE_FAULTS} <= ids
    archived = {fault.id for fault in corpus() if isinstance(fault.build(), Archive)}
    assert {f"refuse-{name}" for name in archived} <= ids
    assert not archived & CORE_FAULTS


def test_a_name_is_one_bundle() -> None:
    found: dict[str, str] = {}
    for bundle in (bundle for case in suite() for bundle in case.bundles):
        digest = _digest(bundle)
        assert found.setdefault(bundle.name, digest) == digest, bundle.name


@pytest.mark.parametrize("name", GOOD)
def test_bundles_that_have_to_be_opened_are_good(name: str, tmp_path: Path) -> None:
    path = write_bundle(GOOD[name].made(), tmp_path / "bundle")
    report = validate(path, DEFAULT_LEVEL, limits=None)
    assert report.level == DEFAULT_LEVEL
    # Of other versions it is said that they are others.
    assert [item for item in report.findings if item.code not in {"LLB-S008", "LLB-S011", "LLB-S017"}] == []


def test_the_graphs_use_every_operator_of_the_list() -> None:
    used: set[str] = set()
    for bundle in GOOD.values():
        made = bundle.made()
        if isinstance(made, Folder):
            for path, data in made.files.items():
                if path.endswith(".onnx") and data[:1] == b"\x08":
                    used |= {node.op_type for node in onnx.load_from_string(data).graph.node}
    assert set(ALLOWED_OPERATORS) - used == set()


@pytest.mark.requirement("PROTOCOL-6")
def test_no_answer_is_in_the_bundle() -> None:
    """A loader that looks answers up in the test vectors or the held-out table knows none."""
    for case in suite():
        for bundle in case.bundles if case.id.startswith(("curve", "mu", "graph", "bins")) else ():
            made = bundle.made()
            assert isinstance(made, Folder)
            said = made.files["validation/vectors.json"] + made.files["validation/heldout.csv"]
            for step in case.steps:
                for numbers in step.expected.to_json().get("delta_nll", {}).values():
                    # Short numbers are parts of others.
                    known = [
                        str(value).encode() for value in numbers if len(str(value)) > len("0.1234567890")
                    ]
                    assert not any(value in said for value in known), case.id


@pytest.mark.requirement("PROTOCOL-6")
def test_no_answer_about_a_density_is_in_its_bundle() -> None:
    for case in suite():
        for bundle in case.bundles if case.conformance_class == "density" else ():
            made = bundle.made()
            assert isinstance(made, Folder)
            tables = [data for path, data in made.files.items() if path.startswith("validation/")]
            said = b"".join(tables)
            for step in case.steps:
                document = step.expected.to_json()
                rows = [document.get("log_prob", ()), *document.get("samples", ())]
                numbers = {str(number).encode() for row in rows for number in row if len(str(number)) > 12}
                assert not any(number in said for number in numbers), case.id


def test_points_are_spread_over_the_domain() -> None:
    case = next(item for item in suite() if item.id == "curves-all")
    rows = np.array([list(signal.values()) for signal in case.steps[1].request["signals"]])
    assert np.ptp(rows, axis=0).min() > 1.0


def test_the_bytes_are_the_same_in_every_process() -> None:
    program = (
        "import hashlib; from llb_conformance.suite import suite; "
        "names = {b.name: b for c in suite() for b in c.bundles if not b.name.startswith('fault-')}; "
        "print(hashlib.sha256(repr([(n, b.made()) for n, b in sorted(names.items())]).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_ids_have_one_form() -> None:
    assert [case.id for case in suite() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", case.id)] == []


def _digest(bundle: Bundle) -> str:
    return hashlib.sha256(repr(bundle.made()).encode()).hexdigest()
