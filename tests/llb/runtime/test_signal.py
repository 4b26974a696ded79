from __future__ import annotations

import json
from pathlib import Path

import bundles
import numpy as np
import pytest

from llb.runtime import ProfileLikelihood, load, read_signals
from llb_conformance import counting_model, write_quadratic
from llb_schema import FindingError, catalogue

GOOD = {"SRlow": 1.0, "SRhigh[0]": 2.0, "SRhigh[1]": 3.0}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    return load(write_quadratic(counting_model(), tmp_path_factory.mktemp("signal") / "toy.llb"))


def codes(error: pytest.ExceptionInfo[FindingError]) -> list[str]:
    return [item.code for item in error.value.findings]


@pytest.mark.requirement("INPUT-1", "INPUT-2")
def test_yields_go_to_their_columns_by_name(model: ProfileLikelihood) -> None:
    assert model.bin_ids == ("SRlow[0]", "SRhigh[0]", "SRhigh[1]", "CR[0]")
    reordered = {"CR[0]": 4, "SRhigh[1]": np.float32(3.0), "SRlow[0]": 1.0, "SRhigh[0]": 2.0}
    np.testing.assert_array_equal(model.signal(reordered), [1.0, 2.0, 3.0, 4.0])


@pytest.mark.requirement("INPUT-1", "INPUT-2")
def test_bare_channel_names_stand_for_one_bin_channels_and_optional_bins_may_be_absent(
    model: ProfileLikelihood,
) -> None:
    np.testing.assert_array_equal(model.signal(GOOD), [1.0, 2.0, 3.0, 0.0])


def test_a_bare_name_of_a_longer_channel_is_unknown(model: ProfileLikelihood) -> None:
    with pytest.raises(FindingError) as error:
        model.signal({"SRlow": 1.0, "SRhigh": 2.0})
    assert codes(error) == ["LLB-Y001", "LLB-Y002"]


def test_a_channel_that_is_longer_in_the_teacher_has_no_bare_name(tmp_path: Path) -> None:
    bundle = write_quadratic(counting_model(), tmp_path / "toy.llb")
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["teacher"]["channels"][0]["bins"] = 3
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FindingError, match="LLB-Y001"):
        load(bundle).signal(GOOD)


@pytest.mark.requirement("INPUT-2")
def test_every_fault_is_reported_at_once(model: ProfileLikelihood) -> None:
    with pytest.raises(FindingError) as error:
        model.signal({"SRlow": 1.0, "SRlow[0]": 1.0, "SRhigh[0]": float("nan"), "elsewhere": 2.0})
    assert sorted(codes(error)) == ["LLB-Y001", "LLB-Y002", "LLB-Y003", "LLB-Y004"]
    assert "SRhigh[1]" in str(error.value)
    assert "elsewhere" in str(error.value)


@pytest.mark.requirement("INPUT-2")
@pytest.mark.parametrize("value", [float("inf"), "3.0", None, True, [1.0], 1j])
def test_only_finite_numbers_are_yields(model: ProfileLikelihood, value: object) -> None:
    with pytest.raises(FindingError) as error:
        model.signal(GOOD | {"SRlow": value})  # type: ignore[dict-item]
    assert codes(error) == ["LLB-Y004"]


@pytest.mark.requirement("INPUT-3")
def test_arrays_need_exactly_the_right_length(model: ProfileLikelihood) -> None:
    np.testing.assert_array_equal(model.signal([1, 2, 3, 4]), [1.0, 2.0, 3.0, 4.0])
    for wrong in ([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0, 4.0]], 3.0):
        with pytest.raises(FindingError) as error:
            model.signal(wrong)  # type: ignore[arg-type]
        assert codes(error) == ["LLB-Y005"]
    with pytest.raises(FindingError) as error:
        model.signal([1.0, np.nan, 3.0, 4.0])
    assert "SRhigh[0]" in str(error.value)


