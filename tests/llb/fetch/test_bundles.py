"""Bundles that arrive: by every kind of reference, whole and the same, over lines that break."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import bundles
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publisher import IMPATIENT, Asked, File, Publisher, Reply

from llb.bundle import content_id, copy_bundle, file_digests, open_container, read_any_bundle
from llb.fetch import Demands, FetchedBundle, Request, fetch_bundle, list_resources
from llb_schema import FindingError


def fetched(
    publisher: Publisher, reference: str, out: Path, resource: str | None = None, sha256: str = ""
) -> FetchedBundle:
    request = Request(reference, resource, Demands(sha256=sha256), publisher.services, IMPATIENT)
    return fetch_bundle(request, out, overwrite=True)


def test_from_zenodo(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    doi = publisher.zenodo("7", {"README.md": b"Read me", "x.llb.zip": archives[".zip"]})
    result = fetched(publisher, doi, out)
    assert (result.path, result.resource.name, result.level) == (out, "x.llb.zip", 2)
    assert result.content_id == content_id(file_digests(open_container(out)))
    assert result.bytes == len(archives[".zip"])
    assert [item.name for item in out.parent.iterdir()] == [out.name]


def test_the_newest_version_on_zenodo(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    publisher.zenodo("8", {"x.llb.zip": archives[".zip"]})
    publisher.routes["/zenodo/api/records/7"] = lambda _: Reply.to("/zenodo/api/records/8", 301)
    assert fetched(publisher, "10.5281/zenodo.7", out).resource.name == "x.llb.zip"


def test_from_hepdata(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    files = {"figure.png": b"PNG", "HEPData_workspaces.tar.gz": b"", "x.llb.tar.gz": archives[".tar.gz"]}
    doi = publisher.hepdata("9", files, {"HEPData_workspaces.tar.gz": "HistFactory"})
    result = fetched(publisher, doi, out)
    assert result.resource.number == 3
    assert result.url.endswith("/hepdata/record/resource/93")
    (asked,) = publisher.requests("/hepdata/record/9")
    assert asked.query == "format=json&light=true&version=1"


def test_a_resource_of_hepdata_by_its_doi(
    publisher: Publisher, out: Path, archives: dict[str, bytes]
) -> None:
    doi = publisher.hepdata("9", {"x.zip": archives[".zip"]})
    fetched(publisher, f"{doi}/r1", out)
    (asked,) = publisher.requests("/hepdata/record/resource/91")
    assert asked.names_the_type


@pytest.mark.parametrize("answer", [Reply.page(), Reply(406)])
def test_a_page_of_hepdata_that_does_not_negotiate(
    publisher: Publisher, out: Path, archives: dict[str, bytes], answer: Reply
) -> None:
    doi = publisher.hepdata("9", {"x.llb.zip": archives[".zip"]})
    file = File(archives[".zip"])

    def stubborn(asked: Asked) -> Reply:
        return file(asked) if "view=true" in asked.query else answer

    publisher.routes["/hepdata/record/resource/91"] = stubborn
    assert fetched(publisher, f"{doi}/r1", out).bytes == len(archives[".zip"])
    assert [item.query for item in publisher.requests("/hepdata/record/resource/91")] == [
        "landing=true",
        "view=true",
    ]


def test_from_a_url_with_a_digest(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    from hashlib import sha256

    digest = sha256(archives[".zip"]).hexdigest()
    publisher.routes["/here"] = lambda _: Reply.to(publisher.file("/x.llb.zip", archives[".zip"]))
    result = fetched(publisher, f"{publisher.url}/here", out, sha256=digest.upper())
    assert result.sha256 == digest


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz"])
@pytest.mark.parametrize("published", [".zip", ".tar.gz"])
def test_every_form_to_every_form(
    publisher: Publisher, out: Path, archives: dict[str, bytes], published: str, suffix: str
) -> None:
    target = out.with_name(f"y{suffix}")
    result = fetched(publisher, publisher.file("/x", archives[published]), target)
    assert result.content_id == content_id(file_digests(open_container(target)))
    if suffix:
        # What `llb pack` has made arrives as it was, byte by byte.
        assert target.read_bytes() == archives[suffix]


def test_one_folder_around_everything(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    data = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archives[".tar.gz"])) as plain,
        tarfile.open(fileobj=data, mode="w:gz") as wrapped,
    ):
        for info in plain.getmembers():
            content = plain.extractfile(info)
            info.name = f"search/{info.name}"
            wrapped.addfile(info, content)
    fetched(publisher, publisher.file("/x", data.getvalue()), out)
    assert (out / "manifest.json").is_file()


def test_a_bundle_has_to_pass_its_level(publisher: Publisher, out: Path, tmp_path: Path) -> None:
    """A bundle that is whole, and whose vectors are not what its graph gives."""
    wrong = bundles.vectors()
    wrong["cases"][1]["delta_nll"]["observed"] += 1.0
    replaced = {bundles.VECTORS: bundles.json_file(wrong, "vectors")}
    made = read_any_bundle(bundles.write(tmp_path / "wrong.llb", replace=replaced))
    body = copy_bundle(made, tmp_path / "wrong.zip").read_bytes()
    request = Request(publisher.file("/x", body), patience=IMPATIENT)
    with pytest.raises(FindingError, match="LLB-N"):
        fetch_bundle(request, out, level=4)
    assert list(out.parent.iterdir()) == []
    assert fetch_bundle(request, out, level=3).level == 3


def test_choice(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    body = archives[".zip"]
    doi = publisher.zenodo("7", {"a.llb.zip": body, "b.llb.zip": body, "a.pdf": b"", "2": body})
    for resource, code in ((None, "LLB-D016"), ("c.llb.zip", "LLB-D017"), ("9", "LLB-D017")):
        with pytest.raises(FindingError, match=code):
            fetched(publisher, doi, out, resource)
    assert fetched(publisher, doi, out, "b.llb.zip").resource.number == 2
    assert fetched(publisher, doi, out, "1").resource.name == "a.llb.zip"
    # A name wins over a number.
    assert fetched(publisher, doi, out, "2").resource.number == 4


def test_what_its_authors_call_a_bundle(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    """As `llb publish` names and describes it."""
    name, body = "stau-1.0.0.tar.gz", archives[".tar.gz"]
    files = {name: body, "croissant.json": b"{}", "README.md": b""}
    doi = publisher.zenodo("7", files, keywords=["likelihood", "Learned Likelihood Bundle"])
    assert fetched(publisher, doi, out).resource.name == name
    with pytest.raises(FindingError, match="LLB-D015"):
        fetched(publisher, publisher.zenodo("8", files, keywords=["likelihood"]), out)
    description = "Direct staus. Learned likelihood bundle stau 1.0.0: ONNX graph with manifest"
    models = {"likelihoods.tar.gz": b"", name: body}
    doi = publisher.hepdata("9", models, {"likelihoods.tar.gz": "HistFactory"}, {name: description})
    assert fetched(publisher, doi, out).resource.name == name
    record = list_resources(Request(doi, services=publisher.services, patience=IMPATIENT))
    assert [record.likeness(item, "workspace") for item in record.resources] == [2, 0]
    doi = publisher.zenodo("8", models, keywords=["Learned Likelihood Bundle"])
    assert fetched(publisher, doi, out).resource.name == name


def test_no_bundle(publisher: Publisher, out: Path) -> None:
    doi = publisher.hepdata("9", {"w.tar.gz": b"", "figure.png": b""}, {"w.tar.gz": "HistFactory"})
    with pytest.raises(FindingError, match="LLB-D015") as error:
        fetched(publisher, doi, out)
    assert "--workspace" in error.value.findings[0].hint
    assert "1 w.tar.gz, 2 figure.png" in error.value.findings[0].actual
    empty = publisher.zenodo("7", {})
    with pytest.raises(FindingError, match="LLB-D015"):
        fetched(publisher, empty, out)


def test_listing(publisher: Publisher) -> None:
    doi = publisher.zenodo("7", {"a.llb.zip": b"12345"})
    record = list_resources(Request(doi, services=publisher.services, patience=IMPATIENT))
    (resource,) = record.resources
    assert (record.title, resource.name, resource.bytes) == ("Bundles", "a.llb.zip", 5)
    assert resource.md5 == "827ccb0eea8a706c4c34a16891f84e7b"


def test_retries(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    file = File(archives[".zip"])
    moods = [Reply(503), Reply(429, headers={"Retry-After": "0"})]
    publisher.routes["/x"] = lambda asked: moods[asked.before] if asked.before < 2 else file(asked)
    fetched(publisher, f"{publisher.url}/x", out)
    assert len(publisher.asked) == 3


def test_a_broken_download_is_resumed(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    url = publisher.file("/x", archives[".zip"], breaks=2, piece=1000)
    fetched(publisher, url, out)
    assert [item.headers.get("range") for item in publisher.asked] == [None, "bytes=1000-", "bytes=2000-"]
    assert {item.headers.get("if-range") for item in publisher.asked[1:]} == {'"1"'}


def test_a_server_without_parts_sends_the_whole_again(
    publisher: Publisher, out: Path, archives: dict[str, bytes]
) -> None:
    fetched(publisher, publisher.file("/x", archives[".zip"], breaks=1, piece=1000, ranges=False), out)
    assert [item.headers.get("range") for item in publisher.asked] == [None, "bytes=1000-"]


@pytest.mark.parametrize("tag", ["", 'W/"1"'])
def test_without_a_strong_version_nothing_is_resumed(
    publisher: Publisher, out: Path, archives: dict[str, bytes], tag: str
) -> None:
    fetched(publisher, publisher.file("/x", archives[".zip"], breaks=1, piece=1000, tag=tag), out)
    assert [item.headers.get("range") for item in publisher.asked] == [None, None]


def test_a_date_is_a_version_too(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    date = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    body = archives[".zip"]
    size = {"Content-Range": f"bytes 1000-{len(body) - 1}/{len(body)}"}
    parts = [Reply(200, body, date, cut=1000), Reply(206, body[1000:], size)]
    publisher.routes["/x"] = lambda asked: parts[asked.before]
    fetched(publisher, f"{publisher.url}/x", out)
    assert publisher.asked[1].headers["if-range"] == date["Last-Modified"]


def test_a_file_that_has_changed_begins_anew(
    publisher: Publisher, out: Path, archives: dict[str, bytes]
) -> None:
    """The first bytes are of an old version, which was longer, and must not be mixed with the new one."""
    size = len(archives[".zip"])
    old = File(bytes(3 * size), tag='"old"', breaks=1, piece=2 * size)
    new = File(archives[".zip"], tag='"new"')
    publisher.routes["/x"] = lambda asked: (old if asked.before == 0 else new)(asked)
    assert fetched(publisher, f"{publisher.url}/x", out).bytes == size
    assert publisher.asked[1].headers["if-range"] == '"old"'


def test_a_part_that_begins_elsewhere_is_not_taken(
    publisher: Publisher, out: Path, archives: dict[str, bytes]
) -> None:
    """It would make a file of the right size."""
    body, size = archives[".zip"], len(archives[".zip"])
    file = File(body, breaks=1, piece=1000)
    wrong = Reply(206, body[:-1000], {"Content-Range": f"bytes 0-{size - 1001}/{size}"})
    publisher.routes["/x"] = lambda asked: wrong if asked.before == 1 else file(asked)
    fetched(publisher, f"{publisher.url}/x", out)
    assert len(publisher.asked) == 3


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply.page(416), id="not satisfiable"),
        pytest.param(Reply(206, bytes(10), {"Content-Range": "bytes 5-14/20"}), id="another part"),
        pytest.param(Reply(206, bytes(10)), id="no range"),
        pytest.param(Reply(206, bytes(10), {"Content-Range": "bytes 1000-1009/1005"}), id="more than all"),
    ],
)
def test_a_server_that_resumes_wrongly(
    publisher: Publisher, out: Path, archives: dict[str, bytes], reply: Reply
) -> None:
    file = File(archives[".zip"], breaks=1, piece=1000)
    publisher.routes["/x"] = lambda asked: reply if asked.before == 1 else file(asked)
    fetched(publisher, f"{publisher.url}/x", out)
    assert [item.headers.get("range") for item in publisher.asked] == [None, "bytes=1000-", None]


def test_an_interruption_leaves_nothing(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    def interrupt(_done: int, _total: int | None) -> None:
        assert len(list(out.parent.iterdir())) == 1
        raise KeyboardInterrupt

    request = Request(publisher.file("/x", archives[".zip"]), patience=IMPATIENT)
    with pytest.raises(KeyboardInterrupt):
        fetch_bundle(request, out, progress=interrupt)
    assert list(out.parent.iterdir()) == []


def test_progress(publisher: Publisher, out: Path, archives: dict[str, bytes]) -> None:
    told: list[tuple[int, int | None]] = []
    request = Request(publisher.file("/x", archives[".zip"]), patience=IMPATIENT)
    fetch_bundle(request, out, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(archives[".zip"]), len(archives[".zip"]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(min_size=1, max_size=200),
    pieces=st.lists(st.integers(0, 120), max_size=2),
    ranges=st.booleans(),
)
def test_however_it_breaks_the_bytes_are_the_same(
    publisher: Publisher, tmp_path: Path, body: bytes, pieces: list[int], ranges: bool
) -> None:
    from llb.fetch.download import download
    from llb.fetch.record import Resource
    from llb.fetch.web import Web

    file = File(body, ranges=ranges)
    begun = len(publisher.asked)

    def breaking(asked: Asked) -> Reply:
        reply, turn = file(asked), len(publisher.asked) - 1 - begun
        cut = pieces[turn] if turn < len(pieces) else None
        return Reply(reply.status, reply.body, reply.headers, cut)

    publisher.routes["/x"] = breaking
    target = tmp_path / "x"
    with Web(IMPATIENT) as web:
        arrival = download(Resource(1, "x", f"{publisher.url}/x"), target, web, Demands())
    assert target.read_bytes() == body
    assert arrival.bytes == len(body)
