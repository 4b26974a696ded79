"""Bundles become submissions that HEPData's own validator accepts, and come out of them as they were."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import bundles
import hepdata
import numpy as np
import publishable
import pytest
import yaml
from PIL import Image

from llb.bundle import BundleFile
from llb.publish import Publication, Wording, publish_hepdata
from llb.validation import validate
from llb_conformance.gaussian import mixed_model
from llb_conformance.gaussian_bundle import write_gaussian


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cells(values: list[dict[str, Any]]) -> list[Any]:
    return [item["value"] for item in values]


def columns(submission: Path, name: str) -> dict[str, list[Any]]:
    data = yaml.safe_load((submission / f"{name}.yaml").read_text())
    both = [*data["independent_variables"], *data["dependent_variables"]]
    return {item["header"]["name"]: cells(item["values"]) for item in both}


def codes(done: Publication) -> list[str]:
    return [item.code for item in done.findings]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile likelihood with benchmarks and everything that a publication has."""

    def at_hepdata(document: dict[str, Any]) -> None:
        document["references"] += [
            {"kind": "inspire", "value": "1765529"},
            {"kind": "hepdata", "value": "10.17182/hepdata.92006"},
            {"kind": "doi", "value": "10.17182/hepdata.89408.v3/r2"},
            {"kind": "doi", "value": "10.1103/PhysRevD.101.032009"},
        ]

    return publishable.write(tmp_path_factory.mktemp("search") / "search.llb", at_hepdata)


