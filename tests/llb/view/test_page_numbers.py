"""The numbers that the page shows are those of `llb eval` and `llb limit`, whatever is dragged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from views import View, viewing, written

from llb.bundle import read_any_bundle
from llb.runtime import Density, Limits, ProfileLikelihood, limits, load, load_density
from llb_conformance import counting_model, parabola_model, write_quadratic
from llb_conformance.gaussian import conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_trainer.about import workspace_identity
from llb_trainer.comparison import published_signals
from llb_trainer.pipeline import open_workspace, run
from llb_trainer.plan import Plan
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.histfactory import read_workspace
from llb_trainer.training import Recipe

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
RADIOS = {"expected": "a posteriori", "apriori": "a priori"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded search, learned badly and quickly: a network, its error, a truncated domain."""
    plan = Plan(signals=160, recipe=Recipe(width=12, depth=2, members=2, steps=40, batch=64), processes=0)
    workspace = read_workspace(workspace_path())
    made = run(
        partial(open_workspace, workspace, plan),
        published_signals(patchset_path(), workspace, ("lumi",)),
        workspace_identity(workspace, patchset_path(), embedded=True),
        tmp_path_factory.mktemp("trained") / "short.llb",
        plan=plan,
    )
    return made.bundle


def plain(values: Any) -> Any:
    """As the page has it: null for what strict JSON has no word for."""
    if isinstance(values, tuple):
        return [plain(value) for value in values]
    return float(values) if math.isfinite(values) else None


def close(found: Any, wanted: Any, relative: float) -> None:
    if isinstance(wanted, list):
        assert [item is None for item in found] == [item is None for item in wanted]
        found, wanted = ([item for item in items if item is not None] for items in (found, wanted))
    assert found == (None if wanted is None else pytest.approx(wanted, rel=relative, abs=1e-300))


def compare(
    view: View,
    model: ProfileLikelihood,
    signal: Any,
    mu: float,
    relative: float = 1e-9,
    bands: Iterable[str] = ("expected", "apriori"),
) -> None:
    point = np.array([signal])
    (answer,) = limits(model, point, mu=mu)
    delta, sigma = model.delta_nll(mu * point), model.sigma(mu * point)
    for band in bands:
        radio = view.visit.page.get_by_label(RADIOS[band])
        if radio.count() and not radio.is_checked():
            radio.check()
        found = view.numbers
        assert found["mu"] == mu
        for name, wanted in _limits(answer, band).items():
            close(found[name], wanted, relative)
        for curve in model.curve_names:
            # Near a zero of the curve only the absolute value says anything.
            wanted = float(delta[curve][0])
            assert found[f"delta_nll_{curve}"] == pytest.approx(wanted, rel=relative, abs=relative)
            close(found[f"sigma_{curve}"], plain(sigma[curve][0]), relative)
    inside = bool(model.in_domain(mu * point)[0])
    assert view.visit.page.locator(".place.outside").count() == (not inside)


def _limits(answer: Limits, band: str) -> dict[str, Any]:
    return {
        "upper_limit_observed": plain(answer.upper_limit_observed),
        "cls_observed": plain(answer.cls_observed),
        "mu_hat": plain(answer.mu_hat),
        "upper_limit_expected": plain(getattr(answer, f"upper_limit_{band}")),
        "cls_expected": plain(getattr(answer, f"cls_{band}")),
    }


