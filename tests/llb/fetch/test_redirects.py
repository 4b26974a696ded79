from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llb.fetch.redirects import next_url, shown_url
from llb_schema import FindingError

OUTSIDE, INSIDE = "https://192.0.32.10/a/x", "http://127.0.0.1:8000/a/x"


@pytest.mark.parametrize(
    ("asked", "here", "location", "target"),
    [
        (OUTSIDE, OUTSIDE, "y", "https://192.0.32.10/a/y"),
        (OUTSIDE, OUTSIDE, "https://192.0.32.11/y", "https://192.0.32.11/y"),
        ("http://192.0.32.10/", "http://192.0.32.10/", "https://192.0.32.10/", "https://192.0.32.10/"),
        # Who asks for something inside may be led around there.
        (INSIDE, INSIDE, "http://localhost:9000/y", "http://localhost:9000/y"),
        (INSIDE, OUTSIDE.replace("https", "http"), "http://10.0.0.1/y", "http://10.0.0.1/y"),
    ],
)
def test_followed(asked: str, here: str, location: str, target: str) -> None:
    assert next_url(asked, here, location) == target


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://192.0.32.10/x", "https must not become http"),
        ("file:///etc/passwd", "only http and https"),
        ("data:text/plain,x", "only http and https"),
        ("https://127.0.0.1/x", "private network"),
        ("https://localhost/x", "private network"),
        ("https://10.1.2.3/x", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[::1]/x", "private network"),
        ("https://user:word@192.0.32.11/x", "credentials"),
        ("https://[", "not a URL"),
    ],
)
def test_not_followed(location: str, why: str) -> None:
    with pytest.raises(FindingError, match="LLB-D011") as error:
        next_url(OUTSIDE, OUTSIDE, location)
    assert why in str(error.value)
    assert "word" not in str(error.value)


def test_messages_keep_secrets() -> None:
    assert shown_url("https://me:secret@example.org:8443/a?token=b#c") == "https://example.org:8443/a"
    assert shown_url("http://[") == "'http://['"


PIECES = [
    "http",
    "https",
    "file",
    "://",
    "//",
    "[",
    "]",
    "@",
    ":",
    "/",
    "?",
    "#",
    "..",
    "127.0.0.1",
    "10.0.0.1",
]


@given(st.text(max_size=20) | st.lists(st.sampled_from(PIECES) | st.characters(), max_size=8).map("".join))
def test_any_place_is_followed_or_a_finding(place: str) -> None:
    def offline(host: str, _port: None) -> list[tuple[object, ...]]:
        """Addresses are what they are; names are asked of nobody."""
        try:
            return [(0, 0, 0, "", (str(ip_address(host)), 0))]
        except ValueError as error:
            raise OSError from error

    target, codes = "https://", list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getaddrinfo", offline)
        try:
            target = next_url(OUTSIDE, OUTSIDE, place)
        except FindingError as error:
            codes = [item.code for item in error.findings]
    assert codes in ([], ["LLB-D011"])
    assert shown_url(target).startswith("https://")
    assert not shown_url(target).startswith(("https://127.", "https://10."))
