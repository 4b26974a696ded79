"""Writes a stored bundle of the current format version; run once for each release of the format.

A stored bundle stays as it is, for later readers are held to it (tests/llb/bundle/test_golden.py): what is
there is never written over.
"""

from __future__ import annotations

from pathlib import Path

from llb.bundle import pack
from llb_conformance.corpus.draft import Draft
from llb_schema import FORMAT_VERSION

HERE = Path(__file__).resolve().parent


def main() -> None:
    draft = Draft()
    draft.manifest["id"] = "golden"
    draft.manifest["title"] = "A stored bundle, for every later reader"
    draft.manifest["extensions"] = {"org.example.golden": {"kept": [1, 2.5, None, "as it is"]}}
    path = HERE / f"format-{FORMAT_VERSION}.llb.zip"
    with path.open("xb") as file:
        file.write(pack(draft.contents(), "zip"))
    print(path)


if __name__ == "__main__":
    main()
