"""A bundle becomes a deposition: metadata, citation, and descriptions that other people's programs read."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import bundles
import hepdata
import publishable
import pytest
import yaml

from llb.bundle import Author, Reference, read_any_bundle
from llb.publish import Publication, publish_zenodo, resource_archive
from llb.publish.citation import citation_file
from llb.publish.licences import license_page, single_license
from llb.publish.relations import relations
from llb.validation import validate
from llb_conformance.gaussian import mixed_model
from llb_conformance.gaussian_bundle import write_gaussian

DOI, RESOURCE = "10.5281/zenodo.1234567", "10.17182/hepdata.12345.v1/r1"
LOAD = """
import json, sys
import mlcroissant
data = mlcroissant.Dataset(jsonld=sys.argv[1])
rows = {name: list(data.records(name)) for name in sys.argv[2:]}
text = {name: [[str(v, "utf-8") if isinstance(v, bytes) else v for v in row.values()] for row in found]
        for name, found in rows.items()}
print(json.dumps({"issues": data.metadata.issues.report(), "rows": text}))
"""


def changed(document: dict[str, Any]) -> None:
    document["authors"].append({"name": "Doe, Jane", "orcid": "0000-0002-1694-233X", "affiliation": "CERN"})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publishable.write(tmp_path_factory.mktemp("search") / "search.llb", changed)


@pytest.fixture(scope="module")
def done(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    out = tmp_path_factory.mktemp("out") / "out"
    return publish_zenodo(bundle, out, doi=DOI, identical=[RESOURCE], communities=["lhc"])


@pytest.fixture(scope="module")
def folder(done: Publication) -> Path:
    assert done.folder is not None
    return done.folder


def document(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text())


def croissant(path: Path, *tables: str) -> dict[str, Any]:
    """What mlcroissant reads, in a process of its own: it warns of its own dependencies."""
    command = [sys.executable, "-c", LOAD, str(path), *tables]
    environment = {"PATH": "", "HOME": str(path.parent), "CROISSANT_CACHE": str(path.parent / "cache")}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=path.parent, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert "not standard" not in ended.stderr
    return json.loads(ended.stdout)


def test_the_files_are_those_of_a_record(done: Publication, folder: Path) -> None:
    assert done.findings == ()
    assert done.files == (
        "deposition.json",
        "files/CITATION.cff",
        "files/LICENSE",
        "files/README.md",
        "files/croissant.json",
        "files/fair4ml.json",
        "files/three-bins-1.0.0.tar.gz",
    )
    assert "SPDX-License-Identifier: CC0-1.0" in (folder / "files" / "LICENSE").read_text()


def test_the_metadata_relate_paper_likelihood_and_record(folder: Path) -> None:
    metadata = document(folder, "deposition.json")["metadata"]
    assert (metadata["upload_type"], metadata["license"], metadata["access_right"]) == (
        "dataset",
        "cc0-1.0",
        "open",
    )
    assert metadata["creators"] == [
        {"name": "The LLB developers", "orcid": "0000-0002-1825-0097"},
        {"name": "Doe, Jane", "affiliation": "CERN", "orcid": "0000-0002-1694-233X"},
    ]
    assert metadata["communities"] == [{"identifier": "lhc"}]
    related = {
        (item["relation"], item["scheme"], item["identifier"]) for item in metadata["related_identifiers"]
    }
    assert related == {
        ("isSupplementTo", "arxiv", "arXiv:1007.1727"),
        ("isDerivedFrom", "url", "https://www.hepdata.net/record/ins1234567"),
        ("isIdenticalTo", "doi", RESOURCE),
    }


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("doi", "10.1103/PhysRevD.101.032009", ("isSupplementTo", "doi", "10.1103/PhysRevD.101.032009")),
        ("doi", "10.5281/zenodo.1", ("isDerivedFrom", "doi", "10.5281/zenodo.1")),
        ("hepdata", "10.17182/hepdata.1", ("isDerivedFrom", "doi", "10.17182/hepdata.1")),
        ("inspire", "17", ("isSupplementTo", "url", "https://inspirehep.net/literature/17")),
        ("url", "https://a.org/b", ("references", "url", "https://a.org/b")),
    ],
)
def test_every_reference_has_its_relation(
    kind: str, value: str, expected: tuple[str, str, str], bundle: Path
) -> None:
    from dataclasses import replace

    manifest = replace(read_any_bundle(bundle).manifest, references=(Reference(kind, value),))
    (found,) = relations(manifest)
    assert (found.relation, found.scheme, found.identifier) == expected


def test_the_archive_is_the_one_of_hepdata_and_a_valid_bundle(
    folder: Path, bundle: Path, tmp_path: Path
) -> None:
    data = (folder / "files" / "three-bins-1.0.0.tar.gz").read_bytes()
    assert data == resource_archive(read_any_bundle(bundle)).data
    for name, content in hepdata.archive_files(data).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert validate(tmp_path / "three-bins.llb", 5).status == "ok"


def test_the_citation_is_yaml_with_what_the_format_requires(folder: Path) -> None:
    cited = yaml.safe_load((folder / "files" / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert (cited["cff-version"], cited["type"], cited["doi"]) == ("1.2.0", "dataset", DOI)
    assert cited["license"] == "CC0-1.0"
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", cited["date-released"])
    assert cited["authors"][1] == {
        "family-names": "Doe",
        "given-names": "Jane",
        "affiliation": "CERN",
        "orcid": "https://orcid.org/0000-0002-1694-233X",
    }


def test_any_name_is_quoted_in_the_citation(bundle: Path) -> None:
    from dataclasses import replace

    odd = 'A: "b" # {c} \u2028 \U0001f52c'
    manifest = replace(read_any_bundle(bundle).manifest, authors=(Author(odd),), title=odd)
    cited = yaml.safe_load(citation_file(manifest, None))
    assert (cited["authors"], cited["title"]) == ([{"name": odd}], odd)


def test_mlcroissant_takes_the_description_and_loads_the_tables(folder: Path, tmp_path: Path) -> None:
    for path in (folder / "files").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    found = croissant(tmp_path / "croissant.json", "heldout", "benchmarks")
    assert found["issues"] == ""
    points = bundles.heldout_points(publishable.POINTS)
    assert len(found["rows"]["heldout"]) == len(points)
    name, *numbers = found["rows"]["heldout"][7]
    assert name == "point-7"
    assert numbers == pytest.approx([*points[7], *bundles.truth(points)[7]])
    assert found["rows"]["benchmarks"] == [["A", 1.0, 2.0, 0.5, 0.33, 2.22]]


def test_croissant_states_digests_that_are_right(folder: Path) -> None:
    described = document(folder, "files/croissant.json")
    required = {"@context", "@type", "conformsTo", "name", "description", "license", "url", "creator"}
    assert required | {"datePublished", "distribution", "recordSet"} <= described.keys()
    archive = described["distribution"][0]
    data = (folder / "files" / archive["contentUrl"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == archive["sha256"]
    inside = hepdata.archive_files(data)
    for entry in described["distribution"][1:]:
        assert hashlib.sha256(inside[entry["contentUrl"]]).hexdigest() == entry["sha256"]


def test_fair4ml_names_the_model_and_what_it_is_for(folder: Path) -> None:
    described = document(folder, "files/fair4ml.json")
    assert described["@type"] == "fair4ml:MLModel"
    assert described["@context"]["fair4ml"] == "https://w3id.org/fair4ml/"
    assert described["@id"] == f"https://doi.org/{DOI}"
    assert described["identifier"][1].startswith("sha256:")
    assert described["citation"] == ["https://arxiv.org/abs/1007.1727"]
    assert described["isBasedOn"] == ["https://www.hepdata.net/record/ins1234567"]
    assert "SR[0]: -1 to 20" in described["fair4ml:modelRisksBiasLimitations"]


def test_a_density_without_a_doi_is_named_by_its_content(tmp_path: Path) -> None:
    source = write_gaussian(mixed_model(), tmp_path / "mixed.llb")
    first, second = (publish_zenodo(source, tmp_path / name) for name in ("a", "b"))
    assert [item.code for item in first.findings] == ["LLB-H010"]
    for name in first.files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    described = document(tmp_path / "a", "files/fair4ml.json")
    assert described["@id"].startswith("urn:llb:bundle:mixed-density:1.0.0:")
    assert described["fair4ml:mlTask"] == "density estimation"
    assert croissant(tmp_path / "a" / "files" / "croissant.json")["issues"] == ""
    assert second.files == first.files


def test_zenodo_states_one_licence(tmp_path: Path) -> None:
    def two(document: dict[str, Any]) -> None:
        document["license"] = "CC-BY-4.0 AND MIT"

    refused = publish_zenodo(bundles.write(tmp_path / "b.llb", two), tmp_path / "out")
    assert "LLB-H201" in [item.code for item in refused.findings]
    assert refused.folder is None
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("expression", "page"),
    [
        ("CC-BY-4.0", "https://spdx.org/licenses/CC-BY-4.0.html"),
        ("MIT OR ISC", "https://spdx.org/licenses/"),
        ("LicenseRef-mine", "https://spdx.org/licenses/"),
    ],
)
def test_pages_of_licences(expression: str, page: str) -> None:
    assert license_page(expression) == page
    assert single_license(expression) == page.endswith(".html")
