from __future__ import annotations

import pytest

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
