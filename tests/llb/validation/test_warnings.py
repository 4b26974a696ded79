"""What is worth saying of a bundle that is accepted; what refuses one is in the corpus of llb_conformance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.validation import DEFAULT_LEVEL, validate

Change = Callable[[dict[str, Any]], Any]


def metric(document: dict[str, Any]) -> None:
    document["validation"]["metrics"][3].update(max=0.1)


def coverage(document: dict[str, Any]) -> None:
    bundles.stating(document)
    document["uncertainty"]["coverage"][0].update(within_68=0.5)


def background(document: dict[str, Any]) -> None:
    document["inputs"][0]["background"] += 0.01


@pytest.mark.requirement("CLAIM-2", "CURVE-3")
@pytest.mark.parametrize(
    ("code", "change"), [("LLB-C003", metric), ("LLB-C003", coverage), ("LLB-M013", background)]
)
def test_of_the_manifest(code: str, change: Change, tmp_path: Path) -> None:
    graph = {bundles.GRAPH: bundles.stating_graph()} if change is coverage else None
    report = validate(bundles.write(tmp_path / "x.llb", change, graph))
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert {item.code for item in report.findings} == {code}


@pytest.mark.requirement("CLAIM-3")
def test_of_a_benchmark(tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "x.llb")
    table = bundles.files()[bundles.BENCHMARKS].data
    bundles.replace_file(path, bundles.BENCHMARKS, table.replace(b"2.22", b"2.6"))
    report = validate(path)
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert [(item.code, item.pointer) for item in report.findings] == [
        ("LLB-C007", f"{bundles.BENCHMARKS}:2")
    ]


def test_a_bundle_that_states_its_error_has_no_findings(tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "x.llb", bundles.stating, {bundles.GRAPH: bundles.stating_graph()})
    assert validate(path).findings == ()
