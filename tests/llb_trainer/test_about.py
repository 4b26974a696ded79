"""Files about a bundle: what they say goes into the manifest, and nothing else may be in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llb.bundle import Analysis, Author, Reference
from llb_schema import FindingError
from llb_trainer.about import read_about
from llb_trainer.export.emit import Identity

DOCS = Path(__file__).parents[2] / "docs" / "recipes.md"
DEFAULT = Identity("draft", "A draft", (Author("nobody"),), Analysis("some search"))


def written(folder: Path, text: str) -> Path:
    path = folder / "about.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_file_says_what_it_says(tmp_path: Path) -> None:
    section = DOCS.read_text(encoding="utf-8").split("## Who made it")[1]
    found = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    read = read_about(written(tmp_path, found[1]), DEFAULT)
    assert read.authors == (Author("A. Author", "0000-0002-1825-0097", "Example Institute"),)
    assert read.references == (Reference("arxiv", "1911.06660"), Reference("hepdata", "ins1765529"))
    assert read.analysis == Analysis("ATLAS-SUSY-2018-04", "ATLAS", 13.0, 139.0)
    assert (read.id, read.version) == (DEFAULT.id, DEFAULT.version)


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read_about(written(tmp_path, ""), DEFAULT) == DEFAULT


FAULTS = {
    "not TOML": ("title = ", "", "TOML"),
    "a misspelt key": ('licence = "CC0-1.0"', "#/licence", "did you mean license?"),
    "a key of the rest of the manifest": ("inputs = []", "#/inputs", "says nothing"),
    "an address instead of the digits": (
        '[[authors]]\nname = "A"\norcid = "https://orcid.org/0000-0002-1825-0097"',
        "#/authors/0/orcid",
        "",
    ),
    "an author without a name": ('[[authors]]\naffiliation = "I"', "#/authors/0/name", "missing"),
    "no authors": ("authors = []", "#/authors", ""),
    "a reference of no kind": ('[[references]]\nkind = "book"\nvalue = "1"', "#/references/0/kind", ""),
    "an unknown key inside": ('[analysis]\nname = "A"\nenergy = 13', "#/analysis", "energy"),
    "capitals in the id": ('id = "Stau"', "#/id", ""),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named(name: str, tmp_path: Path) -> None:
    text, place, words = FAULTS[name]
    path = written(tmp_path, text)
    with pytest.raises(FindingError) as caught:
        read_about(path, DEFAULT)
    (found,) = caught.value.findings
    assert found.code == "LLB-T043"
    assert found.pointer.startswith(f"{path}{place}")
    assert words in found.message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = 'id = "Stau"\nlicence = "x"\n[[authors]]\n'
    with pytest.raises(FindingError) as caught:
        read_about(written(tmp_path, text), DEFAULT)
    assert len(caught.value.findings) == 3
