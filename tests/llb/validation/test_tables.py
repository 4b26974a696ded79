"""Tables that are hostile by their size; other faults are in the negative corpus."""

from __future__ import annotations

import json
import tracemalloc

from llb.bundle import Manifest
from llb.validation.tables import check_heldout
from llb_conformance.corpus import good_bundle

GOOD = good_bundle()
MANIFEST = Manifest.from_json(json.loads(GOOD["manifest.json"]))
TABLE = GOOD[MANIFEST.validation.heldout]


def test_millions_of_empty_rows_take_no_memory_of_their_own() -> None:
    data = TABLE + b"\n" * 2_000_000
    tracemalloc.start()
    try:
        found = check_heldout(data, MANIFEST, "heldout.csv")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [item.code for item in found] == ["LLB-M027"] * 20 + ["LLB-S016"]
    # The text once, and once more with four bytes a character.
    assert peak < 8 * len(data)


def test_faults_of_rows_before_an_open_quote_do_not_hide_it() -> None:
    found = check_heldout(TABLE + b'more,0\n"open', MANIFEST, "heldout.csv")
    assert [item.code for item in found] == ["LLB-P010"]
