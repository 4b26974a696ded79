from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from llb.fetch.patience import Patience, retry_after


def test_waits_double_and_end() -> None:
    patience = Patience(attempts=4, backoff=1.0, longest_wait=120.0)
    assert [patience.wait(failed, None) for failed in (1, 2, 3, 4)] == [1.0, 2.0, 4.0, None]


def test_a_service_is_taken_at_its_word_within_reason() -> None:
    patience = Patience(attempts=4, longest_wait=120.0)
    assert patience.wait(1, 90.0) == 90.0
    assert patience.wait(1, 0.0) == 0.0
    assert patience.wait(1, 3600.0) is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), (" 0 ", 0.0), ("soon", None), ("-3", None), (None, None)]
)
def test_seconds(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds


def test_dates() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert 3500.0 < (retry_after(later) or 0.0) <= 3600.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
    assert retry_after("Wed, 21 Oct 2015 07:28:00 -0000") == 0.0
