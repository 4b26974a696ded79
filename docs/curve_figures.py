"""Draws the figures of docs/curves.md: curves of the embedded search, from its bundle and its teacher.

    llb quickstart --out quickstart.llb
    python docs/curve_figures.py quickstart.llb

They are SVG with text as text, without a background, in the colours that docs/site/dark_figures.py knows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import norm

from llb.evaluation.figures.canvas import CURVE_COLOURS, EXPECTED, LINE, OBSERVED
from llb.evaluation.style import FAINT, INK, STYLE
from llb.evaluation.truth import read_heldout
from llb.runtime import (
    ProfileLikelihood,
    cls_expected,
    cls_observed,
    limits,
    load,
    q_tilde,
    rays,
    read_patchset,
)
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.histfactory import histfactory_teacher, read_workspace

__all__ = ["FIGURES", "SIGNAL", "draw", "valley"]

Floats = NDArray[np.float64]
SIGNAL = "PP_400_160"
"""The signal of most figures."""

_FOLDER = Path(__file__).with_name("images")
_LEADER: Any = {"arrowstyle": "-", "color": FAINT}
_STYLE = STYLE | {
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "lines.linewidth": 2.0,
    "lines.solid_capstyle": "round",
    "font.sans-serif": ["DejaVu Sans"],
    "svg.fonttype": "none",
    "svg.hashsalt": "llb",
    "path.simplify_threshold": 0.2,
}


@contextmanager
def _panels(path: Path, height: float, *widths: float) -> Generator[Any]:
    """Panels side by side, 9 inches in all, that are written as SVG."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=(9.0, height), layout="constrained")
        yield figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None, "Creator": None})


def _published(model: ProfileLikelihood) -> Floats:
    """Events of `SIGNAL` at mu = 1, (n_bins,)."""
    signals = read_patchset(patchset_path(), model.bundle)
    return signals.yields[signals.names.index(SIGNAL)]


def draw_nll(model: ProfileLikelihood, path: Path) -> None:
    """NLL and Delta NLL of the observed data: one curve, two scales."""
    signal = _published(model)
    (baseline,) = [item.baseline_nll for item in model.bundle.manifest.curves if item.name == "observed"]
    mu = np.linspace(-0.1, 2.2, 231)
    ray = rays(model, signal[np.newaxis])
    delta = ray.delta("observed", mu[np.newaxis])[0]
    (best,), (lowest,) = ray.minimum("observed")
    with _panels(path, 3.6, 1.0) as (panel,):
        panel.plot(mu, baseline + delta, color=OBSERVED)
        panel.axhline(baseline, color=FAINT, lw=1.0, ls="--")
        panel.plot([0.0], [baseline], "o", color=INK, ms=6)
        panel.plot([best], [baseline + lowest], "o", color=OBSERVED, ms=6)
        none = f"no signal: Delta NLL is exactly 0,\nNLL(0) = {baseline:.4f} is the baseline"
        panel.annotate(none, (0.0, baseline), (0.12, baseline + 1.0), arrowprops=_LEADER)
        place = (best, baseline + lowest)
        text = f"best fit: μ = {best:.2f}, Delta NLL = {lowest:.2f}"
        panel.annotate(text, place, (best + 0.05, place[1] - 0.55), arrowprops=_LEADER)
        panel.set(xlabel="signal strength μ", ylabel="NLL = -ln L, profiled", xlim=(mu[0], mu[-1]))
        panel.set_ylim(baseline + lowest - 0.8, baseline + delta[-1])
        panel.set_title(f"Observed data, signal {SIGNAL}")
        other = panel.secondary_yaxis("right", functions=(lambda y: y - baseline, lambda y: y + baseline))
        other.set_ylabel("Delta NLL, what the graph gives")