def test_json_of_one_signal_is_named_after_its_file(model: ProfileLikelihood, tmp_path: Path) -> None:
    path = tmp_path / "stau.json"
    path.write_text(json.dumps(GOOD))
    signals = read_signals(path, model)
    assert signals.names == ("stau",)
    np.testing.assert_array_equal(signals.yields, [[1.0, 2.0, 3.0, 0.0]])


def test_json_and_csv_of_many_signals_agree(model: ProfileLikelihood, tmp_path: Path) -> None:
    many = {"a": GOOD, "b": {"SRlow": 0.1, "SRhigh[0]": 0.0, "SRhigh[1]": 1e-3, "CR": 7}}
    (tmp_path / "s.json").write_text(json.dumps(many))
    rows = [f"{value},{name},{key}" for name, yields in many.items() for key, value in yields.items()]
    (tmp_path / "s.csv").write_text("\n".join(["yield,name,bin", *rows, ""]))
    one, other = (read_signals(tmp_path / name, model) for name in ("s.json", "s.csv"))
    assert one.names == other.names == ("a", "b")
    np.testing.assert_array_equal(one.yields, other.yields)
    assert one.yields[1, 3] == 7.0


def test_faults_of_all_signals_are_reported_together(model: ProfileLikelihood, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("name,bin,yield\na,SRlow,1\na,SRhigh[0],x\na,SRhigh[1],2\nb,SRlow,1\n")
    with pytest.raises(FindingError) as error:
        read_signals(path, model)
    assert codes(error) == ["LLB-Y004", "LLB-Y002"]
    assert error.value.findings[0].pointer.endswith("a")
    assert error.value.findings[1].pointer.endswith("b")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("s.json", "[1, 2, 3, 4]", "LLB-Y006"),
        ("s.json", '{"a": {"SRlow": 1}, "SRlow": 2}', "LLB-Y006"),
        ("s.json", '{"SRlow": NaN}', "LLB-P004"),
        ("s.json", '{"SRlow": 1, "SRlow": 2}', "LLB-P006"),
        ("s.json", "{}", "LLB-Y007"),
        ("s.json", '{"a": {}}', "LLB-Y007"),
        ("s.csv", "", "LLB-Y006"),
        ("s.csv", "name,bin\na,SRlow\n", "LLB-Y006"),
        ("s.csv", "name,bin,yield\n", "LLB-Y007"),
        ("s.csv", "name,bin,yield\na,SRlow\n", "LLB-Y006"),
        ("s.csv", "name,bin,yield\na,SRlow,1\na,SRlow,2\n", "LLB-Y003"),
    ],
)
def test_files_that_are_no_signal_files(
    model: ProfileLikelihood, tmp_path: Path, name: str, content: str, code: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FindingError) as error:
        read_signals(tmp_path / name, model)
    assert codes(error)[0] == code


def test_the_zero_signal_only_where_it_is_asked_for(model: ProfileLikelihood, tmp_path: Path) -> None:
    path = tmp_path / "nothing.json"
    path.write_text("{}")
    np.testing.assert_array_equal(read_signals(path, model, allow_zero=True).yields, np.zeros((1, 4)))
    path.write_text(json.dumps({"a": {}, "b": GOOD}))
    with pytest.raises(FindingError, match="LLB-Y002"):
        read_signals(path, model)


def test_a_missing_file_is_a_finding(model: ProfileLikelihood, tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="LLB-X003"):
        read_signals(tmp_path / "none.json", model)


@pytest.mark.parametrize("number", range(1, 5))
def test_the_example_of_the_catalogue_ends_in_its_finding(number: int, tmp_path: Path) -> None:
    code = f"LLB-Y{number:03}"
    path = tmp_path / "signal.json"
    path.write_text(catalogue()[code].example.partition(", where")[0])
    with pytest.raises(FindingError) as error:
        read_signals(path, load(bundles.write(tmp_path / "x.llb")))
    assert code in codes(error)