@pytest.fixture(scope="module")
def density(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gaussian(mixed_model(), tmp_path_factory.mktemp("density") / "mixed.llb")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile likelihood without benchmarks, under another licence."""

    def change(document: dict[str, Any]) -> None:
        document.update(id="small", license="CC-BY-4.0")
        del document["validation"]["benchmarks"]

    files = {bundles.BENCHMARKS: BundleFile(b"", "figure", "text/plain")}
    return bundles.write(tmp_path_factory.mktemp("small") / "small.llb", change, files)


@pytest.fixture(scope="module")
def one(search: Path, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    words = Wording(reactions=("P P --> STAU STAU",), phrases=("Supersymmetry",), points=50)
    return publish_hepdata([search], tmp_path_factory.mktemp("one") / "out", wording=words)


@pytest.fixture(scope="module")
def two(search: Path, density: Path, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return publish_hepdata([search, density], tmp_path_factory.mktemp("two") / "out")


def folder_of(done: Publication) -> Path:
    assert done.folder is not None
    return done.folder


def test_a_finished_bundle_gives_a_submission_without_a_finding(one: Publication) -> None:
    assert one.findings == ()
    assert hepdata.accepted(folder_of(one) / "submission.tar.gz") == []
    assert hepdata.accepted(folder_of(one) / "submission") == []
    assert set(one.files) == set(contents(folder_of(one)))
    upload = hepdata.archive_files((folder_of(one) / "submission.tar.gz").read_bytes())
    assert upload == contents(folder_of(one) / "submission")


def test_the_bundle_comes_out_as_it_went_in(one: Publication, search: Path, tmp_path: Path) -> None:
    upload = hepdata.archive_files((folder_of(one) / "submission.tar.gz").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(upload["three-bins-1.0.0.tar.gz"])) as archive:
        archive.extractall(tmp_path, filter="data")
    assert [path.name for path in tmp_path.iterdir()] == ["three-bins.llb"]
    assert contents(tmp_path / "three-bins.llb") == contents(search)
    report = validate(tmp_path / "three-bins.llb", 5)
    assert (report.status, report.level) == ("ok", 5)


def test_the_record_says_what_the_manifest_says(one: Publication) -> None:
    record, *tables = hepdata.documents(folder_of(one) / "submission")
    assert record["record_ids"] == [{"id": 1765529, "type": "inspire"}]
    assert record["related_to_hepdata_records"] == [89408, 92006]
    license_entry = {"name": "CC0-1.0", "url": "https://spdx.org/licenses/CC0-1.0.html"}
    assert record["data_license"] == license_entry
    (resource,) = record["additional_resources"]
    assert resource["type"] == "LearnedLikelihoodBundle"
    assert resource["license"] == license_entry
    assert "llb validate three-bins.llb" in resource["description"]
    assert [item["name"].removeprefix("three-bins ") for item in tables] == [
        "validation points",
        "limits",
        "accuracy",
    ]
    for item in tables:
        named = {entry["name"]: entry["values"] for entry in item["keywords"]}
        assert named["cmenergies"] == [13000.0]
        assert named["reactions"] == ["P P --> STAU STAU"]
        assert "Supersymmetry" in named["phrases"]
        assert item["data_license"] == license_entry


def test_validation_points_are_the_teachers(one: Publication) -> None:
    table = columns(folder_of(one) / "submission", "three-bins_validation_points")
    points = bundles.heldout_points(publishable.POINTS)
    rows = [int(name.removeprefix("point-")) for name in table["Point"]]
    assert len(rows) == 50
    assert (rows[0], rows[-1]) == (0, publishable.POINTS - 1)
    shown = np.array([table[f"Signal in {name}"] for name in bundles.BIN_IDS]).T
    np.testing.assert_allclose(shown, points[rows], rtol=1e-8)
    for number, curve in enumerate(bundles.CURVES):
        exact = bundles.truth(points[rows])[:, number]
        for source in ("full statistical model", "learned likelihood"):
            np.testing.assert_allclose(table[f"Delta NLL, {curve}, {source}"], exact, rtol=1e-8, atol=1e-12)


def test_limits_stand_beside_the_teachers(one: Publication, search: Path) -> None:
    table = columns(folder_of(one) / "submission", "three-bins_limits")
    text = (search / bundles.BENCHMARKS).read_text()
    (row,) = csv.DictReader(io.StringIO(text))
    assert table["Signal"] == [row["name"]]
    assert table["CLs at mu = 1, observed, full statistical model"] == [float(row["cls_observed"])]
    assert table["Upper limit on mu, observed, full statistical model"] == [
        float(row["upper_limit_observed"])
    ]
    (bundle,) = table["Upper limit on mu, observed, learned likelihood"]
    assert bundle == pytest.approx(float(row["upper_limit_observed"]), rel=0.01)
    assert "Upper limit on mu, expected -2 sigma, learned likelihood" in table


def test_columns_have_units_and_qualifiers(one: Publication) -> None:
    data = yaml.safe_load((folder_of(one) / "submission" / "three-bins_limits.yaml").read_text())
    assert {item["header"].get("units") for item in data["independent_variables"][1:]} == {"events"}
    limit = next(item for item in data["dependent_variables"] if "Upper limit" in item["header"]["name"])
    assert limit["qualifiers"] == [
        {"name": "SOURCE", "value": "full statistical model"},
        {"name": "CL", "value": 95.0, "units": "%"},
    ]


def test_pictures_have_thumbnails(one: Publication) -> None:
    submission = folder_of(one) / "submission"
    for name in ("three-bins_validation_points.png", "three-bins_limits.png"):
        with Image.open(submission / name) as picture, Image.open(submission / f"thumb_{name}") as small:
            assert picture.width > 1000
            assert small.width <= 240
            assert small.height <= 179


def test_two_bundles_share_a_submission_of_which_every_byte_comes_again(
    two: Publication, search: Path, density: Path, tmp_path: Path
) -> None:
    assert hepdata.accepted(folder_of(two) / "submission.tar.gz") == []
    again = publish_hepdata([search, density], tmp_path / "again")
    assert contents(folder_of(again)) == contents(folder_of(two))
    record, *tables = hepdata.documents(folder_of(two) / "submission")
    assert [item["location"] for item in record["additional_resources"]] == [
        "three-bins-1.0.0.tar.gz",
        "mixed-density-1.0.0.tar.gz",
    ]
    assert len(tables) == 6
    # The density of the tests is a draft.
    assert codes(two) == ["LLB-H010"]


def test_a_density_shows_parameters_and_claims(two: Publication, density: Path) -> None:
    manifest = json.loads((density / "manifest.json").read_text())
    submission = folder_of(two) / "submission"
    parameters = columns(submission, "mixed-density_parameters")
    assert parameters["Parameter"] == [item["name"] for item in manifest["parameters"]]
    assert parameters["Upper bound"] == [item["bounds"].get("upper", "-") for item in manifest["parameters"]]
    accuracy = columns(submission, "mixed-density_accuracy")
    (metric,) = manifest["validation"]["metrics"]
    assert accuracy["|error of the log density|"] == pytest.approx(
        [metric[key] for key in ("median", "p95", "p99", "max")], rel=1e-8
    )
    distances = columns(submission, "mixed-density_distances")
    assert distances["Density to truth"] == pytest.approx(
        [item["value"] for item in manifest["validation"]["sample_metrics"]], rel=1e-8
    )


def test_a_submission_that_is_there_is_extended_and_left_alone(density: Path, tmp_path: Path) -> None:
    before = hepdata.write_submission(tmp_path / "before")
    path = before / "submission.yaml"
    path.write_text(f"# mine\n{path.read_text()}# the end")
    was = contents(before)
    done = publish_hepdata([density], tmp_path / "after", extend=before)
    assert contents(before) == was
    submission = folder_of(done) / "submission"
    assert hepdata.accepted(folder_of(done) / "submission.tar.gz") == []
    text = (submission / "submission.yaml").read_text()
    assert all(line in text.splitlines() for line in path.read_text().splitlines())
    for name in ("table_1.yaml", "code.tar.gz"):
        assert (submission / name).read_bytes() == was[name]
    record, table, *more = hepdata.documents(submission)
    assert [item["location"] for item in record["additional_resources"]] == [
        "mixed-density-1.0.0.tar.gz",
        "code.tar.gz",
    ]
    assert (record["comment"], table["name"], len(more)) == ("A search.", "Table 1", 3)


def test_an_invalid_bundle_is_not_published(tmp_path: Path) -> None:
    def boast(document: dict[str, Any]) -> None:
        for metric in document["validation"]["metrics"]:
            metric["count"] += 1

    bad = bundles.write(tmp_path / "bad.llb", boast)
    done = publish_hepdata([bad], tmp_path / "out")
    assert done.folder is None
    assert any(code.startswith("LLB-C") for code in codes(done))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.llb"]


def test_bundles_of_two_licences_keep_their_own(small: Path, density: Path, tmp_path: Path) -> None:
    done = publish_hepdata([density, small], tmp_path / "out")
    record, *tables = hepdata.documents(folder_of(done) / "submission")
    assert "data_license" not in record
    assert [item["license"]["name"] for item in record["additional_resources"]] == ["CC0-1.0", "CC-BY-4.0"]
    assert [item["data_license"]["name"] for item in tables] == ["CC0-1.0"] * 3 + ["CC-BY-4.0"] * 2


def test_nothing_is_written_where_an_error_comes_late(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The archive of the bundle fits, the upload does not.
    monkeypatch.setattr("llb.publish.traps.MAX_UPLOAD", 50_000)
    done = publish_hepdata([small], tmp_path / "out")
    assert codes(done) == ["LLB-H010", "LLB-H003"]
    assert done.folder is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (Wording(name="stau-rivet"), "LLB-H002"),
        (Wording(name="n" * 60), "LLB-H008"),
        (Wording(description="Learned from an hs3 workspace"), "LLB-H001"),
    ],
)
def test_traps_of_names_and_words(words: Wording, code: str, small: Path, tmp_path: Path) -> None:
    done = publish_hepdata([small], tmp_path / "out", wording=words)
    assert done.folder is None
    assert set(codes(done)) == {"LLB-H010", code}


def test_the_same_bundle_twice_is_refused(density: Path, tmp_path: Path) -> None:
    done = publish_hepdata([density, density], tmp_path / "out")
    assert {"LLB-H014", "LLB-H007"} <= set(codes(done))
    assert done.folder is None


def test_a_name_is_of_one_bundle(density: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one bundle"):
        publish_hepdata([density, density], tmp_path / "out", wording=Wording(name="both"))
