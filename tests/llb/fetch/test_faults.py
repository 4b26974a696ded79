"""Each fault of a service ends in its finding, and leaves nothing behind."""

from __future__ import annotations

import io
import socket
import ssl
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from publisher import IMPATIENT, Asked, File, Publisher, Reply

from llb.fetch import Demands, FetchedBundle, Patience, Request, Services, fetch_bundle
from llb_schema import FindingError

Refused = Callable[..., str]


@pytest.fixture
def fetch(publisher: Publisher, out: Path) -> Callable[..., FetchedBundle]:
    def run(
        reference: str, demands: Demands | None = None, patience: Patience = IMPATIENT, **more: object
    ) -> FetchedBundle:
        request = Request(reference, None, demands or Demands(), publisher.services, patience)
        return fetch_bundle(request, out, **more)  # pyright: ignore[reportArgumentType]

    return run


@pytest.fixture
def refused(fetch: Callable[..., FetchedBundle], out: Path) -> Refused:
    """The first finding; nothing may be left in the folder of the target."""

    def run(*arguments: object, **more: object) -> str:
        with pytest.raises(FindingError) as error:
            fetch(*arguments, **more)
        assert list(out.parent.iterdir()) == []
        return str(error.value.findings[0])

    return run


def serve(publisher: Publisher, reply: Reply | Callable[[Asked], Reply]) -> str:
    publisher.routes["/x.zip"] = reply if callable(reply) else lambda _: reply
    return f"{publisher.url}/x.zip"


def test_nothing_there(publisher: Publisher, refused: Refused) -> None:
    assert refused(f"{publisher.url}/none").startswith("[LLB-D002]")
    assert refused("10.5281/zenodo.99").startswith("[LLB-D002]")
    assert refused("10.17182/hepdata.99").startswith("[LLB-D002]")
    assert len(publisher.asked) == 3


@pytest.mark.parametrize("status", [401, 403, 418, 451])
def test_refused(publisher: Publisher, refused: Refused, status: int) -> None:
    line = refused(serve(publisher, Reply(status)))
    assert line.startswith("[LLB-D003]")
    assert len(publisher.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_failing(publisher: Publisher, refused: Refused, status: int) -> None:
    assert refused(serve(publisher, Reply(status))).startswith("[LLB-D004]")
    assert len(publisher.asked) == IMPATIENT.attempts


def test_a_service_that_wants_a_long_rest_is_left_alone(publisher: Publisher, refused: Refused) -> None:
    line = refused(serve(publisher, Reply(429, headers={"Retry-After": "3600"})))
    assert line.startswith("[LLB-D004]")
    assert len(publisher.asked) == 1


def test_offline(refused: Refused) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    assert refused(f"http://127.0.0.1:{port}/x.zip").startswith("[LLB-D005]")


@pytest.mark.parametrize(
    ("name", "value"),
    [("SSL_CERT_FILE", "/nowhere.pem"), ("HTTPS_PROXY", "carrier://pigeon"), ("HTTPS_PROXY", "socks5://x:1")],
)
def test_an_environment_that_is_no_use(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert refused("10.5281/zenodo.7").startswith("[LLB-D005]")


def test_silence(publisher: Publisher, refused: Refused) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        patience = Patience(attempts=2, backoff=0.01, silence=0.1)
        line = refused(f"http://127.0.0.1:{mute.getsockname()[1]}/x.zip", patience=patience)
    assert line.startswith("[LLB-D007]")
    assert publisher.asked == []


def test_a_trickle(publisher: Publisher, refused: Refused) -> None:
    url = serve(publisher, Reply(body=bytes(5000), drip=0.02))
    patience = Patience(attempts=2, backoff=0.01, window=0.2, least_rate=1e6)
    assert refused(url, patience=patience).startswith("[LLB-D007]")
    assert len(publisher.asked) == 2


def test_cut_short(publisher: Publisher, refused: Refused, archives: dict[str, bytes]) -> None:
    url = serve(publisher, Reply(body=archives[".zip"], cut=1000))
    assert refused(url).startswith("[LLB-D008]")
    assert len(publisher.asked) == IMPATIENT.attempts


def test_cut_short_where_only_the_record_knows_the_size(
    publisher: Publisher, refused: Refused, archives: dict[str, bytes]
) -> None:
    doi = publisher.zenodo("7", {"x.llb.zip": archives[".zip"]})
    path = "/zenodo/api/records/7/files/x.llb.zip/content"
    publisher.routes[path] = lambda _: Reply.chunked(archives[".zip"][:1000])
    line = refused(doi)
    assert line.startswith("[LLB-D008] x.llb.zip has not come whole")


def test_wrong_digests(publisher: Publisher, refused: Refused, archives: dict[str, bytes]) -> None:
    line = refused(serve(publisher, Reply(body=archives[".zip"])), Demands(sha256="0" * 64))
    assert line.startswith("[LLB-D009]")
    doi = publisher.zenodo("7", {"x.llb.zip": archives[".zip"]}, checksum=f"md5:{'0' * 32}")
    assert refused(doi).startswith("[LLB-D009]")


def test_too_large(publisher: Publisher, refused: Refused) -> None:
    demands = Demands(most_bytes=1000)
    assert refused(serve(publisher, Reply(body=bytes(1001))), demands).startswith("[LLB-D010]")
    endless = Reply.chunked(*[bytes(100)] * 100)
    assert refused(serve(publisher, endless), demands).startswith("[LLB-D010]")


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://["])
def test_bad_redirects(publisher: Publisher, refused: Refused, place: str) -> None:
    assert refused(serve(publisher, Reply.to(place))).startswith("[LLB-D011]")


def test_redirects_in_circles(publisher: Publisher, refused: Refused) -> None:
    assert refused(serve(publisher, Reply.to("/x.zip"))).startswith("[LLB-D011]")
    assert len(publisher.asked) == 11


def test_records_do_not_lead_anywhere_either(publisher: Publisher, refused: Refused) -> None:
    doi = publisher.zenodo("7", {"x.llb.zip": b"PK"}, links={"self": "file:///etc/passwd"})
    assert refused(doi).startswith("[LLB-D011]")


def test_not_acceptable(publisher: Publisher, refused: Refused) -> None:
    assert refused(serve(publisher, Reply(406))).startswith("[LLB-D012]")


def test_a_page(publisher: Publisher, refused: Refused) -> None:
    assert refused(serve(publisher, Reply.page())).startswith("[LLB-D013]")


@pytest.mark.parametrize(
    "reply",
    [
        Reply.page(),
        Reply(body=b"[" * 100_000),
        Reply.of_json([]),
        Reply.of_json({"files": "none"}),
        Reply.of_json({"files": [{"key": "x.llb.zip", "links": []}]}),
        Reply.of_json({"files": []}),
    ],
)
def test_answers_that_are_none(publisher: Publisher, refused: Refused, reply: Reply) -> None:
    publisher.routes["/zenodo/api/records/7"] = lambda _: reply
    assert refused("10.5281/zenodo.7").startswith("[LLB-D014]")


def test_a_record_that_is_not_json(publisher: Publisher, refused: Refused) -> None:
    publisher.routes["/zenodo/api/records/7"] = lambda _: Reply(406)
    assert refused("10.5281/zenodo.7").startswith("[LLB-D012]")


@pytest.mark.parametrize("body", [b"", b"\x08\x07graph", b"\xfd7zXZ\x00", b"{}"])
def test_no_archive(publisher: Publisher, refused: Refused, body: bytes) -> None:
    assert refused(serve(publisher, Reply(body=body))).startswith("[LLB-D018]")


def zipped(name: str, content: bytes = b"x") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return data.getvalue()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (zipped("../../evil.json"), "LLB-A004"),
        (zipped("/etc/passwd"), "LLB-A004"),
        (zipped("manifest.json", bytes(2**28)), "LLB-A009"),
        (zipped("other.json"), "LLB-A010"),
        (zipped("manifest.json", b"{}"), "LLB-S013"),
        (zipped("manifest.json")[:-10], "LLB-A002"),
        (b"\x1f\x8b not gzip", "LLB-A002"),
    ],
)
def test_hostile_archives(publisher: Publisher, refused: Refused, body: bytes, code: str) -> None:
    assert refused(serve(publisher, Reply(body=body))).startswith(f"[{code}]")


