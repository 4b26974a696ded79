"""The page of a profile likelihood: what it computes, and how well."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from llb.bundle import Bundle, Manifest
from llb.evaluation import ONE_PERCENT_ON_CLS, SignalNumbers
from llb.report.blocks import Block, Column, Fact, Figure, Prose, Section, Table
from llb.report.numbers import interval, number, percent
from llb.report.profile_numbers import ProfileNumbers
from llb.report.svg import inline_svg

__all__ = ["profile_highlights", "profile_sections"]

_MAX_BINS = 400
_MAX_SIGNALS = 80
_MODIFIERS = {"lumi": "the luminosity uncertainty"}


def profile_highlights(bundle: Bundle, numbers: ProfileNumbers | None) -> tuple[Fact, ...]:
    """What somebody wants to know first, in a few numbers."""
    manifest = bundle.manifest
    return tuple(_highlights(manifest, numbers))


def _highlights(manifest: Manifest, numbers: ProfileNumbers | None) -> Iterator[Fact]:
    yield Fact("signal bins in", str(len(manifest.inputs)))
    yield Fact("curves out", str(len(manifest.curves)))
    for item in manifest.validation.metrics:
        if (item.curve, item.region) == ("observed", "decision"):
            yield Fact("median |error| of Δ NLL where limits are decided", number(item.median))
            yield Fact("99 % of the errors there are below", number(item.p99))
    if numbers is not None and numbers.limit_difference is not None:
        yield Fact(
            "median difference of upper limits to the full model",
            f"{number(100.0 * numbers.limit_difference)} %",
        )


def profile_sections(bundle: Bundle, numbers: ProfileNumbers | None) -> Iterator[Section]:
    """All that is particular to this family.

    Args:
        bundle: to be shown.
        numbers: what its graph gives; None where it is not to be run.
    """
    manifest = bundle.manifest
    yield Section("function", "What it computes", tuple(_function(manifest)))
    yield Section("inputs", "Inputs", (_inputs(manifest),))
    yield Section("domain", "Signal model and domain", tuple(Prose(text) for text in _domain(manifest)))
    yield Section("accuracy", "Accuracy", tuple(_accuracy(manifest, numbers)))
    if numbers is not None and numbers.truth is not None:
        yield Section("signals", "Real signals", tuple(_signals(numbers, numbers.truth)))


def _function(manifest: Manifest) -> Iterator[Block]:
    yield Prose(
        Markup(
            "From the events <i>s</i> that a signal adds to each bin, and for each data set <i>n</i>, "
            "the bundle gives the profile likelihood"
        )
    )
    yield Prose(
        Markup(
            '<span class="formula">Δ NLL(<i>s</i>) = −ln max<sub><i>θ</i></sub> <i>L</i>'
            "(<i>n</i> | <i>s</i>, <i>θ</i>) + ln max<sub><i>θ</i></sub> "
            "<i>L</i>(<i>n</i> | 0, <i>θ</i>),</span>"
        )
    )
    yield Prose(
        "with all nuisance parameters θ profiled. It is exactly 0 without signal; the signal strength μ "
        "multiplies every yield. CLs and upper limits follow from these curves by the asymptotic formulae; "
        "the baseline makes a Δ NLL an absolute −ln L."
    )
    rows = [
        (
            item.name,
            str(item.column),
            f"{item.baseline_nll!r}".replace("-", "−"),
            ""
            if item.alias_of is None
            else f"agrees with {item.alias_of}{_within(item.alias_max_difference)}",
        )
        for item in manifest.curves
    ]
    columns = (
        Column("curve", "code"),
        Column("column", "number"),
        Column("baseline NLL", "number"),
        Column(""),
    )
    yield Table("Curves, named by their data set", columns, rows).lean()


def _within(difference: float | None) -> str:
    return "" if not difference else f" within {number(difference, 1)}"


def _inputs(manifest: Manifest) -> Table:
    domain = manifest.domain
    rows = [
        (
            str(item.column),
            item.id,
            item.role,
            f"{item.observed:g}",
            number(item.background, 4),
            interval(domain.lower[item.column], domain.upper[item.column]),
            "may be left out" if item.signal_optional else "",
        )
        for item in manifest.bins[:_MAX_BINS]
    ]
    columns = (
        Column("column", "number"),
        Column("bin", "code"),
        Column("region"),
        *(Column(name, "number") for name in ("observed", "background", "signal learned")),
        Column(""),
    )
    left = len(manifest.inputs) - _MAX_BINS
    note = "Inputs are signal events by bin, never total yields. "
    note += "SR: signal region, CR: control region, VR: validation region."
    note += f" {left} more bins are in the manifest." if left > 0 else ""
    return Table("Input bins", columns, rows, note).lean()


def _domain(manifest: Manifest) -> Iterator[str]:
    model, domain = manifest.signal_model, manifest.domain
    learned = [_MODIFIERS.get(name, name) for name in model.modifiers]
    if model.relative_uncertainty:
        learned.append(f"a flat relative uncertainty of {percent(model.relative_uncertainty)}")
    yield (
        f"The signal was given {' and '.join(learned)}."
        if learned
        else "The signal was given no uncertainty of its own."
    ) + " Uncertainties that a published signal carries besides are not part of the bundle."
    text = "Signals outside the ranges of the input bins are flagged"
    if domain.delta_nll_max is not None:
        text += f", and so are those with a predicted Δ NLL above {number(domain.delta_nll_max, 3)}"
    yield text + ". Beyond the edge of the domain nothing was learned."


def _accuracy(manifest: Manifest, numbers: ProfileNumbers | None) -> Iterator[Block]:
    yield Prose(manifest.validation.method)
    rows = [
        (
            item.curve,
            item.region.replace("_", " "),
            f"{item.count:,}",
            *(number(value) for value in (item.median, item.p95, item.p99, item.max)),
        )
        for item in manifest.validation.metrics
    ]
    columns = (
        Column("curve", "code"),
        Column("region"),
        *(Column(name, "number") for name in ("points", "median", "95 %", "99 %", "largest")),
    )
    note = (
        "In NLL units, on points that training never saw. Regions by the true Δ NLL: decision up to 6, tail "
        f"above, near zero below 0.1. An error of {ONE_PERCENT_ON_CLS:g} moves CLs by about 1 % at the limit."
    )
    yield Table("|Error of Δ NLL|: claimed, and recomputed by the validation at level 5", columns, rows, note)
    if numbers is not None:
        yield Figure(
            "Error of every held-out point against its true Δ NLL, with running median and 95 % quantile. "
            "Dashed: errors that move CLs by 1 % and by 0.1 %. Tinted: where limits are decided.",
            "Scatter of the absolute error of Delta NLL against the true Delta NLL, a panel for each curve.",
            inline_svg(numbers.error_drawing, "error", "Error of Delta NLL against Delta NLL, by curve."),
        )
    yield from _uncertainty(manifest, numbers)


def _uncertainty(manifest: Manifest, numbers: ProfileNumbers | None) -> Iterator[Block]:
    stated = manifest.uncertainty
    if stated.kind == "none":
        return
    yield Prose(f"The graph states its own error, as one standard deviation of Δ NLL. {stated.method}")
    columns = (
        Column("curve", "code"),
        *(Column(name, "number") for name in ("points", "within 1 σ", "within 1.96 σ")),
    )
    rows = [
        (item.curve, f"{item.points:,}", percent(item.within_68), percent(item.within_95))
        for item in stated.coverage
    ]
    note = "Held-out points with a Δ NLL of at most 6. Of a normal distribution: 68.3 % and 95.0 %."
    yield Table("Coverage of the stated error", columns, rows, note)
    if numbers is not None and numbers.coverage_drawing is not None:
        yield Figure(
            "Fraction of held-out points whose error is within k stated standard deviations, against that of "
            "a normal distribution. Above the diagonal the stated error is cautious.",
            "Observed against expected coverage, a line for each curve beside the diagonal.",
            inline_svg(numbers.coverage_drawing, "coverage", "Observed against expected coverage, by curve."),
        )


def _signals(numbers: ProfileNumbers, truth: SignalNumbers) -> Iterator[Block]:
    found = numbers.limits
    yield Prose(
        f"{len(found)} signals with the CLs and upper limits of the full statistical model, by the bundle's "
        "teacher; beside them what the bundle gives."
    )
    if numbers.agreement_drawing is not None:
        yield Figure(
            "CLs at μ = 1 and upper limits on μ at 95 % CL: the bundle against its teacher, relative "
            "differences below. Dashed: the boundary of exclusion.",
            "Scatter of the bundle's CLs and upper limits against the teacher's, near the diagonal.",
            inline_svg(numbers.agreement_drawing, "agreement", "CLs and upper limits against the teacher's."),
        )
    rows = [
        (
            item.name,
            number(cls, 3),
            number(item.cls_observed, 3),
            number(limit, 4),
            number(item.upper_limit_observed, 4),
            percent(item.upper_limit_observed / limit - 1.0, 2) if limit else "–",
            "" if item.in_domain else "partly beyond",
        )
        for item, cls, limit in zip(
            found[:_MAX_SIGNALS],
            truth.cls_observed.tolist(),
            truth.upper_limit_observed.tolist(),
            strict=False,
        )
    ]
    names = ("CLs, teacher", "CLs, bundle", "limit, teacher", "limit, bundle", "difference")
    columns = (Column("signal", "code"), *(Column(name, "number") for name in names), Column("domain"))
    left = len(found) - _MAX_SIGNALS
    note = f"{left} more signals are in the bundle's table of benchmarks." if left > 0 else ""
    yield Table("Observed CLs at μ = 1 and upper limits on μ", columns, rows, note).lean()
    if numbers.ray_drawing is not None:
        yield Figure(
            "Δ NLL along the signal strength for signals from the most to the least strongly excluded. "
            "Dashed: the observed upper limit at 95 % CL.",
            "Curves of Delta NLL against the signal strength, a panel for each of some signals.",
            inline_svg(numbers.ray_drawing, "rays", "Delta NLL against the signal strength, by signal."),
        )
