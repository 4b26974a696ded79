"""Each trap of HEPData ends in its finding, and what is no trap in none."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hepdata
import pytest
import yaml

from llb.publish import check_submission
from llb.publish.official import official_findings
from llb.publish.traps import MAX_UPLOAD, check_upload
from llb_schema import FindingError

Documents = list[dict[str, Any]]


def resource(**changes: str) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        documents[0]["additional_resources"][0].update(changes)

    return change


def second(**changes: Any) -> Callable[[Documents], None]:
    def change(documents: Documents) -> None:
        documents.append(hepdata.table(**{"name": "Table 2", "data_file": "table_2.yaml", **changes}))

    return change


TRAPS: dict[str, tuple[Callable[[Documents], None], str]] = {
    "word HS3": (resource(description="Made from HS3"), "LLB-H001"),
    "word SimpleAnalysis": (resource(description="No simpleanalysis"), "LLB-H001"),
    "host in a name": (resource(location="ATLAS_rivet_bundle.tar.gz"), "LLB-H002"),
    "another host": (resource(location="zenodo-copy.tar.gz"), "LLB-H002"),
    "folder": (resource(location="sub/code.tar.gz"), "LLB-H005"),
    "folder of a table": (second(data_file="sub/table_2.yaml"), "LLB-H005"),
    "table name twice": (second(name="Table 1"), "LLB-H007"),
    "data file twice": (second(data_file="table_1.yaml"), "LLB-H007"),
    "long name": (second(name="T" * 65), "LLB-H008"),
    "long location": (second(location="l" * 257), "LLB-H008"),
    "long location of a resource": (resource(location="l" * 250 + ".tar.gz"), "LLB-H008"),
    "long type": (resource(type="t" * 65), "LLB-H008"),
    "no media type": (resource(location="network.onnx"), "LLB-H009"),
    "remote schema": (second(data_schema="https://example.org/limits.json"), "LLB-H012"),
}


@pytest.mark.parametrize(("change", "code"), TRAPS.values(), ids=TRAPS)
def test_every_trap_ends_in_its_finding(
    change: Callable[[Documents], None], code: str, tmp_path: Path
) -> None:
    documents = hepdata.good_documents()
    change(documents)
    found = check_submission(hepdata.write_submission(tmp_path / "s", documents, table_2__yaml=b"{}"))
    # A file that a document names no more, or that it does not name yet, is nobody's.
    assert {item.code for item in found} - {"LLB-H006"} == {code}


def test_a_good_submission_has_no_finding(tmp_path: Path) -> None:
    folder = hepdata.write_submission(tmp_path / "s")
    assert check_submission(folder) == ()
    assert hepdata.accepted(folder) == []


@pytest.mark.parametrize(
    "said",
    [
        {"type": "HS3", "description": "HS3 workspace"},
        {"type": "", "description": "HS3 workspace"},
        {"type": "rivet", "location": "my_rivet_analysis.tar.gz"},
        {"type": "Code", "location": "https://github.com/somebody/code"},
    ],
)
def test_words_that_say_what_is_meant_are_no_trap(said: dict[str, str], tmp_path: Path) -> None:
    documents = hepdata.good_documents()
    resource(**said)(documents)
    found = check_submission(hepdata.write_submission(tmp_path / "s", documents))
    assert {item.code for item in found} <= {"LLB-H006"}


def test_a_file_that_nobody_names(tmp_path: Path) -> None:
    folder = hepdata.write_submission(tmp_path / "s", notes__txt=b"todo")
    (found,) = check_submission(folder)
    assert (found.code, found.pointer) == ("LLB-H006", "notes.txt")
    assert hepdata.accepted(folder) == ["notes.txt is not referenced in the submission."]


def test_a_table_above_ten_mebibytes(tmp_path: Path) -> None:
    folder = hepdata.write_submission(tmp_path / "s")
    for size, codes in ((10 * 2**20, []), (10 * 2**20 + 1, ["LLB-H004"])):
        with (folder / "table_1.yaml").open("r+b") as stream:
            stream.truncate(size)
        assert [item.code for item in check_submission(folder)] == codes


def test_an_upload_above_the_limit_of_the_server() -> None:
    assert MAX_UPLOAD == 52_000_000
    assert list(check_upload(bytes(MAX_UPLOAD), "a.tar.gz")) == []
    (found,) = check_upload(bytes(MAX_UPLOAD + 1), "a.tar.gz")
    assert (found.code, found.actual) == ("LLB-H003", "52000001")


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_only_files_lie_in_a_submission(kind: str, tmp_path: Path) -> None:
    folder = hepdata.write_submission(tmp_path / "s")
    if kind == "folder":
        (folder / "figures").mkdir()
    else:
        (folder / "figures").symlink_to(folder / "code.tar.gz")
    with pytest.raises(FindingError) as refused:
        check_submission(folder)
    assert [item.code for item in refused.value.findings] == ["LLB-H005"]


@pytest.mark.parametrize("text", ["\tname: tab", "a: [", "\ud800"])
def test_what_is_no_yaml_is_one_finding(text: str, tmp_path: Path) -> None:
    folder = hepdata.write_submission(tmp_path / "s")
    (folder / "submission.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(FindingError) as refused:
        check_submission(folder)
    assert [item.code for item in refused.value.findings] == ["LLB-H011"]


def test_a_folder_without_submission_is_none(tmp_path: Path) -> None:
    with pytest.raises(FindingError) as refused:
        check_submission(tmp_path)
    assert [item.code for item in refused.value.findings] == ["LLB-H011"]


@pytest.mark.parametrize(
    "documents",
    [
        ["text"],
        [None, 3],
        [{"additional_resources": 3}],
        [{"additional_resources": [3, {}]}],
        [{"data_file": 3}],
    ],
)
def test_documents_of_any_form_are_survived(documents: list[Any], tmp_path: Path) -> None:
    check_submission(hepdata.write_submission(tmp_path / "s", documents))


def no_yaml(folder: Path) -> None:
    (folder / "table_1.yaml").write_text("a: [\n")


def unknown_key(folder: Path) -> None:
    documents = hepdata.good_documents()
    resource(sha256="0" * 64)(documents)
    (folder / "submission.yaml").write_text(yaml.safe_dump_all(documents))


def no_table(folder: Path) -> None:
    (folder / "submission.yaml").write_text("comment: c\n")


@pytest.mark.parametrize(
    ("spoil", "pointer", "said"),
    [
        (unknown_key, "submission.yaml", "sha256"),
        (no_table, "submission.yaml", "at least one document"),
        (no_yaml, "table_1.yaml", "problem parsing"),
    ],
)
def test_what_the_validator_says_becomes_findings(
    spoil: Callable[[Path], None], pointer: str, said: str, tmp_path: Path
) -> None:
    folder = hepdata.write_submission(tmp_path / "s")
    spoil(folder)
    with tarfile.open(tmp_path / "s.tar.gz", "w:gz") as archive:
        archive.add(folder, arcname="")
    found = official_findings(tmp_path / "s.tar.gz")
    assert {item.code for item in found} == {"LLB-H101"}
    assert any(item.pointer == pointer and said in item.message for item in found)
    assert [item.message for item in found if "\n" in item.message] == []
