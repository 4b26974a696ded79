from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest

from llb.cli.limit_table import with_error
from llb.cli.main import main
from llb_conformance import counting_model, pyhf_digest, write_quadratic

EXACT = counting_model()
SIGNAL = {"SRlow": 3.0, "SRhigh[0]": 3.0, "SRhigh[1]": 3.0, "CR": 0.0}


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_quadratic(EXACT, tmp_path / "toy.llb"))


@pytest.fixture
def signal(tmp_path: Path) -> str:
    path = tmp_path / "yields.json"
    path.write_text(json.dumps({"good": SIGNAL, "none": dict.fromkeys(SIGNAL, 0.0)}))
    return str(path)


def llb(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    return int(left.value.code or 0)


def test_limits_in_json(bundle: str, signal: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert llb("limit", bundle, "--signal", signal, "--format", "json", "--mu", "1.5", "--level", "0.9") == 0
    out, err = capsys.readouterr()
    good, none = json.loads(out, parse_constant=pytest.fail)
    exact = EXACT.exact([3.0, 3.0, 3.0, 0.0], mu=1.5, level=0.9)
    assert good["name"] == "good"
    assert good["cls_observed"] == pytest.approx(exact.cls_observed, rel=1e-7)
    assert good["upper_limit_observed"] == pytest.approx(exact.upper_limit_observed, rel=1e-7)
    assert good["upper_limit_expected"] == pytest.approx(exact.upper_limit_expected, rel=1e-7)
    assert good["upper_limit_apriori"] == pytest.approx(exact.upper_limit_apriori, rel=1e-7)
    assert (good["in_domain"], good["flags"]) == (True, [])
    assert none["upper_limit_observed"] is None
    assert none["upper_limit_expected"] == [None] * 5
    assert "no_limit:upper_limit_observed" in none["flags"]
    assert none["cls_observed"] == 1.0
    assert err == ""


def test_limits_as_a_table(bundle: str, signal: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert llb("limit", bundle, "--signal", signal) == 0
    lines = capsys.readouterr().out.splitlines()
    exact = EXACT.exact([3.0, 3.0, 3.0, 0.0])
    row = next(line for line in lines if line.startswith("good"))
    assert f"{exact.upper_limit_observed:.4g}" in row
    assert "inf" in next(line for line in lines if line.startswith("none"))


def test_limits_of_a_patchset_warn_on_stderr_only(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    modifiers = [{"name": "mu_SIG", "type": "normfactor"}, {"name": "x", "type": "normsys"}]
    sample = {"name": "signal", "data": [3.0], "modifiers": modifiers}
    patch = {
        "metadata": {"name": "p"},
        "patch": [{"op": "add", "path": "/channels/0/samples/0", "value": sample}],
    }
    path = tmp_path / "patchset.json"
    path.write_text(json.dumps({"metadata": {"digests": {"sha256": pyhf_digest(EXACT)}}, "patches": [patch]}))
    assert llb("limit", bundle, "--patchset", str(path), "--format", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)[0]["cls_observed"] == pytest.approx(
        EXACT.exact([3.0, 0.0, 0.0, 0.0]).cls_observed, rel=1e-7
    )
    assert "LLB-Y018" in err
    assert "normsys (1)" in err


def test_numbers_from_beyond_the_domain_are_marked(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "strong.json"
    path.write_text(json.dumps({"SRlow": 30.0, "SRhigh[0]": 30.0, "SRhigh[1]": 30.0}))
    assert llb("limit", bundle, "--signal", str(path)) == 0
    out, err = capsys.readouterr()
    assert "*" in out.splitlines()[-1]
    assert "LLB-L004" in err


def test_a_signal_without_an_answer_fails_with_code_1(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "negative.json"
    path.write_text(json.dumps({"a": SIGNAL, "b": SIGNAL | {"SRlow": -1.0}}))
    assert llb("limit", bundle, "--signal", str(path), "--format", "json") == 1
    out, err = capsys.readouterr()
    good, bad = json.loads(out)
    assert good["in_domain"]
    assert bad["cls_observed"] is None
    assert not bad["in_domain"]
    assert "LLB-L001" in err


def test_eval_gives_the_numbers_of_the_graph(
    bundle: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert llb("eval", bundle, "--signal", signal, "--mu", "0.5", "--mu", "40", "--format", "json") == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert [(row["name"], row["mu"], row["in_domain"]) for row in rows] == [
        ("good", 0.5, True),
        ("none", 0.5, True),
        ("good", 40.0, False),
        ("none", 40.0, True),
    ]
    expected = float(EXACT.curve("observed").delta([1.5, 1.5, 1.5, 0.0]))
    assert rows[0]["delta_nll_observed"] == pytest.approx(expected, rel=1e-9)
    assert rows[0]["nll_observed"] == pytest.approx(20.0 + expected, rel=1e-9)
    assert rows[1]["delta_nll_observed"] == 0.0
    assert "LLB-L004" in err


def test_eval_in_csv_and_text_say_the_same(
    bundle: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert llb("eval", bundle, "--signal", signal, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert llb("eval", bundle, "--signal", signal) == 0
    text = capsys.readouterr().out
    assert f"{float(rows[0]['delta_nll_observed']):.6f}" in text
    assert math.isclose(float(rows[0]["nll_apriori"]) - float(rows[0]["delta_nll_apriori"]), 23.0)


def test_eval_takes_the_zero_signal_and_limit_does_not(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "zero.json"
    path.write_text("{}")
    assert llb("eval", bundle, "--signal", str(path)) == 0
    assert llb("limit", bundle, "--signal", str(path)) == 2
    assert "LLB-Y007" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("limit", "BUNDLE"),
        ("limit", "BUNDLE", "--signal", "S", "--patchset", "S"),
        ("limit", "BUNDLE", "--signal", "S", "--mu", "0"),
        ("limit", "BUNDLE", "--signal", "S", "--mu", "nan"),
        ("limit", "BUNDLE", "--signal", "S", "--mu", "inf"),
        ("limit", "BUNDLE", "--signal", "S", "--level", "1"),
        ("limit", "BUNDLE", "--signal", "S", "--level", "nan"),
        ("limit", "BUNDLE", "--signal", "/dev/zero"),
        ("limit", "BUNDLE", "--patchset", "/dev/zero"),
        ("limit", "BUNDLE", "--signal", "/"),
        ("eval", "BUNDLE", "--signal", "a\0b"),
        ("eval", "BUNDLE", "--signal", "S", "--mu", "nan"),
        ("eval", "BUNDLE"),
        ("limit", "missing.llb", "--signal", "S"),
        ("limit", "BUNDLE", "--signal", "missing.json"),
    ],
)
def test_unusable_input_is_one_line_and_code_2(
    arguments: tuple[str, ...], bundle: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"BUNDLE": bundle, "S": signal}
    assert llb(*(names.get(item, item) for item in arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("[LLB-")


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("a.json", b"", "LLB-P003", "line 1"),
        ("a.json", b"\xff\x00", "LLB-P001", "UTF-8"),
        ("a.json", b'{"": {"SRlow[0]": 1}}', "LLB-Y006", "an empty name"),
        ("a.csv", b"", "LLB-Y006", "expected name,bin,yield"),
        ("a.csv", b"name,bin,yield\n\xe9,SRlow[0],1\n", "LLB-Y006", "can't decode byte 0xe9"),
        ("a.csv", b"name;bin;yield\n", "LLB-Y006", "got name;bin;yield"),
        ("a.csv", b'name,bin,yield\n"a"b,SRlow[0],1\n', "LLB-Y006", "expected after"),
        ("a.csv", b"name,bin,yield\na,SRlow[0]\n", "LLB-Y006", "got 2 columns"),
        ("a.csv", b"name,bin,yield\na,CR,1_0\n", "LLB-Y004", "got '1_0'"),
        ("a.csv", "name,bin,yield\na,CR,\u0663\n".encode(), "LLB-Y004", "got '\u0663'"),
        ("a.csv", b"name,bin,yield\na,CR,1\na,CR,1\n", "LLB-Y003", "row 3"),
    ],
)
def test_a_bad_signal_file_says_what_is_wrong_with_it(
    name: str,
    content: bytes,
    code: str,
    words: str,
    bundle: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for command in ("limit", "eval"):
        assert llb(command, bundle, "--signal", str(path), "--format", "json") == 2
        out, err = capsys.readouterr()
        assert out == ""
        first = next(line for line in err.splitlines() if line.startswith(f"[{code}]"))
        assert words in first


def test_thousands_of_faults_are_a_page_of_lines(
    bundle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,bin,yield\n" + "a,CR,1\n" * 200_000)
    assert llb("limit", bundle, "--signal", str(path)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert "LLB-S016" in lines[-1]


def test_extreme_strengths_write_no_warnings_of_the_machinery(
    bundle: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert llb("limit", bundle, "--signal", signal, "--mu", "1e308", "--format", "json") == 0
    json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert llb("eval", bundle, "--signal", signal, "--mu", "1e308", "--mu=-1e308", "--format", "json") == 0
    out, err = capsys.readouterr()
    assert [row["in_domain"] for row in json.loads(out, parse_constant=pytest.fail)] == [False, True] * 2
    assert err.startswith("warning: [LLB-L004] 2 of 4 points")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("command", ["eval", "limit"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert llb(command, "--help") == 0
    assert f"llb {command} stau.llb --signal yields.json" in capsys.readouterr().out


def test_a_stated_error_is_shown_beside_the_numbers(
    tmp_path: Path, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = EXACT.with_spread(observed=1e-3, observed_asimov=1e-3, apriori=1e-3)
    bundle = str(write_quadratic(exact, tmp_path / "stated.llb"))
    assert llb("limit", bundle, "--signal", signal, "--format", "json") == 0
    good, none = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert 0.0 < good["upper_limit_observed_error"] < 0.1
    assert len(good["upper_limit_apriori_error"]) == len(good["cls_expected_error"]) == 5
    assert (none["cls_observed_error"], none["upper_limit_observed_error"]) == (0.0, None)
    assert llb("limit", bundle, "--signal", signal) == 0
    _, head, *rows = capsys.readouterr().out.splitlines()
    shown = with_error(good["upper_limit_observed"], good["upper_limit_observed_error"])
    assert "±" in shown
    assert shown in rows[0]
    assert rows[0].index(shown) + len(shown) == head.index("UL obs") + len("UL obs")


def test_without_a_stated_error_there_is_none(
    bundle: str, signal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert llb("limit", bundle, "--signal", signal, "--format", "json") == 0
    good, _ = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert good["cls_observed_error"] is None
    assert good["upper_limit_expected_error"] == [None] * 5
    assert llb("limit", bundle, "--signal", signal) == 0
    assert "±" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.92531, 0.00123, "0.925 ± 0.001"),
        (0.92531, 0.0096, "0.93 ± 0.01"),
        (12.3456, 0.21, "12.3 ± 0.2"),
        (1234.5, 3.0, "1234 ± 3"),
        (0.92531, 1e-7, "0.9253"),
        (0.92531, 0.0, "0.9253"),
        (0.92531, math.nan, "0.9253"),
        (1.2e-9, 3e-10, "1.2e-09 ± 3e-10"),
        (math.inf, math.nan, "inf"),
        (math.nan, math.nan, "-"),
        (0.5, 3.0, "0.5 ± 3"),
    ],
)
def test_numbers_end_where_their_error_begins(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text
