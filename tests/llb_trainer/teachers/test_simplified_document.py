"""Simplified likelihoods that cannot be used are refused by name, all faults at once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplifieds

from llb_schema import FindingError, Severity, catalogue
from llb_trainer.teachers.simplified import read_simplified_likelihood

GOOD = simplifieds.document()


def covariance(row: int, column: int, value: float) -> list[list[float]]:
    rows = [list(line) for line in GOOD["covariance"]]
    rows[row][column] = value
    return rows


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != key}


def nan(text: str) -> str:
    """The document with a literal that JSON does not know in place of the first background."""
    return json.dumps(GOOD).replace("12.0", text, 1)


FLAT = [[9.0, 9.0], [9.0, 9.0]]
PAIR = {"regions": ["A", "B"], "observed": [1, 2], "background": [1, 2], "background_error": [3, 3]}

BAD: dict[str, tuple[str, Any]] = {
    "no JSON": ("LLB-W060", "{"),
    "not UTF-8": ("LLB-W060", b"\xff\xfe{}"),
    "byte order mark": ("LLB-W060", b"\xef\xbb\xbf{}"),
    "deep": ("LLB-W060", "[" * 100_000),
    "a key twice": ("LLB-W060", '{"id": "a", "id": "b"}'),
    "a list": ("LLB-W061", []),
    "null": ("LLB-W061", None),
    **{f"no {key}": ("LLB-W061", without(key)) for key in GOOD},
    "unknown key": ("LLB-W061", {**GOOD, "colour": "red"}),
    "id is a number": ("LLB-W061", {**GOOD, "id": 3}),
    "no regions": ("LLB-W061", {**GOOD, "regions": []}),
    "regions is text": ("LLB-W061", {**GOOD, "regions": "SR1"}),
    "observed is text": ("LLB-W061", {**GOOD, "observed": "many"}),
    "a count is text": ("LLB-W061", {**GOOD, "observed": [14, "5", 0, 60]}),
    "a count is true": ("LLB-W061", {**GOOD, "observed": [14, True, 0, 60]}),
    "a background is null": ("LLB-W061", {**GOOD, "background": [12.0, None, 0.7, 58.0]}),
    "covariance is a number": ("LLB-W061", {**GOOD, "covariance": 3}),
    "a row is a number": ("LLB-W061", {**GOOD, "covariance": [1, 2, 3, 4]}),
    "an element is a list": ("LLB-W061", {**GOOD, "third_moment": [[], None, None, None]}),
    "two regions of a name": ("LLB-W062", {**GOOD, "regions": ["A", "B", "A", "C"]}),
    "a region is a number": ("LLB-W062", {**GOOD, "regions": ["A", "B", 3, "C"]}),
    "a region without name": ("LLB-W062", {**GOOD, "regions": ["A", "B", "", "C"]}),
    "a region with a line break": ("LLB-W062", {**GOOD, "regions": ["A", "B", "C\n", "D"]}),
    "too few counts": ("LLB-W063", {**GOOD, "observed": [14, 5, 0]}),
    "too many third moments": ("LLB-W063", {**GOOD, "third_moment": [None] * 5}),
    "a short row": ("LLB-W063", {**GOOD, "covariance": [line[:3] for line in GOOD["covariance"]]}),
    "too few rows": ("LLB-W063", {**GOOD, "covariance": GOOD["covariance"][:3]}),
    "NaN": ("LLB-W064", nan("NaN")),
    "infinity": ("LLB-W064", nan("-Infinity")),
    "beyond doubles": ("LLB-W064", nan("1e999")),
    "beyond reason": ("LLB-W064", nan("1e200")),
    "a huge integer": ("LLB-W064", nan("1" + 400 * "0")),
    "half an event": ("LLB-W065", {**GOOD, "observed": [14, 5.5, 0, 60]}),
    "negative count": ("LLB-W065", {**GOOD, "observed": [14, -5, 0, 60]}),
    "negative background": ("LLB-W066", {**GOOD, "background": [12.0, -3.5, 0.7, 58.0]}),
    "not symmetric": ("LLB-W067", {**GOOD, "covariance": covariance(0, 1, 1.36)}),
    "no variance": ("LLB-W068", {**GOOD, "covariance": covariance(2, 2, 0.0)}),
    "negative variance": ("LLB-W068", {**GOOD, "covariance": covariance(2, 2, -1.0)}),
    "fully correlated": ("LLB-W068", {**GOOD, **PAIR, "covariance": FLAT}),
    "more than correlated": ("LLB-W068", {**GOOD, **PAIR, "covariance": [[9.0, 9.5], [9.5, 9.0]]}),
    "third moment": ("LLB-W069", simplifieds.one_bin(3, 3.0, 2.0, 22.7)),
    "third moments against a correlation": (
        "LLB-W070",
        {**GOOD, **PAIR, "covariance": [[9.0, 8.5], [8.5, 9.0]], "third_moment": [60.0, -60.0]},
    ),
    "negative uncertainty": ("LLB-W071", {**GOOD, "background_error": [3.0, -1.5, 0.9, 6.0]}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_a_code_and_a_hint(name: str, tmp_path: Path) -> None:
    code, content = BAD[name]
    with pytest.raises(FindingError) as refused:
        read_simplified_likelihood(simplifieds.written(tmp_path, content if content is not None else "null"))
    assert {item.code for item in refused.value.findings} == {code}
    assert all(item.hint and item.pointer for item in refused.value.findings)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(FindingError, match="LLB-W060"):
            read_simplified_likelihood(path)


def test_all_faults_are_found_at_once(tmp_path: Path) -> None:
    content = {**without("lumi"), "observed": [1, 2], "regions": ["A", "A", "B", ""]}
    with pytest.raises(FindingError) as refused:
        read_simplified_likelihood(simplifieds.written(tmp_path, content))
    codes = [item.code for item in refused.value.findings]
    assert sorted(codes) == ["LLB-W061", "LLB-W062", "LLB-W062", "LLB-W063"]


def test_a_good_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = simplifieds.written(tmp_path, GOOD)
    read = read_simplified_likelihood(path)
    assert read.warnings == ()
    assert (read.name, read.size) == (path.name, path.stat().st_size)
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (read.id, read.lumi, read.regions) == ("toy", "137/fb", ("SR1", "SR2", "SR3", "CR"))
    assert read.observed.tolist() == GOOD["observed"]
    assert read.background.tolist() == GOOD["background"]
    assert read.covariance.tolist() == GOOD["covariance"]
    assert not read.skewed


@pytest.mark.parametrize("third", [None, [None] * 4, [0.0] * 4, [None, 0, None, 0.0]])
def test_no_third_moments_may_be_written_in_many_ways(third: Any, tmp_path: Path) -> None:
    read = read_simplified_likelihood(simplifieds.written(tmp_path, {**GOOD, "third_moment": third}))
    assert not read.skewed
    assert read.third_moment.tolist() == [0.0] * 4


def test_the_covariance_counts_where_the_stated_uncertainty_is_another(tmp_path: Path) -> None:
    errors = [3.0, 1.8, 0.9, 6.03]
    read = read_simplified_likelihood(simplifieds.written(tmp_path, {**GOOD, "background_error": errors}))
    (warning,) = read.warnings
    assert (warning.code, warning.severity) == ("LLB-W072", Severity.WARNING)
    assert "1 of 4" in warning.message
    assert "SR2" in warning.message
    np.testing.assert_array_equal(read.covariance, GOOD["covariance"])


def test_the_two_published_files_are_read(shared_data: Path) -> None:
    folder = shared_data / "simplified-likelihoods"
    monojet = read_simplified_likelihood(folder / "CMS-EXO-20-004-eff.json")
    assert (len(monojet.regions), monojet.warnings, monojet.skewed) == (66, (), False)
    gluino = read_simplified_likelihood(folder / "CMS-SUS-19-006-agg.json")
    assert len(gluino.regions) == 40
    (warning,) = gluino.warnings
    assert warning.code == "LLB-W072"
    assert "12 of 40" in warning.message


@pytest.mark.parametrize("number", range(60, 73))
def test_the_example_of_the_catalogue_ends_in_its_finding(number: int, tmp_path: Path) -> None:
    code = f"LLB-W{number:03}"
    example = catalogue()[code].example
    # Of one region where the example has one; a piece of a document, or a whole one.
    small: dict[str, Any] = {
        "observed": [5, 3],
        "background": [4.0, 3.1],
        "background_error": [1.0, 1.0],
        "covariance": [[1.0, 0.0], [0.0, 1.0]],
        "third_moment": [0.0, 0.0],
        "regions": ["SR1", "SR2"],
    }
    path = tmp_path / "x.json"
    if example.startswith("{"):
        path.write_text(example)
    else:
        piece = json.loads(f"{{{example}}}")
        size = len(piece.get("third_moment", [0.0, 0.0]))
        document = {key: value[:size] for key, value in small.items()}
        path.write_text(json.dumps(simplifieds.document(**{**document, **piece})))
    try:
        found = read_simplified_likelihood(path).warnings
    except FindingError as error:
        found = error.findings
    assert {item.code for item in found} == {code}