def draw_four(model: ProfileLikelihood, path: Path) -> None:
    """The curves, and the CLs and limits that follow from them."""
    signal = _published(model)
    mu = np.linspace(0.0, 2.2, 221)[1:]
    ray = rays(model, signal[np.newaxis])
    delta = {name: ray.delta(name, mu[np.newaxis])[0] for name in model.curve_names}
    (best,), (lowest,) = ray.minimum("observed")
    power = q_tilde(delta["observed_asimov"], 0.0, mu, 0.0)
    observed = cls_observed(q_tilde(delta["observed"], lowest, mu, best), power)
    band = cls_expected(power)
    (limit,) = limits(model, signal[np.newaxis])
    with _panels(path, 3.7, 1.0, 1.0) as (left, right):
        for name, style in {"observed": "-", "observed_asimov": "-", "apriori": (0, (4, 2))}.items():
            label = f"{name} = apriori_asimov" if name == "apriori" else name
            left.plot(mu, delta[name], color=CURVE_COLOURS[name], ls=style, label=label)
        left.axhline(0.0, color=FAINT, lw=1.0)
        left.set(xlabel="signal strength μ", ylabel="Delta NLL", xlim=(0.0, mu[-1]))
        left.set_title("Curves by their data sets")
        left.legend(loc="upper left")
        right.fill_between(mu, band[:, 0], band[:, 4], color=EXPECTED, alpha=0.15, lw=0, label="± 2 sigma")
        right.fill_between(mu, band[:, 1], band[:, 3], color=EXPECTED, alpha=0.3, lw=0, label="± 1 sigma")
        right.plot(mu, band[:, 2], color=EXPECTED, ls="--", label="expected")
        right.plot(mu, observed, color=OBSERVED, label="observed")
        right.axhline(0.05, color=LINE, lw=1.2)
        right.annotate("0.05", (0.03, 0.055), color=LINE)
        for value, colour in (
            (limit.upper_limit_observed, OBSERVED),
            (limit.upper_limit_expected[2], EXPECTED),
        ):
            right.plot([value], [0.05], "o", color=colour, ms=6)
        right.set(xlabel="signal strength μ", ylabel="CLs", xlim=(0.0, mu[-1]), ylim=(0.0, 1.0))
        right.set_title(
            f"Upper limits: {limit.upper_limit_observed:.2f}, expected {limit.upper_limit_expected[2]:.2f}"
        )
        right.legend(loc="upper right")


def draw_rays(model: ProfileLikelihood, path: Path) -> None:
    """Rays through the plane of two bins, and Delta NLL along them."""
    columns = [model.bin_ids.index(name) for name in ("SR[1]", "SR[2]")]
    directions = {
        "A": ((5.0, 2.5), OBSERVED),
        "B": ((2.5, 4.5), EXPECTED),
        "C": ((6.0, 0.5), CURVE_COLOURS["apriori"]),
    }

    def signals(plane: Floats) -> Floats:
        full = np.zeros((len(plane), len(model.bin_ids)))
        full[:, columns] = plane
        return full

    x, y = np.meshgrid(np.linspace(-1.2, 16.0, 173), np.linspace(-1.0, 12.0, 131))
    height = model.delta_nll(signals(np.stack([x.ravel(), y.ravel()], axis=1)))["observed"].reshape(x.shape)
    marks, mu = np.array([0.5, 1.0, 1.5, 2.0]), np.linspace(0.0, 2.4, 121)
    with _panels(path, 4.0, 1.1, 1.0) as (left, right):
        levels = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0)
        lines = left.contour(x, y, height, levels=levels, colors=FAINT, linewidths=1.0)
        left.clabel(lines, fmt="%g", fontsize=8)
        for name, (direction, colour) in directions.items():
            ray = np.array(direction)
            left.plot(*np.outer(mu, ray).T, color=colour)
            left.plot(*np.outer(marks, ray).T, "o", color=colour, ms=5)
            left.annotate(name, 2.4 * ray, (5, -3), textcoords="offset points", color=colour, weight="bold")
            delta = model.delta_nll(signals(np.outer(mu, ray)))["observed"]
            at = model.delta_nll(signals(np.outer(marks, ray)))["observed"]
            right.plot(mu, delta, color=colour, label=f"{name}: SR[1] {ray[0]:g}, SR[2] {ray[1]:g}")
            right.plot(marks, at, "o", color=colour, ms=5)
        left.plot([0.0], [0.0], "o", color=INK, ms=6)
        for line in (left.axhline, left.axvline):
            line(0.0, color=FAINT, lw=0.8)
        left.set(xlabel="signal events in SR[1]", ylabel="signal events in SR[2]")
        left.set(title="Delta NLL over two bins, and three rays", xlim=x[0, [0, -1]], ylim=y[[0, -1], 0])
        right.set(xlabel="signal strength μ", ylabel="Delta NLL", xlim=(0.0, 2.4))
        right.set_title("Along the rays (dots: μ = ½, 1, 1½, 2)")
        right.legend(loc="upper left")


