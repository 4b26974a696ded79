"""A submission.yaml is added to and keeps everything that was there: every line, and what the lines mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hepdata
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llb.publish.extension import with_resources
from llb_schema import FindingError

NEW = [
    {"description": "A bundle: 'quoted' \"twice\" # no comment", "location": "b.tar.gz", "type": "T"},
    {
        "description": "ü \u2028 \U0001f52c",
        "location": "c.tar.gz",
        "license": {"name": "CC0-1.0", "url": "https://a.b"},
    },
]
TABLE = "name: Table 1\ndescription: d\nkeywords: []\ndata_file: t.yaml\n"

TEXTS = {
    "no resources": f"---\ncomment: c # mine\n---\n{TABLE}",
    "resources": f"---\nadditional_resources:\n- location: a.zip # mine\n  description: d\n---\n{TABLE}",
    "indented": "---\nadditional_resources:\n    - location: a.zip\n      description: d\ncomment: c\n"
    f"---\n{TABLE}",
    "flow": f"---\nadditional_resources: [{{location: a.zip, description: d}}]\n---\n{TABLE}",
    "empty flow": f"---\nadditional_resources: []\n---\n{TABLE}",
    "flow record": f"--- {{comment: c, record_ids: []}}\n---\n{TABLE}",
    "flow record of nothing": f"--- {{}}\n---\n{TABLE}",
    "tables only": f"---\n{TABLE}",
    "implicit start": TABLE,
    "comment first": f"# mine\n---\n{TABLE}",
    "comment and implicit start": f"# mine\n\n{TABLE}",
    "no line end": f"---\ncomment: c\n---\n{TABLE}".rstrip("\n"),
    "windows": f"---\ncomment: c\n---\n{TABLE}".replace("\n", "\r\n"),
    "unicode": "---\ncomment: \U0001f52c ü\nadditional_resources:\n- {location: ü.zip, description: d}\n---\n"
    f"{TABLE}",
    "anchors": f"---\nadditional_resources:\n- &a {{location: a.zip, description: d}}\n- *a\n---\n{TABLE}",
    "document end": f"---\ncomment: c\n...\n---\n{TABLE}...\n",
    "directive": f"%YAML 1.1\n---\n{TABLE}",
    "nothing": "",
}


def extended(text: str) -> str:
    return with_resources(text.encode(), NEW, Path("submission.yaml")).decode()


def check(text: str) -> None:
    result = extended(text)
    before, after = (list(yaml.safe_load_all(item)) for item in (text, result))
    has_record = bool(before) and "data_file" not in before[0]
    record = before[0] if has_record else {}
    assert after[0] == {**record, "additional_resources": [*NEW, *record.get("additional_resources", [])]}
    assert after[1:] == before[1 if has_record else 0 :]
    assert is_within(text, result)
    assert result.endswith("\n")


def is_within(old: str, new: str) -> bool:
    """Whether the characters of the one are there in the other, in the same order."""
    rest = iter(new)
    return all(mark in rest for mark in old)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_everything_stays(text: str) -> None:
    check(text)


WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
RESOURCES = st.lists(st.fixed_dictionaries({"location": WORDS, "description": WORDS}), max_size=3)
RECORDS = st.fixed_dictionaries(
    {"comment": WORDS}, optional={"additional_resources": RESOURCES, "zzz": WORDS}
)


@given(
    st.one_of(st.none(), RECORDS),
    st.sampled_from([True, False, None]),
    st.integers(2, 6),
    st.booleans(),
    st.booleans(),
)
def test_whatever_the_style(
    record: dict[str, Any] | None, flow: bool | None, indent: int, keys: bool, ascii_only: bool
) -> None:
    documents = [*([] if record is None else [record]), hepdata.table()]
    check(
        yaml.safe_dump_all(
            documents,
            default_flow_style=flow,
            indent=indent,
            sort_keys=keys,
            allow_unicode=not ascii_only,
            explicit_start=True,
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        f"---\nadditional_resources: text\n---\n{TABLE}",
        f"---\nadditional_resources:\ncomment: c\n---\n{TABLE}",
    ],
)
def test_where_nothing_fits_it_is_refused(text: str) -> None:
    with pytest.raises(FindingError) as refused:
        extended(text)
    assert [item.code for item in refused.value.findings] == ["LLB-H013"]
