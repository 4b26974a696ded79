"""The formulae of the page are those of the runtime, also where the numbers of usual bundles do not lead."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from outside import unavailable

from llb.runtime.asymptotics import N_SIGMA, log_cls_expected, log_cls_observed
from llb.runtime.splines import stack_splines
from llb.view.build import BuildError, program

PAGE = Path(__file__).resolve().parents[3] / "reference" / "llb" / "view" / "page"
SPLINES = """
import { Splines } from "./splines.mjs";
answer = asked.map(({ nodes, rows, bounded, places }) => {
  const splines = new Splines(nodes, rows, bounded);
  return rows[0].map((_, curve) => {
    const { t, value } = splines.lowest(curve);
    return { values: places.map((place) => splines.at(curve, place)), t, value };
  });
});
"""
ASYMPTOTICS = """
import { N_SIGMA, logClsExpected, logClsObserved } from "./asymptotics.mjs";
answer = asked.map(([q, asimov]) => [
  logClsObserved(q, asimov), ...N_SIGMA.map((sigmas) => logClsExpected(asimov, sigmas))
]);
"""

Array = NDArray[np.float64]


def asked_of_node(script: str, asked: Any) -> Any:
    """What modules of the page answer."""
    try:
        node = program("node")
    except BuildError as error:
        unavailable(str(error))
        raise
    imports, rest = script.strip().split("\n", 1)
    question = f"let answer; const asked = {json.dumps(asked)};"
    code = f"{imports}\n{question}\n{rest}\nconsole.log(JSON.stringify(answer));"
    done = subprocess.run(
        [*node, "--input-type=module", "-"], input=code, capture_output=True, text=True, cwd=PAGE, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("bounded", [True, False])
def test_splines_and_their_continuations(bounded: bool) -> None:
    """Curves that wander: they bend down at their ends, and have several minima."""
    generator = np.random.default_rng(7)
    cases: list[tuple[Array, Array]] = []
    for count in (4, 5, 9, 33, 60):
        for low in (0, count // 3):
            nodes = np.cumsum(generator.uniform(0.02, 0.2, count))
            values = np.cumsum(generator.normal(0.0, 1.0, (count, 3)), axis=0) * 10.0 ** generator.uniform(
                -3, 3
            )
            cases.append((nodes - nodes[low], values - values[low]))
    places = np.concatenate([np.linspace(-3.0, 12.0, 151), [-1e9, 1e9]])
    asked = [
        {"nodes": nodes.tolist(), "rows": values.tolist(), "bounded": bounded, "places": places.tolist()}
        for nodes, values in cases
    ]
    answers = asked_of_node(SPLINES, asked)
    assert len(answers) == len(cases)
    for (nodes, values), found in zip(cases, answers, strict=True):
        stack = stack_splines([nodes], [values], np.array([bounded]))
        ray = np.zeros(len(places), np.intp)
        for curve, answer in enumerate(found):
            wanted = stack(ray, places, curve)
            got = np.array(answer["values"], np.float64)
            np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-10 * np.abs(values).max())
            t, lowest = stack.minimum(curve)
            assert answer["t"] == pytest.approx(t[0], abs=1e-7)
            assert answer["value"] == pytest.approx(lowest[0], rel=1e-9, abs=1e-12)


def test_asymptotic_formulae_in_every_tail() -> None:
    sizes = [0.0, *np.geomspace(1e-310, 1e-13, 8), *np.geomspace(1e-12, 1e7, 58)]
    pairs = np.array([(q, asimov) for q in sizes for asimov in sizes])
    found = np.array(asked_of_node(ASYMPTOTICS, pairs.tolist()))
    np.testing.assert_allclose(found[:, 0], log_cls_observed(*pairs.T), rtol=2e-12, atol=2e-13)
    for column, sigmas in enumerate(N_SIGMA, start=1):
        wanted = log_cls_expected(pairs[:, 1], sigmas)
        np.testing.assert_allclose(found[:, column], wanted, rtol=2e-12, atol=2e-13)