def draw_domain(model: ProfileLikelihood, path: Path) -> None:
    """A ray beyond the domain: the graph, the continuation, and the truth."""
    signal = _published(model)
    ray = rays(model, signal[np.newaxis])
    edge = float(ray.mu_edge[0])
    mu = np.linspace(0.0, 2.0 * edge, 401)
    inside = mu <= edge
    graph = model.delta_nll(mu[:, np.newaxis] * signal)["observed"]
    ours = ray.delta("observed", mu[np.newaxis])[0]
    asked = np.linspace(0.0, 2.0 * edge, 21)
    teacher = histfactory_teacher(read_workspace(workspace_path()))
    truth = teacher.label(asked[:, np.newaxis] * signal).curves[0]
    with _panels(path, 3.6, 1.0) as (panel,):
        panel.axvspan(edge, mu[-1], color=FAINT, alpha=0.12, lw=0)
        panel.plot(mu, graph, color=EXPECTED, lw=1.2, ls=":", label="the graph itself")
        panel.plot(mu[inside], ours[inside], color=OBSERVED, label="what a loader gives")
        panel.plot(mu[~inside], ours[~inside], color=OBSERVED, ls="--", label="its continuation, flagged")
        panel.plot(asked, truth.delta, "o", color=INK, ms=4, label="the teacher")
        panel.annotate(
            f"end of the domain, μ = {edge:.2f}", (edge, ours.max()), (6, -4), textcoords="offset points"
        )
        panel.set(xlabel="signal strength μ", ylabel="Delta NLL", xlim=(0.0, mu[-1]))
        panel.set(title=f"Beyond the domain, signal {SIGNAL}, observed data")
        panel.legend(loc="upper left")


def valley(strength: Floats | float, parameter: Floats | float) -> Floats:
    """NLL of two bins with 10 expected and 15 and 14 observed events, and a signal of 6 in the first only.

    One systematic moves events smoothly, at +1 sigma about 40 % more in the first bin, at -1 sigma in the
    second.
    """
    theta = np.asarray(parameter)
    up, down = (0.5 * (side + np.hypot(theta, 0.3) - 0.3) for side in (theta, -theta))
    first, second = 10.0 * 1.5**up + 6.0 * np.asarray(strength), 10.0 * 1.5**down
    poisson = first - 15.0 * np.log(first) + gammaln(16.0) + second - 14.0 * np.log(second) + gammaln(15.0)
    return poisson + 0.5 * np.square(theta) + 0.5 * np.log(2.0 * np.pi)


