"""A sample of single flipped bytes; `python tests/flips.py 4000` makes the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest
from flips import FORMS, NOTICED, outcomes


@pytest.mark.requirement("INTEGRITY-2")
@pytest.mark.parametrize("form", FORMS)
def test_flipped_bytes_are_noticed_or_it_is_known_why_not(form: str, tmp_path: Path) -> None:
    found = outcomes(form, 150, tmp_path)
    assert found.total() == 150
    assert found[NOTICED] > 130
    assert [reason for reason in found if reason.startswith("UNEXPLAINED")] == []
