"""Numbers, links and drawings of a page by themselves."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llb.bundle import Reference
from llb.evaluation import Comparison, error_figure
from llb.report.links import license_link, reference_link
from llb.report.numbers import interval, number, percent
from llb.report.svg import inline_svg


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, 2, "0"),
        (0.00123, 2, "0.0012"),
        (0.000123, 2, "1.2×10⁻⁴"),
        (-12.345, 3, "−12.3"),
        (0.999, 2, "1.0"),
        (2.5e7, 2, "2.5×10⁷"),
        (math.inf, 2, "∞"),
        (math.nan, 2, "–"),
    ],
)
def test_numbers_are_set_as_in_print(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 8))
def test_a_number_says_what_it_is(value: float, digits: int) -> None:
    text = number(value, digits).replace("−", "-")
    plain = re.sub(
        "×10(.*)", lambda found: f"e{found[1].translate(str.maketrans('⁻⁰¹²³⁴⁵⁶⁷⁸⁹', '-0123456789'))}", text
    )
    assert float(plain) == pytest.approx(value, rel=10.0 ** (1 - digits))


def test_zero_has_no_sign() -> None:
    assert percent(-1e-9, 2) == "0.00 %"
    assert percent(-0.0123) == "−1.2 %"
    assert interval(-0.25, 1500.0) == "−0.25 to 1500"


@pytest.mark.parametrize(
    ("kind", "value", "link"),
    [
        ("doi", "10.1007/JHEP05(2020)1", "https://doi.org/10.1007/JHEP05(2020)1"),
        ("arxiv", "1911.06660", "https://arxiv.org/abs/1911.06660"),
        ("arxiv", '"><b>', "https://arxiv.org/abs/%22%3E%3Cb%3E"),
        ("url", "https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("url", "javascript:alert(1)", ""),
        ("url", "JAVASCRIPT:alert(1)", ""),
        ("url", " https://example.org", ""),
        ("url", "https://[", ""),
        ("url", "https:///path", ""),
        ("url", "file:///etc/passwd", ""),
    ],
)
def test_links_lead_to_the_web_or_nowhere(kind: str, value: str, link: str) -> None:
    assert reference_link(Reference(kind, value)) == link


def test_a_licence_of_several_has_no_link() -> None:
    assert license_link("CC-BY-4.0") == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert license_link("BSD-3-Clause AND CC0-1.0") == ""


def test_a_drawing_belongs_to_the_page() -> None:
    exact = np.linspace(0.0, 8.0, 40)
    drawing = error_figure([Comparison("observed", exact, exact + 1e-3)], form="svg")
    first, second = (str(inline_svg(drawing, name, "An <error>")) for name in ("a", "b"))
    ids = [set(re.findall(' id="([^"]*)"', text)) for text in (first, second)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', first)) <= ids[0]
    assert first.startswith("<svg ")
    assert 'aria-label="An &lt;error&gt;"' in first
    assert "<style" not in first
    assert "http" not in first
    assert "DejaVu" not in first
    assert "var(--ink)" in first
    assert inline_svg(drawing, "a", "An <error>") == first
