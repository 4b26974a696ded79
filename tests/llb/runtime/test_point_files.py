"""Files of points: JSON and CSV, and what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import pytest

from llb.runtime import Density, load_density, read_points
from llb_conformance.gaussian import conditional_model, mixed_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import FindingError

ONE = '{"mu": 1.0, "rate": 7.0, "alpha": 0.25, "mass": 125.0}'
HEADER = "name,mass,mu,rate,alpha\n"


@pytest.fixture(scope="module")
def density(tmp_path_factory: pytest.TempPathFactory) -> Density:
    return load_density(write_gaussian(mixed_model(), tmp_path_factory.mktemp("density") / "mixed.llb"))


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


GOOD = {
    "one.json": ONE,
    "two.json": f'{{"a": {ONE}, "b": {ONE}}}',
    "two.csv": f"{HEADER}a,125.0,1,7,0.25\nb,125,1.0,7e0,0.25\n",
    "nameless.csv": "mu,rate,alpha,mass\n1,7,0.25,125\n",
}
NAMES = {"one.json": ["one"], "two.json": ["a", "b"], "two.csv": ["a", "b"], "nameless.csv": ["point-1"]}


@pytest.mark.parametrize("name", GOOD)
def test_points_are_read_by_name(density: Density, tmp_path: Path, name: str) -> None:
    table = read_points(written(tmp_path, name, GOOD[name]), density)
    assert list(table.names) == NAMES[name]
    assert table.points.tolist() == [[1.0, 7.0, 0.25, 125.0]] * len(NAMES[name])
    assert table.conditions is None


BAD = {
    "list.json": ("[1, 2]", "LLB-Y107"),
    "empty.json": ("{}", "LLB-Y102"),
    "mixture.json": (f'{{"a": {ONE}, "mu": 1}}', "LLB-Y107"),
    "text.json": (ONE.replace("1.0", '"1.0"', 1), "LLB-Y103"),
    "null.json": (ONE.replace("1.0", "null", 1), "LLB-Y103"),
    "true.json": (ONE.replace("1.0", "true", 1), "LLB-Y103"),
    "unknown.json": (ONE.replace("mu", "nu"), "LLB-Y101"),
    "broken.json": ("{", "LLB-P003"),
    "empty.csv": ("", "LLB-Y107"),
    "header.csv": (HEADER, "LLB-Y107"),
    "short.csv": (f"{HEADER}a,1,2\n", "LLB-Y107"),
    "twice.csv": ("mu,mu\n1,2\n", "LLB-Y107"),
    "word.csv": (f"{HEADER}a,125.0,one,7,0.25\n", "LLB-Y103"),
    "numbers.csv": ("1,2,3,4\n5,6,7,8\n", "LLB-Y101"),
}


@pytest.mark.parametrize("name", BAD)
def test_other_files_end_in_findings(density: Density, tmp_path: Path, name: str) -> None:
    text, code = BAD[name]
    with pytest.raises(FindingError) as caught:
        read_points(written(tmp_path, name, text), density)
    assert code in {item.code for item in caught.value.findings}
    assert all(str(tmp_path) in item.pointer for item in caught.value.findings)


@pytest.mark.requirement("DENSITY-7")
def test_conditions_stand_beside_the_parameters(tmp_path: Path) -> None:
    density = load_density(write_gaussian(conditional_model(), tmp_path / "c.llb"))
    text = "x1,mu,rate,alpha,mass,x0\n0.5,1,7,0.25,125,-0.5\n"
    table = read_points(written(tmp_path, "a.csv", text), density)
    assert table.conditions is not None
    assert (table.points.tolist(), table.conditions.tolist()) == ([[1.0, 7.0, 0.25, 125.0]], [[-0.5, 0.5]])
    with pytest.raises(FindingError, match="LLB-Y105"):
        read_points(written(tmp_path, "b.json", ONE), density)
