"""Writes the stored bundles of the current format versions; run once for each release of the format.

A stored bundle stays as it is, for later readers are held to it (tests/llb/bundle/test_golden.py): what is
there is never written over.
"""

from __future__ import annotations

import json
from pathlib import Path

from llb.bundle import pack
from llb_conformance.corpus.draft import Draft
from llb_conformance.gaussian import conditional_model
from llb_conformance.gaussian_bundle import gaussian_files
from llb_schema import DENSITY_VERSION, FORMAT_VERSION

HERE = Path(__file__).resolve().parent

EXTENSIONS = {"org.example.golden": {"kept": [1, 2.5, None, "as it is"]}}
TITLE = "A stored bundle, for every later reader"
# Few of them: the file is in the repository.
HELDOUT = 120


def profile_likelihood() -> dict[str, bytes]:
    """The files of a bundle in the version that profile likelihoods are written in."""
    draft = Draft()
    draft.manifest |= {"id": "golden", "title": TITLE, "extensions": EXTENSIONS}
    return draft.contents()


def density() -> dict[str, bytes]:
    """The files of a bundle in the version that densities are written in."""
    files = gaussian_files(conditional_model(), heldout=HELDOUT)
    manifest = json.loads(files["manifest.json"])
    manifest |= {"id": "golden", "title": TITLE, "extensions": EXTENSIONS}
    return files | {"manifest.json": json.dumps(manifest, indent=2).encode()}


def main() -> None:
    for version, files in ((FORMAT_VERSION, profile_likelihood), (DENSITY_VERSION, density)):
        path = HERE / f"format-{version}.llb.zip"
        if not path.exists():
            with path.open("xb") as file:
                file.write(pack(files(), "zip"))
            print(path)


if __name__ == "__main__":
    main()
