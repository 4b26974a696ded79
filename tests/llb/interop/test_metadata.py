"""What is missing, ambiguous or hostile in a file is a finding with its place, and all of them come."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import olll_files
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from olll_files import NAMES, document, learned, pipelines, standard_zero
from onnx import TensorProto, helper

from llb.bundle import read_bundle
from llb.interop import ImportChoices, ImportReport, import_olll
from llb.interop.olll_reading import understand
from llb_schema import FindingError, finding, has_errors

Document = dict[str, Any]
Import = Callable[..., ImportReport]


def refused(bring: Import, model: onnx.ModelProto, values: Document, **choices: Any) -> dict[str, str]:
    """The pointers of what an import finds, by code; the first of each."""
    with pytest.raises(FindingError) as error:
        bring(model, values, **choices)
    return {item.code: item.pointer for item in reversed(error.value.findings)}


def changed(**changes: Any) -> Document:
    return document() | changes


def without(*keys: str) -> Document:
    return {key: value for key, value in document().items() if key not in keys}


def inside(key: str, part: str, value: Any) -> Document:
    values = document()
    values[key][part] = value
    return values


STANDARDIZATION = document()["standardization"]
CASES: dict[str, tuple[Document, str, str]] = {
    "no OLLL at all": (without("olll_schema_version"), "LLB-F001", "/metadata/olll_schema_version"),
    "another version": (changed(olll_schema_version="1.0"), "LLB-F001", "/metadata/olll_schema_version"),
    "key missing": (without("x_max"), "LLB-F002", "/metadata/x_max"),
    "baseline missing": (without("nLLA_obs_mu0"), "LLB-F002", "/metadata/nLLA_obs_mu0"),
    "no transforms": (without("preprocessing", "run_config"), "LLB-F002", "/metadata"),
    "other inputs": (changed(input_type="signal_yields"), "LLB-F006", "/metadata/input_type"),
    "NaN": (changed(nLL_obs_mu0="NaN"), "LLB-P004", "/metadata/nLL_obs_mu0"),
    "NaN in a list": (changed(x_min="[1.0, NaN, 1.0, 1.0]"), "LLB-P004", "/metadata/x_min"),
    "infinite": (changed(nLL_obs_mu0="1e999"), "LLB-P005", "/metadata/nLL_obs_mu0"),
    "code": (changed(channels="__import__('os').system('exit 7')"), "LLB-P003", "/metadata/channels"),
    "Python literal": (changed(obs_yields="[('SRa-0', 5)]"), "LLB-P003", "/metadata/obs_yields"),
    "key twice in an object": (
        changed(channels='{"SRa": "SR", "SRa": "CR"}'),
        "LLB-P006",
        "/metadata/channels",
    ),
    "deep": (changed(channels="[" * 1000 + "]" * 1000), "LLB-P007", "/metadata/channels"),
    "null": (changed(channels="null"), "LLB-F005", "/metadata/channels"),
    "true for a number": (changed(nLL_exp_mu0="true"), "LLB-F005", "/metadata/nLL_exp_mu0"),
    "empty text": (changed(model_name="  "), "LLB-F005", "/metadata/model_name"),
    "roles": (changed(channels={"SRa": "signal"}), "LLB-F005", "/metadata/channels"),
    "roles that differ": (changed(channels=[{"SRa": "SR"}, {"SRa": "CR"}]), "LLB-F005", "/metadata/channels"),
    "yields of no pair": (changed(obs_yields=[["SRa-0"]]), "LLB-F005", "/metadata/obs_yields/0"),
    "negative yields": (changed(bkg_yields=[["SRa-0", -1.0]]), "LLB-F005", "/metadata/bkg_yields/0"),
    "object for a list": (changed(x_min={"SRa-0": 1.0}), "LLB-F005", "/metadata/x_min"),
    "short bounds": (changed(x_min=[3.0]), "LLB-F005", "/metadata/x_min"),
    "five targets": (changed(y_max=[9.0] * 5), "LLB-F005", "/metadata/y_max"),
    "all removed": (changed(remove_channels=list(olll_files.ROLES)), "LLB-F005", "/metadata/obs_yields"),
    "another order": (changed(bkg_yields=document()["bkg_yields"][::-1]), "LLB-F007", "/metadata/bkg_yields"),
    "unknown removed": (changed(remove_channels=["CRold", "X"]), "LLB-F007", "/metadata/remove_channels"),
    "bin twice": (
        changed(
            obs_yields=[*document()["obs_yields"], ["SRa-0", 5]],
        ),
        "LLB-F007",
        "/metadata/obs_yields",
    ),
    "bin of no channel": (
        changed(channels={"SRa": "SR", "SR-b": "SR", "CRold": "CR"}),
        "LLB-F007",
        "/metadata/obs_yields",
    ),
    "energy": (inside("source", "sqrt_s", -13.0), "LLB-F005", "/metadata/source/sqrt_s"),
    "no analysis": (inside("source", "analysis_id", ""), "LLB-F005", "/metadata/source/analysis_id"),
    "combine": (
        inside("source", "statistical_model", {"type": "combine"}),
        "LLB-F005",
        "/metadata/source/statistical_model/type",
    ),
    "disagreement": (
        changed(preprocessing={"features_pipeline": ["log_w_negatives"], "nLLs_pipeline": []}),
        "LLB-F008",
        "/metadata/preprocessing",
    ),
    "unknown transform": (
        document() | pipelines(["boxcox"], []),
        "LLB-F013",
        "/metadata/preprocessing/features_pipeline",
    ),
    "target's transform for features": (
        document() | pipelines(["asinh"], []),
        "LLB-F013",
        "/metadata/preprocessing/features_pipeline",
    ),
    "no list of names": (
        document() | pipelines([], [{"name": "log", "base": 10}]),
        "LLB-F005",
        "/metadata/preprocessing/nLLs_pipeline",
    ),
    "three outputs": (
        document() | pipelines([], {"per_output": [["log"]] * 3}),
        "LLB-F005",
        "/metadata/preprocessing/nLLs_pipeline/per_output",
    ),
    "asinh without scale": (
        document() | pipelines([], {"per_output": [["asinh"]] * 4}),
        "LLB-F014",
        "/metadata/standardization/asinh_scale",
    ),
    "negative scale": (
        document() | pipelines([], {"per_output": [["asinh"]] * 4, "asinh_scale": -1.0}),
        "LLB-F005",
        "/metadata/preprocessing/nLLs_pipeline/asinh_scale",
    ),
    "logit without lo": (
        document() | pipelines([], ["logit_bounded"]),
        "LLB-F014",
        "/metadata/standardization/nLLs_hi",
    ),
    "no standardization": (without("standardization"), "LLB-F014", "/metadata/standardization/features_mean"),
    "means of other bins": (
        inside("standardization", "features_mean", [[1.0] * 12]),
        "LLB-F005",
        "/metadata/standardization/features_mean",
    ),
    "no width": (
        inside("standardization", "nLLs_std", [[1.0, 1.0, 0.0, 1.0]]),
        "LLB-F005",
        "/metadata/standardization/nLLs_std",
    ),
    "bins that are no inputs": (changed(remove_channels=[]), "LLB-F015", "/metadata/obs_yields"),
    "no signal outside": (changed(x_min=[4.5, 2.0, 3.0, 36.0]), "LLB-F016", "/metadata/x_min/0"),
    "licence": (changed(model_license="free for academic use"), "LLB-F023", "/metadata/model_license"),
    "other counts": (
        changed(obs_yields=[["SRa-0", 6], *document()["obs_yields"][1:]]),
        "LLB-F022",
        "/metadata/obs_yields",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_has_a_place(name: str, bring: Import, standard: onnx.ModelProto) -> None:
    values, code, pointer = CASES[name]
    assert refused(bring, standard, values)[code] == pointer


def test_the_intact_file_is_taken(bring: Import, standard: onnx.ModelProto) -> None:
    assert bring(standard).findings == ()


def test_all_findings_come_at_once(bring: Import, standard: onnx.ModelProto) -> None:
    values = changed(x_min="nonsense", model_license="?", nLL_obs_mu0="NaN", input_type="x")
    values.pop("source")
    found = refused(bring, standard, values, signal_uncertainty=None)
    assert {"LLB-P003", "LLB-P004", "LLB-F002", "LLB-F006", "LLB-F023", "LLB-F024"} == set(found)


def test_nothing_is_evaluated(bring: Import, standard: onnx.ModelProto, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f"__import__('pathlib').Path({str(trace)!r}).touch()"
    keys = ("channels", "remove_channels", "obs_yields", "bkg_yields", "standardization", "run_config")
    refused(bring, standard, changed(**dict.fromkeys(keys, code)))
    assert not trace.exists()
    assert "yaml" not in {name for name in sys.modules if name.startswith("llb")}


@pytest.mark.parametrize(("value", "code"), [("[]", "LLB-F003"), (None, "LLB-F004")])
def test_keys_that_are_there_twice(
    value: str | None, code: str, standard: onnx.ModelProto, tmp_path: Path
) -> None:
    pairs = olll_files.texts(document())
    pairs.append(("bkg_yields", dict(pairs)["bkg_yields"] if value is None else value))
    path = tmp_path / "model.onnx"
    path.write_bytes(olll_files.with_metadata(standard, pairs).SerializeToString())
    choices = ImportChoices(signal_uncertainty=0.0, floor_asimov=True)
    if value is None:
        report = import_olll(path, tmp_path / "x.llb", facts=olll_files.facts(), choices=choices)
        found = report.findings
    else:
        with pytest.raises(FindingError) as error:
            import_olll(path, tmp_path / "x.llb", facts=olll_files.facts(), choices=choices)
        found = error.value.findings
    assert [(item.code, item.pointer) for item in found] == [(code, "/metadata/bkg_yields")]


def test_thousands_of_keys_twice_are_some_findings(standard: onnx.ModelProto, tmp_path: Path) -> None:
    pairs = [(f"key{number}", str(side)) for side in range(2) for number in range(3000)]
    path = tmp_path / "model.onnx"
    path.write_bytes(
        olll_files.with_metadata(standard, olll_files.texts(document()) + pairs).SerializeToString()
    )
    with pytest.raises(FindingError) as error:
        import_olll(path, tmp_path / "x.llb", facts=olll_files.facts())
    assert len(error.value.findings) < 50


def test_metadata_that_are_no_text(standard: onnx.ModelProto, tmp_path: Path) -> None:
    data = olll_files.with_metadata(standard, olll_files.texts(document())).SerializeToString()
    assert data.count(b"Ada Example") == 1
    path = tmp_path / "model.onnx"
    path.write_bytes(data.replace(b"Ada Example", b"\xff\xfe\xfd Example"))
    with pytest.raises(FindingError):
        import_olll(path, tmp_path / "x.llb")


def test_keys_that_a_bundle_does_not_need(bring: Import, standard: onnx.ModelProto) -> None:
    report = bring(standard, without("bkg_unc", "nLL_obs_max", "y_min"))
    assert [(item.code, item.pointer) for item in report.findings] == [
        ("LLB-F010", "/metadata/bkg_unc"),
        ("LLB-F010", "/metadata/nLL_obs_max"),
        ("LLB-F010", "/metadata/y_min"),
    ]


def test_a_configuration_in_yaml(bring: Import, standard: onnx.ModelProto) -> None:
    text = "data:\n  trafos:\n    fvs_standardized: [log_w_negatives, standardization]\n"
    values = changed(run_config=text)
    assert [item.code for item in bring(standard, values).findings] == ["LLB-F012"]
    del values["preprocessing"]
    assert refused(bring, standard, values) == {"LLB-F011": "/metadata/run_config"}
    given = document()["run_config"]
    assert bring(standard, values, run_config=given).findings == ()


def test_a_configuration_without_transforms(bring: Import, standard: onnx.ModelProto) -> None:
    # The example of the standard's own template.
    values = changed(run_config={"seed": 42, "batch_size": 1024})
    assert bring(standard, values).findings == ()
    del values["preprocessing"]
    assert refused(bring, standard, values) == {"LLB-F005": "/metadata/run_config"}


def test_the_configuration_alone_is_enough(bring: Import, standard: onnx.ModelProto) -> None:
    assert bring(standard, without("preprocessing")).findings == ()


def test_a_disagreement_is_for_the_user_to_decide(bring: Import) -> None:
    values = changed(preprocessing={"features_pipeline": ["standardization"], "nLLs_pipeline": []})
    described = (olll_files.np.array(olll_files.OFFSET) - olll_files.FEATURE_MEAN) / olll_files.FEATURE_STD
    plain = learned(at=described, strength=0.05)
    whole = learned(target=standard_zero())
    assert max(map(abs, bring(plain, values, transforms="preprocessing").closure.values())) < 1e-5
    assert max(map(abs, bring(whole, values, transforms="run_config").closure.values())) < 1e-5
    assert "LLB-F019" in refused(bring, plain, values, transforms="run_config")


@pytest.mark.parametrize("shape", ["map", "list", "one map each", "objects of several files"])
def test_channels_in_all_shapes(shape: str, bring: Import, standard: onnx.ModelProto) -> None:
    roles = olll_files.ROLES
    shapes: dict[str, Any] = {
        "map": roles,
        "list": [roles],
        "one map each": [{name: role} for name, role in roles.items()],
        "objects of several files": [roles, dict(list(roles.items())[:2])],
    }
    report = bring(standard, changed(channels=shapes[shape]))
    manifest = read_bundle(report.path).manifest
    assert [(item.id, item.role) for item in manifest.bins] == [
        (name, "CR" if name.startswith("CR") else "SR") for name in olll_files.IDS
    ]


def test_a_bin_with_the_name_of_its_channel(bring: Import, standard: onnx.ModelProto) -> None:
    values = json.loads(json.dumps(document()).replace("SRa-0", "SRa"))
    assert read_bundle(bring(standard, values).path).manifest.bin_ids == olll_files.IDS


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (learned(outputs=4), "LLB-F009"),
        (learned(inputs=3, at=(0.0,) * 3), "LLB-F015"),
        (learned(activation="Mish", opset=18), "LLB-G003"),
        (learned(opset=16), "LLB-G004"),
    ],
    ids=["four outputs", "three inputs", "operator", "opset"],
)
def test_networks_that_are_none(model: onnx.ModelProto, code: str, bring: Import) -> None:
    assert code in refused(bring, model, document())


def test_too_many_operators_to_rewrite(standard: onnx.ModelProto, bring: Import) -> None:
    chain = ["features", *(f"e{number}" for number in range(1000))]
    pairs = pairwise(chain)
    standard.graph.node.extend(helper.make_node("Erf", [a], [b]) for a, b in pairs)
    assert refused(bring, standard, document()) == {"LLB-G008": "model.onnx"}


def test_two_inputs(standard: onnx.ModelProto, bring: Import) -> None:
    standard.graph.input.append(helper.make_tensor_value_info("type_token", TensorProto.FLOAT, ["batch", 4]))
    assert refused(bring, standard, document()) == {"LLB-F009": "model.onnx"}


def test_weights_in_another_file(standard: onnx.ModelProto, bring: Import, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * 256)
    tensor = standard.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    assert set(refused(bring, standard, document())) == {"LLB-G006"}


def test_weights_that_are_nan(standard: onnx.ModelProto, bring: Import) -> None:
    tensor = standard.graph.initializer[0]
    tensor.raw_data = b"\xff" * len(tensor.raw_data)
    assert set(refused(bring, standard, document())) == {"LLB-G014"}


SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=False) | st.text(max_size=8)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*NAMES, "SRa"]), inner, max_size=3)
    ),
    max_leaves=8,
)
FILE = olll_files.with_metadata(learned(target=standard_zero()), []).SerializeToString()


@settings(max_examples=300, deadline=None)
@given(key=st.sampled_from([*document(), "llb", "signal_unc"]), value=ANYTHING | st.text(max_size=30))
def test_any_value_of_any_key_ends_in_findings(key: str, value: Any) -> None:
    model = onnx.load_model_from_string(FILE)
    data = olll_files.with_metadata(model, olll_files.texts(document() | {key: value})).SerializeToString()
    choices = ImportChoices(signal_uncertainty=0.0)
    try:
        found = understand(data, "model.onnx", olll_files.facts(), choices).warnings
    except FindingError as error:
        refusal = error.findings
    else:
        refusal = ()
        assert not has_errors(found)
    assert refusal == () or has_errors(refusal)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08" * 40])
def test_files_that_are_no_model(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(FindingError) as error:
        import_olll(path, tmp_path / "x.llb")
    assert {item.code for item in error.value.findings} <= {"LLB-G001", "LLB-G002"}
    assert not (tmp_path / "x.llb").exists()


def test_a_teacher_and_a_signal_model_have_to_be_known(standard: onnx.ModelProto, tmp_path: Path) -> None:
    path = olll_files.write(tmp_path, standard)
    with pytest.raises(FindingError) as error:
        import_olll(path, tmp_path / "x.llb")
    found = {item.code: item for item in error.value.findings}
    assert set(found) == {"LLB-F021", "LLB-F024"}
    # Where the model lies is in the file.
    assert "BkgOnly.json" in found["LLB-F021"].hint
    assert "hepdata.12345" in found["LLB-F021"].hint


def test_a_signal_uncertainty_of_the_file(bring: Import, standard: onnx.ModelProto) -> None:
    report = bring(standard, changed(signal_unc="0.22"), signal_uncertainty=None)
    assert read_bundle(report.path).manifest.signal_model.relative_uncertainty == 0.22


def test_every_code_has_a_test() -> None:
    from llb_schema import catalogue

    texts = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    missing = [code for code in catalogue() if code.startswith("LLB-F") and f'"{code}"' not in texts]
    assert missing == []
    assert finding("LLB-F001").severity == "error"
