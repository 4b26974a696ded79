from __future__ import annotations

import hashlib
import re
from pathlib import Path

import bundles
import pytest

from llb.bundle import content_id, copy_bundle, file_digests, open_container, read_bundle
from llb_schema import FindingError

SPEC = Path(__file__).resolve().parents[3] / "schema" / "SPEC.md"
# By hand: printf 'abc' > LICENSE; printf '{}' > manifest.json; sha256sum LICENSE manifest.json | sha256sum
WORKED = "748e271e46545bf46e66d9cb266b93a0a28044a72f6f90520af96bec4e675d28"


def content_of(path: Path) -> str:
    return content_id(file_digests(open_container(path)))


@pytest.mark.requirement("CONTAINER-9")
def test_the_worked_value_of_the_specification(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_bytes(b"abc")
    (tmp_path / "manifest.json").write_bytes(b"{}")
    assert content_of(tmp_path) == WORKED
    clause = SPEC.read_text(encoding="utf-8").split("**CONTAINER-9**")[1].split("##")[0]
    assert re.findall(r"[0-9a-f]{64}", clause) == [WORKED]


@pytest.mark.requirement("CONTAINER-9")
def test_paths_are_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    # Capitals before small letters, and `.` before `/`.
    names = ["B", "a.b/c", "a/b", "manifest.json"]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in names]
    assert content_of(tmp_path) == hashlib.sha256("".join(lines).encode()).hexdigest()
    digests = file_digests(open_container(tmp_path))
    assert digests.keys() == set(names)
    assert content_id(dict(sorted(digests.items(), reverse=True))) == content_id(digests)


@pytest.mark.requirement("CONTAINER-1", "CONTAINER-9")
def test_every_form_has_the_same_content_id(tmp_path: Path) -> None:
    bundle = read_bundle(bundles.write(tmp_path / "x.llb"))
    forms = [copy_bundle(bundle, tmp_path / name) for name in ("y.llb", "y.zip", "y.tar.gz", "y.tgz")]
    assert {content_of(path) for path in forms} == {content_of(bundle.location)}


@pytest.mark.requirement("CONTAINER-9", "VERSION-6")
@pytest.mark.parametrize("path", ["manifest.json", "LICENSE", bundles.GRAPH])
def test_a_byte_more_is_another_content_id(tmp_path: Path, path: str) -> None:
    bundle = bundles.write(tmp_path / "x.llb")
    before = content_of(bundle)
    with (bundle / path).open("ab") as stream:
        stream.write(b"\n")
    assert content_of(bundle) != before


def test_a_file_that_vanishes_is_a_finding(tmp_path: Path) -> None:
    container = open_container(bundles.write(tmp_path / "x.llb"))
    (tmp_path / "x.llb" / "LICENSE").unlink()
    with pytest.raises(FindingError, match="LLB-X003"):
        file_digests(container)