def test_a_bundle_with_a_changed_file(
    publisher: Publisher, refused: Refused, archives: dict[str, bytes]
) -> None:
    data = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archives[".zip"])) as good,
        zipfile.ZipFile(data, "w") as changed,
    ):
        for name in good.namelist():
            content = good.read(name)
            changed.writestr(name, content.swapcase() if name == "validation/heldout.csv" else content)
    assert refused(serve(publisher, Reply(body=data.getvalue()))).startswith("[LLB-I001]")


def test_targets(fetch: Callable[..., FetchedBundle], publisher: Publisher, out: Path) -> None:
    out.write_text("mine")
    url = serve(publisher, File(b"PK"))
    for overwrite, code in ((False, "LLB-X002"), (True, "LLB-A012")):
        with pytest.raises(FindingError, match=code):
            fetch(url, overwrite=overwrite)
    assert out.read_text() == "mine"
    assert publisher.asked == []


def test_a_disk_that_refuses(publisher: Publisher, out: Path) -> None:
    """The name of the target is allowed, the longer one of the folder beside it is not."""
    request = Request(serve(publisher, File(b"PK")), patience=IMPATIENT)
    with pytest.raises(FindingError, match="LLB-X003"):
        fetch_bundle(request, out.with_name("x" * 250))


def test_a_fault_leaves_what_was_there(
    fetch: Callable[..., FetchedBundle], publisher: Publisher, out: Path, archives: dict[str, bytes]
) -> None:
    fetch(serve(publisher, File(archives[".zip"])))
    before = (out / "manifest.json").read_bytes()
    with pytest.raises(FindingError, match="LLB-D008"):
        fetch(serve(publisher, Reply(body=archives[".zip"], cut=1000)), overwrite=True)
    assert (out / "manifest.json").read_bytes() == before
    assert [item.name for item in out.parent.iterdir()] == [out.name]


def test_a_certificate_that_nobody_knows(refused: Refused, tmp_path: Path) -> None:
    """The same server, now with TLS and a certificate of its own making."""
    from subprocess import run

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.handle_error = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        assert refused(f"https://localhost:{server.server_address[1]}/x.zip").startswith("[LLB-D006]")
    finally:
        server.shutdown()
        server.server_close()


def test_services_that_are_no_urls(out: Path) -> None:
    request = Request("10.5281/zenodo.7", services=Services(zenodo="nowhere"), patience=IMPATIENT)
    with pytest.raises(FindingError, match="LLB-D001"):
        fetch_bundle(request, out)
