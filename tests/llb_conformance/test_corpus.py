"""The negative corpus: each bundle is refused at its stage, with its finding, and for nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from llb.bundle import pack
from llb.validation import DEFAULT_LEVEL, validate
from llb_conformance.corpus import STAGES, Case, corpus, good_bundle, write_case
from llb_schema import Severity, catalogue

SPEC = Path(__file__).resolve().parents[2] / "schema" / "SPEC.md"

# What is said of a bundle: archive, text, schema, meaning, integrity, graph, numbers, claims.
FAMILIES = "APSMIGNC"

# Their codes without a case, and why.
WITHOUT_A_CASE = {
    "LLB-A012": "about the target of a writer, not about a bundle",
    "LLB-A013": "about the target of a writer, not about a bundle",
    "LLB-C003": "a warning: the bundle is accepted",
    "LLB-C007": "a warning: the bundle is accepted",
    "LLB-C101": "level 6: it takes a teacher",
    "LLB-C102": "level 6: it takes a teacher",
    "LLB-C103": "level 6: it takes a teacher",
    "LLB-C104": "level 6, and a warning",
    "LLB-C105": "level 6, and a warning",
    "LLB-C106": "level 6, and a warning",
    "LLB-C107": "level 6, and no fault",
    "LLB-C108": "level 6: it takes a teacher",
    "LLB-G016": "takes as long as the limit, and depends on the machine",
    "LLB-G017": "depends on the machine: the audit refuses what is sure to be too much",
    "LLB-G018": "depends on the engine: no graph is known that crashes all of them",
    "LLB-G019": "about the machine",
    "LLB-M013": "a warning: the bundle is accepted",
    # tests/llb/bundle/test_density_manifest.py, tests/llb/validation/test_density_levels.py
    **dict.fromkeys(
        (
            *(f"LLB-M{number:03}" for number in range(44, 54)),
            *(f"LLB-N{number:03}" for number in range(20, 24)),
            "LLB-C009",
            "LLB-C010",
        ),
        "of a density: the corpus is of profile likelihoods",
    ),
    **{f"LLB-M{number}": "of a profile: the bundle is valid" for number in range(101, 121)},
    "LLB-S008": "a warning: the bundle is accepted",
    "LLB-S009": "for rules without a code of their own, which break together with others only",
    "LLB-S011": "a warning: the bundle is accepted",
    "LLB-S016": "a warning beside the errors that it counts",
    "LLB-S017": "no fault: the bundle is accepted",
}

# The faults that every corpus of a standard like this one should have, by what they are called elsewhere.
EXPECTED = {
    "truncated archive": ("zip-truncated", "tar-truncated", "gzip-truncated"),
    "path upwards": ("zip-path-upwards", "tar-path-upwards", "listed-path-upwards"),
    "absolute path": ("zip-path-absolute", "tar-path-absolute", "listed-path-absolute"),
    "symbolic link": ("folder-symbolic-link", "zip-symbolic-link", "tar-symbolic-link"),
    "bomb": ("zip-bomb", "gzip-bomb"),
    "duplicate key": ("manifest-key-twice", "vectors-key-twice"),
    "NaN": ("manifest-number-nan", "vectors-nan", "heldout-cell-nan"),
    "digest with a trailing newline": ("digest-with-a-trailing-newline",),
    "byte order mark": ("manifest-byte-order-mark", "vectors-byte-order-mark", "heldout-byte-order-mark"),
    "wrong digest": ("digest-wrong", "file-one-bit-flipped"),
    "missing file": ("file-missing",),
    "unlisted file": ("file-not-listed",),
    "wrong size": ("size-wrong",),
    "unknown core key": ("key-unknown", "key-unknown-deep-inside"),
    "unknown required feature": ("feature-unknown",),
    "newer major version": ("version-newer-major",),
    "wrong type": ("graph-in-single-precision", "graph-output-in-single-precision"),
    "inputs or outputs swapped": ("graph-outputs-swapped",),
    "wrong order of parameters": ("graph-bins-in-another-order", "heldout-bins-in-another-order"),
    "shape mismatch": ("graph-batch-fixed", "graph-of-more-bins", "shape-not-one-column-per-bin"),
    "external data": ("graph-external-data", "graph-external-data-outside"),
    "custom domain": ("graph-custom-domain-imported", "graph-custom-operator"),
    "opset above the range": ("opset-above-range", "graph-opset-too-new"),
    "edges that do not grow": ("domain-edges-equal",),
    "lower bound above the upper": ("domain-bounds-reversed",),
    # The parameters of this family are the bins, and the one of interest scales them.
    "parameter of interest unknown": ("poi-missing", "bin-in-no-channel"),
    # Units are fixed: NLL, events.
    "wrong unit": ("vectors-of-minus-two-log-l", "vectors-in-thousands-of-events"),
    "vectors that the graph does not reproduce": ("vector-not-reproduced",),
}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_the_good_bundle_has_no_findings(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "good"
    if kind == "folder":
        for name, data in good_bundle().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    else:
        path.write_bytes(pack(good_bundle(), kind))
    report = validate(path)
    assert (report.level, report.findings) == (DEFAULT_LEVEL, ())


@pytest.mark.parametrize("item", corpus(), ids=lambda item: item.id)
def test_each_bundle_is_refused_for_its_fault(item: Case, tmp_path: Path) -> None:
    path = write_case(item, tmp_path)
    report = validate(path)
    assert list(tmp_path.iterdir()) == [path], "something was unpacked"
    json.dumps(report.to_json(), ensure_ascii=False).encode()
    errors = [found for found in report.findings if found.severity is Severity.ERROR]
    assert errors, "accepted"
    assert (STAGES[report.level], errors[0].code, errors[0].pointer) == (item.stage, item.code, item.pointer)
    # A note says why there are more; it is stale where there is one only.
    assert (len(errors) > 1) == bool(item.note)


def test_names_are_unique_and_of_one_form() -> None:
    names = [item.id for item in corpus()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_requirements_are_clauses_of_the_specification() -> None:
    clauses = set(re.findall(r"^\*\*([A-Z]+-[0-9]+)\*\*", SPEC.read_text(encoding="utf-8"), re.MULTILINE))
    assert {item.requirement for item in corpus()} <= clauses


def test_stages_come_in_their_order() -> None:
    levels = [item.level for item in corpus()]
    assert levels == sorted(levels)
    assert set(levels) == set(range(len(STAGES)))


def test_the_bytes_are_the_same_in_every_process() -> None:
    program = (
        "import hashlib; from llb_conformance.corpus import corpus; "
        "print(hashlib.sha256(''.join(repr(item.build()) for item in corpus()).encode()).hexdigest())"
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


def test_a_build_does_not_reach_the_next_one() -> None:
    before = good_bundle()
    first = [item.build() for item in corpus()]
    assert first == [item.build() for item in corpus()]
    assert good_bundle() == before


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = next(item for item in corpus() if item.id == "file-missing")
    archive = next(item for item in corpus() if item.id == "zip-bomb")
    for item in (folder, archive):
        write_case(item, tmp_path)
        with pytest.raises(FileExistsError):
            write_case(item, tmp_path)


def test_every_code_about_a_bundle_has_a_case_or_a_reason() -> None:
    codes = {code for code in catalogue() if code[len("LLB-")] in FAMILIES}
    cases = {code: [item.id for item in corpus() if item.code == code] for code in codes}
    assert {code for code, names in cases.items() if not names} == set(WITHOUT_A_CASE)


def test_the_faults_that_are_expected_of_a_corpus_are_there() -> None:
    names = {item.id for item in corpus()}
    assert {fault: set(wanted) - names for fault, wanted in EXPECTED.items() if set(wanted) - names} == {}