def draw_minima(_: ProfileLikelihood, path: Path) -> None:
    """Two minima, and the kink where the other one becomes the lower."""
    theta, mu = np.linspace(-2.2, 2.2, 441), np.linspace(0.0, 1.5, 151)
    surface = valley(mu[:, np.newaxis], theta)
    sides = surface[:, theta <= 0.0], surface[:, theta >= 0.0]
    left_one, right_one = (side.min(axis=1) for side in sides)
    # Where the valley has gone the lowest place is on the ridge.
    seen = np.where(sides[1].argmin(axis=1) > 0, right_one, np.nan)
    zero = float(min(left_one[0], right_one[0]))
    kink = float(np.interp(0.0, right_one - left_one, mu))
    with _panels(path, 3.7, 1.0, 1.0) as (left, right):
        for strength, colour in ((0.0, OBSERVED), (kink, LINE), (0.5, EXPECTED)):
            values = valley(strength, theta) - zero
            left.plot(theta, values, color=colour, label=f"μ = {strength:.2f}")
            lowest = int(np.argmin(values))
            left.plot(theta[lowest], values[lowest], "o", color=colour, ms=6)
        left.set(xlabel="systematic θ", ylabel="NLL, relative", xlim=(theta[0], theta[-1]), ylim=(-1.1, 3.0))
        left.set_title("Two valleys: the signal decides")
        left.legend(loc="upper center")
        right.plot(mu, seen - zero, color=OBSERVED, lw=1.3, ls="--", label="branch with θ > 0")
        right.plot(mu, left_one - zero, color=EXPECTED, lw=1.3, ls="--", label="branch with θ < 0")
        right.plot(mu, np.minimum(right_one, left_one) - zero, color=INK, label="Min: the profile likelihood")
        right.axvline(kink, color=LINE, lw=1.2)
        right.annotate("kink", (kink, 0.1), (6, 0), textcoords="offset points", color=LINE)
        right.set(xlabel="signal strength μ", ylabel="Delta NLL", xlim=(0.0, mu[-1]))
        right.set_title("Smooth branches, joined by Min")
        right.legend(loc="upper right")


def draw_sigma(model: ProfileLikelihood, path: Path) -> None:
    """The stated error beside the true one, on held-out signals."""
    heldout = read_heldout(model.bundle)
    delta, sigma = model.columns_with_sigma(heldout.signals)
    decision = (heldout.delta >= 0.0) & (heldout.delta <= 6.0)
    error, stated = (delta - heldout.delta)[decision], sigma[decision]
    pulls = error / stated
    first = decision[:, 0]
    within = [float(np.mean(np.abs(pulls) <= n)) for n in (1, 2)]
    with _panels(path, 3.8, 1.0, 1.0) as (left, right):
        left.loglog(
            sigma[first, 0], np.abs(delta - heldout.delta)[first, 0], "o", color=OBSERVED, ms=3, mew=0
        )
        ends = np.array([1e-6, 1.0])
        for n, style in ((1.0, "-"), (2.0, "--")):
            left.plot(ends, n * ends, color=LINE, lw=1.2, ls=style, label=f"error = {n:g} sigma")
        left.set(
            xlabel="stated sigma (NLL units)",
            ylabel="|error of Delta NLL|",
            xlim=(1e-6, 1.0),
            ylim=(1e-7, 1.0),
        )
        left.set_title("Held-out signals, observed curve")
        left.legend(loc="lower right")
        edges = np.linspace(-4.0, 4.0, 41)
        right.hist(pulls, bins=edges, density=True, color=OBSERVED, alpha=0.45)
        right.plot(edges, norm.pdf(edges), color=LINE, lw=1.5, label="standard normal")
        right.set(xlabel="error / sigma", ylabel="density", xlim=(-4.0, 4.0))
        right.set_title(f"All curves: {within[0]:.0%} within 1 sigma, {within[1]:.0%} within 2")
        right.legend(loc="upper right")


FIGURES: dict[str, Callable[[ProfileLikelihood, Path], None]] = {
    "curves_nll": draw_nll,
    "curves_four": draw_four,
    "curves_rays": draw_rays,
    "curves_domain": draw_domain,
    "curves_minima": draw_minima,
    "curves_sigma": draw_sigma,
}
"""What draws each figure."""


def draw(bundle: Path, folder: Path) -> None:
    """Draws all figures from a bundle of the embedded search."""
    model = load(bundle)
    for name, drawn in FIGURES.items():
        drawn(model, folder / f"{name}.svg")


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else _FOLDER)
