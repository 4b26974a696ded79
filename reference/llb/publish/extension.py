"""More resources for a `submission.yaml` that is there: put into its text, of which everything stays.

A parser and a dumper would lose comments, order and style of what somebody wrote. So the text is only added
to, at places that the parser gives, and is read again afterwards: it has to say what it said and the
addition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from llb.publish.documents import parse_documents
from llb.publish.inline_yaml import inline_yaml
from llb_schema import FindingError, finding

__all__ = ["with_resources"]

_KEY = "additional_resources"
_ENDLESS = 1_000_000


def with_resources(data: bytes, resources: Sequence[Mapping[str, Any]], path: Path) -> bytes:
    """The file with the resources before those of its record.

    Args:
        data: the file, in UTF-8.
        resources: documents of resources, at least one.
        path: for messages.

    Raises:
        FindingError: `LLB-H011`, it is no YAML; `LLB-H013`, no place for them was found.
    """
    before = parse_documents(data, path)
    text = data.decode("utf-8")
    nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    is_record = bool(before) and isinstance(before[0], dict) and "data_file" not in before[0]
    if is_record and isinstance(nodes[0], yaml.MappingNode):
        whole = _into_record(text, nodes[0], resources)
        record = cast("dict[str, Any]", before[0])
        wanted = [{**record, _KEY: [*resources, *(record.get(_KEY) or [])]}, *before[1:]]
    else:
        first = next((item for item in yaml.parse(text) if isinstance(item, yaml.DocumentStartEvent)), None)
        begin = "" if first is None or first.explicit else "---\n"
        whole = f"---\n{_block({_KEY: list(resources)}, 0)}{begin}{text}"
        wanted = [{_KEY: list(resources)}, *before]
    result = whole.encode("utf-8")
    try:
        unchanged = parse_documents(result, path) == wanted
    except FindingError:
        unchanged = False
    if not unchanged:
        raise FindingError(finding("LLB-H013", pointer=str(path)))
    return result if result.endswith(b"\n") else result + b"\n"


def _into_record(text: str, record: yaml.MappingNode, resources: Sequence[Mapping[str, Any]]) -> str:
    """The text with the resources in the document about the whole record."""
    listed = next((value for key, value in record.value if key.value == _KEY), None)
    if isinstance(listed, yaml.SequenceNode):
        at, column = listed.start_mark.index, listed.start_mark.column
        if listed.flow_style:
            items = ", ".join(inline_yaml(item) for item in resources)
            return f"{text[: at + 1]}{items}, {text[at + 1 :]}"
        return text[:at] + _block(list(resources), column).lstrip(" ") + " " * column + text[at:]
    at, column = record.start_mark.index, record.start_mark.column
    if record.flow_style:
        items = inline_yaml(list(resources))
        return f"{text[: at + 1]}{_KEY}: {items}, {text[at + 1 :]}"
    return text[:at] + _block({_KEY: list(resources)}, column).lstrip(" ") + " " * column + text[at:]


def _block(value: Any, column: int) -> str:
    """YAML lines, indented."""
    dumped = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=_ENDLESS)
    return "".join(f"{' ' * column}{line}\n" for line in dumped.splitlines())
