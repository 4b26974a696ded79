from __future__ import annotations

import json
from pathlib import Path

import bundles
import pytest
from commands import run

from llb.bundle import BundleFile, content_id, copy_bundle, file_digests, open_container, read_bundle
from llb_conformance import parabola_model, write_quadratic


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    def change(document: dict[str, object]) -> None:
        document["title"] = "\x1b[2J\u202e" + "new " * 50

    notes = BundleFile(b"x", "provenance", "text/plain")
    return bundles.write(tmp_path / "y.llb", change, {"notes.txt": notes})


def test_the_same_in_another_form(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = copy_bundle(read_bundle(bundle), bundle.with_suffix(".zip"))
    code, out, err = run(capsys, "diff", bundle, archive)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "The bundles are the same."
    code, out, err = run(capsys, "diff", bundle, archive, "--format", "json")
    assert (code, err) == (0, "")
    expected = content_id(file_digests(open_container(bundle)))
    about = {"id": "three-bins", "version": "1.0.0", "content_id": expected}
    assert json.loads(out) == {
        "same": True,
        "bundles": [{"path": str(bundle), **about}, {"path": str(archive), **about}],
        "manifest": [],
        "files": [],
    }


def test_what_differs_for_people(bundle: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "diff", bundle, other)
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert [line[0] for line in lines[:2]] == ["A", "B"]
    assert [line.split()[:3] for line in lines[2:-1]] == [
        ["manifest", "changed", "/title:"],
        ["file", "changed", "README.md:"],
        ["file", "added", "notes.txt:"],
    ]
    assert not {"\x1b", "\u202e"} & set(out)
    assert "new" in lines[2]
    assert lines[2].endswith("...")
    assert lines[-1] == "The bundles differ. Values of the manifest: 1; files: 2."


def test_both_formats_say_the_same(bundle: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "diff", bundle, other, "--format", "json", "--numerics")
    assert (code, err) == (1, "")
    document = json.loads(out)
    assert document["same"] is False
    assert [(item["pointer"], item["kind"]) for item in document["manifest"]] == [("/title", "changed")]
    # Nothing is cut short for programs.
    assert document["manifest"][0]["second"] == "\x1b[2J\u202e" + "new " * 50
    assert [item["path"] for item in document["files"]] == ["README.md", "notes.txt"]
    assert document["numerics"]["cases"] == 6
    assert [item["largest"] for item in document["numerics"]["curves"]] == [0.0] * 4
    code, out, err = run(capsys, "diff", bundle, other, "--numerics")
    assert (code, err) == (1, "")
    assert "largest difference of Delta NLL at the 6 test vectors of A:" in out.splitlines()
    assert all(any(line.split()[:2] == [name, "0"] for line in out.splitlines()) for name in bundles.CURVES)


def test_a_number_that_is_none_is_null(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = bundles.graph_model()
    # The logarithm of a negative number.
    for tensor in model.graph.initializer:
        if tensor.name == "one":
            tensor.CopyFrom(bundles.numpy_helper.from_array(bundles.np.array(-100.0), "one"))
    graph = BundleFile(model.SerializeToString(), "graph", "application/octet-stream")
    broken = bundles.write(bundle.parent / "y.llb", replace={bundles.GRAPH: graph})
    code, out, err = run(capsys, "diff", bundle, broken, "--numerics", "--format", "json")
    assert (code, err) == (1, "")
    for item in json.loads(out)["numerics"]["curves"]:
        assert (item["largest"], item["second"]) == (None, None)
        assert isinstance(item["first"], float)
    code, out, _ = run(capsys, "diff", bundle, broken, "--numerics")
    assert code == 1
    assert "inf at zero: 0 -> nan" in out


def test_a_manifest_that_is_written_differently(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = bundles.write(bundle.parent / "y.llb")
    bundles.reseal(second, lambda document: document["files"].reverse())
    code, out, _ = run(capsys, "diff", bundle, second)
    assert code == 1
    assert out.splitlines()[-1].endswith("the same values, written differently.")


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize(
    ("name", "found"),
    [("nothing", "LLB-A001"), ("x.llb/LICENSE", "LLB-A001"), ("empty", "LLB-A010"), ("short", "LLB-I003")],
)
def test_what_is_no_bundle_is_one_line(
    bundle: Path, name: str, found: str, second: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle.parent / "empty").mkdir()
    (bundles.write(bundle.parent / "short") / "LICENSE").unlink()
    pair = [bundle, bundle.parent / name]
    code, out, err = run(capsys, "diff", *(pair if second else reversed(pair)), "--format", "json")
    assert (code, out) == (2, "")
    assert err.startswith(f"[{found}]")
    assert err.count("\n") == 1


def test_numbers_of_other_bins_cannot_be_compared(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = write_quadratic(parabola_model(), bundle.parent / "y.llb")
    assert run(capsys, "diff", bundle, other)[0] == 1
    code, out, err = run(capsys, "diff", bundle, other, "--numerics")
    assert (code, out) == (2, "")
    assert err.startswith("[LLB-Y001]")