@pytest.mark.parametrize("name", ["parabola", "deficit", "counting", "float32", "stored"])
def test_numbers_of_a_known_likelihood(name: str, chromium: Browser, tmp_path: Path) -> None:
    made = {
        "parabola": partial(write_quadratic, parabola_model()),
        "deficit": partial(write_quadratic, parabola_model(mu_hat=-0.4)),
        "counting": partial(write_quadratic, counting_model()),
        "float32": partial(write_quadratic, counting_model().with_precision("float32")),
        "stored": lambda _: GOLDEN / "format-1.0.0.llb.zip",
    }[name](tmp_path / "made.llb")
    model = load(made)
    with viewing(chromium, written(model.bundle, tmp_path)) as view:
        signals = [np.full(len(model.bin_ids), 1.5), np.linspace(0.2, 4.0, len(model.bin_ids))]
        for signal, mu in ((signals[0], 1.0), (signals[1], 0.3), (signals[1], 30.0)):
            for bin_id, value in zip(model.bin_ids, signal, strict=True):
                view.type(bin_id, float(value))
            view.type("mu", mu)
            # Graphs in float32 are rounded by each engine in its own way.
            compare(view, model, signal, mu, 1e-9 if name != "float32" else 2e-4)


def test_numbers_of_a_trained_likelihood(trained: Path, chromium: Browser, tmp_path: Path) -> None:
    """Benchmark signals, a dragged bin beside them, no signal at all."""
    model = load(trained)
    benchmarks = np.genfromtxt(
        trained / "validation" / "benchmarks.csv", delimiter=",", names=True, dtype=None
    )
    columns = [name for name in benchmarks.dtype.names or () if name != "name"][: len(model.bin_ids)]
    with viewing(chromium, written(model.bundle, tmp_path)) as view:
        choice = view.visit.page.get_by_label("signal", exact=True)
        for row in (0, len(benchmarks) // 2, len(benchmarks) - 1):
            choice.select_option(str(row))
            signal = [float(benchmarks[row][name]) for name in columns]
            compare(view, model, signal, 1.0)
            assert view.visit.page.get_by_text("full model").count() == 3
        signal[0] *= 1.5
        view.type(model.bin_ids[0], signal[0])
        compare(view, model, signal, 1.0)
        assert view.visit.page.get_by_text("full model").count() == 0
        view.visit.page.get_by_role("button", name="no signal").click()
        compare(view, model, [0.0] * len(model.bin_ids), 1.0)


@pytest.fixture
def parabola(chromium: Browser, tmp_path: Path) -> Iterator[tuple[View, ProfileLikelihood]]:
    model = load(write_quadratic(parabola_model(), tmp_path / "parabola.llb"))
    with viewing(chromium, written(model.bundle, tmp_path)) as view:
        yield view, model


def test_a_bin_is_dragged_by_keyboard(parabola: tuple[View, ProfileLikelihood]) -> None:
    view, model = parabola
    slider = view.visit.page.get_by_role("slider", name="SR[0]")
    before = float(slider.input_value())
    for _ in range(5):
        slider.press("ArrowRight")
    value = float(slider.input_value())
    assert value > before
    compare(view, model, [value], 1.0)
    assert view.visit.page.get_by_role("spinbutton", name="SR[0]").input_value() == f"{value:g}"


def test_mu_is_dragged_by_pointer(parabola: tuple[View, ProfileLikelihood]) -> None:
    """In a figure: the number is that of the place where the pointer was let go."""
    view, model = parabola
    view.type("SR[0]", 1.0)
    view.settle()
    page = view.visit.page
    box = page.get_by_role("img", name="CLs along mu").bounding_box()
    assert box is not None
    seen: list[float] = []
    page.mouse.move(box["x"] + 80, box["y"] + 100)
    page.mouse.down()
    for x in (100, 140, 180):
        page.mouse.move(box["x"] + x, box["y"] + 100)
        mu = float(view.numbers["mu"])
        compare(view, model, [1.0], mu, bands=("expected",))
        seen.append(mu)
    page.mouse.up()
    page.mouse.move(box["x"] + 60, box["y"] + 100)
    assert seen == sorted(seen)
    assert len(set(seen)) == 3
    assert view.numbers["mu"] == seen[-1]


def test_a_slider_is_dragged_by_pointer(parabola: tuple[View, ProfileLikelihood]) -> None:
    view, model = parabola
    slider = view.visit.page.get_by_role("slider", name="mu")
    box = slider.bounding_box()
    assert box is not None
    view.visit.page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    mu = float(view.numbers["mu"])
    assert mu > 1.0
    signal = float(view.visit.page.get_by_role("spinbutton", name="SR[0]").input_value())
    compare(view, model, [signal], mu)


def test_points_outside_of_the_domain_are_marked(parabola: tuple[View, ProfileLikelihood]) -> None:
    view, model = parabola
    assert view.visit.page.locator(".slider.outside").count() == 0
    view.type("SR[0]", 7.0)
    compare(view, model, [7.0], 1.0)
    assert view.visit.page.locator(".slider.outside").count() == 1
    view.type("mu", 0.5)
    compare(view, model, [7.0], 0.5)
    assert view.visit.page.locator(".slider.outside").count() == 0
    # The limit comes from far beyond the domain of one event.
    view.type("SR[0]", 0.01)
    view.type("mu", 1.0)
    assert (
        "†" in view.visit.page.locator(".numbers").inner_text() or view.numbers["upper_limit_observed"] < 600
    )


@pytest.mark.parametrize("name", ["mixed", "conditional", "regression", "float32"])
def test_numbers_of_a_density(name: str, chromium: Browser, tmp_path: Path) -> None:
    exact = {
        "mixed": mixed_model,
        "conditional": conditional_model,
        "regression": regression_model,
        "float32": partial(mixed_model, "float32"),
    }[name]()
    made = write_gaussian(exact, tmp_path / "made.llb")
    density = load_density(made)
    domain = density.manifest.domain
    with viewing(chromium, written(read_any_bundle(made), tmp_path)) as view:
        assert view.visit.page.get_by_role("img").count() == (2 if density.can_sample else 1)
        assert np.isfinite(view.numbers["log_prob"])
        point = [0.4 * low + 0.6 * high for low, high in zip(domain.lower, domain.upper, strict=True)]
        condition = [0.25] * len(density.conditions)
        for parameter, value in zip(
            (*density.parameters, *density.conditions), (*point, *condition), strict=True
        ):
            view.type(parameter, value)
        _compare_density(view, density, point, condition, 1e-9 if name != "float32" else 2e-4)
        # Beyond the bounds of mu the density is 0, beyond the domain of alpha it is what the graph says.
        view.type("mu", -5.0)
        assert view.numbers["log_prob"] is None
        view.type("mu", point[0])
        view.type("alpha", domain.upper[2] + 1.0)
        point[2] = domain.upper[2] + 1.0
        _compare_density(view, density, point, condition, 1e-9 if name != "float32" else 2e-4)
        assert view.visit.page.locator(".place.outside").count() == 1


def _compare_density(
    view: View, density: Density, point: list[float], condition: list[float], relative: float
) -> None:
    given = np.array([condition]) if condition else None
    found = view.numbers
    assert found["log_prob"] == pytest.approx(float(density.log_prob([point], given)[0]), rel=relative)
    if density.manifest.density.offset:
        wanted = float(density.log_density([point], given)[0])
        assert found["log_likelihood"] == pytest.approx(wanted, rel=relative)


def test_the_scan_goes_along_the_chosen_parameter(chromium: Browser, tmp_path: Path) -> None:
    """Dragging in the figure moves that parameter, and the number follows."""
    made = write_gaussian(mixed_model(), tmp_path / "made.llb")
    density = load_density(made)
    with viewing(chromium, written(read_any_bundle(made), tmp_path)) as view:
        page = view.visit.page
        page.get_by_label("scanned parameter").select_option(label="mass")
        view.settle()
        box = page.get_by_role("img").first.bounding_box()
        assert box is not None
        page.mouse.click(box["x"] + 120, box["y"] + 60)
        view.settle()
        fields = [page.get_by_role("spinbutton", name=name) for name in density.parameters]
        # The fields are rounded; the number is of what was chosen.
        shown = [float(field.input_value()) for field in fields]
        assert view.numbers["log_prob"] == pytest.approx(float(density.log_prob([shown])[0]), abs=1e-3)
        assert shown[3] < density.manifest.domain.upper[3]
