"""The page of a density: what it is a density of, and how well."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from markupsafe import Markup

from llb.bundle import DensityBundle, DensityManifest, PriorFactor
from llb.evaluation import DISTANCE_TITLES
from llb.report.blocks import Block, Column, Fact, Figure, Prose, Section, Table
from llb.report.density_numbers import DensityNumbers
from llb.report.numbers import interval, number
from llb.report.svg import inline_svg

__all__ = ["density_highlights", "density_sections"]

_MAX_PARAMETERS = 400
_KINDS: Mapping[str, str] = {
    "posterior": "the posterior density of the parameters, under the prior of the table below",
    "normalized_likelihood": "the likelihood, normalised to a density of the parameters",
    "likelihood": "the likelihood, as a function of the parameters",
}


def density_highlights(bundle: DensityBundle) -> tuple[Fact, ...]:
    """What somebody wants to know first, in a few numbers."""
    return tuple(_highlights(bundle.manifest))


def _highlights(manifest: DensityManifest) -> Iterator[Fact]:
    of_interest = sum(item.role == "poi" for item in manifest.parameters)
    yield Fact("parameters", str(len(manifest.parameters)))
    yield Fact("of interest", str(of_interest))
    if manifest.conditions:
        yield Fact("conditions", str(len(manifest.conditions)))
    for item in manifest.validation.metrics:
        yield Fact("median |error| of ln density", number(item.median))
        yield Fact("99 % of the errors are below", number(item.p99))
    for item in manifest.validation.sample_metrics[:1]:
        name = DISTANCE_TITLES.get(item.quantity, item.quantity)
        numbers = f"{number(item.value)} / {number(item.null)}"
        yield Fact(f"{name}: samples and truth / two samples of the truth", numbers)


def density_sections(bundle: DensityBundle, numbers: DensityNumbers | None) -> Iterator[Section]:
    """All that is particular to the families of densities.

    Args:
        bundle: to be shown.
        numbers: what its graphs give; None where they are not to be run.
    """
    manifest = bundle.manifest
    yield Section("function", "What it computes", tuple(_function(manifest)))
    yield Section("parameters", "Parameters", tuple(_parameters(manifest)))
    yield Section("accuracy", "Accuracy", tuple(_accuracy(manifest, numbers)))
    samples = tuple(_samples(numbers))
    if samples:
        yield Section("samples", "Samples", samples)


def _function(manifest: DensityManifest) -> Iterator[Block]:
    given = Markup(" | <i>x</i>") if manifest.conditions else ""
    yield Prose(f"From parameters θ in their own units the bundle gives {_KINDS[manifest.density.kind]}:")
    if manifest.density.kind == "likelihood":
        formula = Markup(
            '<span class="formula">ln <i>L</i>(<i>θ</i>{given}) = <code>log_prob</code>(<i>θ</i>{given})'
            " + {offset},</span>"
        )
        yield Prose(formula.format(given=given, offset=number(manifest.density.offset, 6)))
        yield Prose("with every constant; the offset is added in double precision.")
    else:
        formula = Markup('<span class="formula"><code>log_prob</code> = ln <i>p</i>(<i>θ</i>{given}),</span>')
        yield Prose(formula.format(given=given))
        yield Prose("the natural logarithm, with the Jacobian of every transformation; −∞ beyond the bounds.")
    roles = {item.role for item in manifest.graphs}
    also = [
        text
        for role, text in (("sample", "independent samples"), ("score", "the derivatives"))
        if role in roles
    ]
    if also:
        yield Prose(f"It also gives {' and '.join(also)}.")


def _parameters(manifest: DensityManifest) -> Iterator[Table]:
    domain = manifest.domain
    priors = {item.parameter: _prior(item) for item in manifest.density.prior}
    rows = [
        (
            str(item.column),
            item.name,
            "of interest" if item.role == "poi" else item.role,
            "" if item.unit == "1" else item.unit,
            _bounds(item.lower, item.upper),
            interval(domain.lower[item.column], domain.upper[item.column]),
            priors.get(item.name, ""),
        )
        for item in manifest.parameters[:_MAX_PARAMETERS]
    ]
    columns = (
        Column("column", "number"),
        Column("parameter", "code"),
        Column("role"),
        Column("unit"),
        Column("bounds", "number"),
        Column("learned", "number"),
        Column("prior"),
    )
    left = len(manifest.parameters) - _MAX_PARAMETERS
    note = f"{left} more parameters are in the manifest." if left > 0 else ""
    yield Table("Parameters", columns, rows, note).lean()
    if manifest.conditions:
        yield Table(
            "Conditions",
            (
                Column("column", "number"),
                Column("condition", "code"),
                Column("unit"),
                Column("learned", "number"),
            ),
            [
                (
                    str(item.column),
                    item.name,
                    "" if item.unit == "1" else item.unit,
                    _bounds(item.lower, item.upper),
                )
                for item in manifest.conditions
            ],
        ).lean()


def _bounds(lower: float, upper: float) -> str:
    return "none" if math.isinf(lower) and math.isinf(upper) else interval(lower, upper)


def _prior(factor: PriorFactor) -> str:
    if factor.kind in ("normal", "lognormal"):
        return f"{factor.kind}, {number(factor.mean, 4)} ± {number(factor.width, 4)}"
    return factor.text or factor.kind


def _accuracy(manifest: DensityManifest, numbers: DensityNumbers | None) -> Iterator[Block]:
    validation = manifest.validation
    yield Prose(validation.method)
    if validation.metrics:
        columns = tuple(Column(name, "number") for name in ("points", "median", "95 %", "99 %", "largest"))
        rows = [
            (f"{item.count:,}", *(number(value) for value in (item.median, item.p95, item.p99, item.max)))
            for item in validation.metrics
        ]
        note = "On points that training never saw."
        yield Table(
            "|Error of ln density|: claimed, and recomputed by the validation at level 5", columns, rows, note
        )
    if numbers is not None and numbers.error_drawing is not None:
        yield Figure(
            "Error of ln density at the held-out points, against how far the density has fallen there.",
            "Scatter of the absolute error of the log density against the depth below its largest value.",
            inline_svg(numbers.error_drawing, "error", "Error of the log density against its depth."),
        )
    if validation.sample_metrics:
        columns = (
            Column("distance"),
            *(
                Column(name, "number")
                for name in ("samples and truth", "truth and truth", "± 1 σ", "points", "pairs")
            ),
        )
        rows = [
            (
                DISTANCE_TITLES.get(item.quantity, item.quantity),
                number(item.value, 3),
                number(item.null, 3),
                number(item.null_std),
                f"{item.n:,}",
                str(item.repetitions),
            )
            for item in validation.sample_metrics
        ]
        note = (
            "A distance means something only beside that between two samples of the truth of the same size."
        )
        yield Table("Claimed distances between samples, each beside its null", columns, rows, note)
    if numbers is not None and numbers.distance_drawing is not None:
        yield Figure(
            "The same: dots are distances between samples of the bundle and the truth, bars those between "
            "two samples of the truth.",
            "Dots of claimed distances beside bars of their nulls, a row for each distance.",
            inline_svg(numbers.distance_drawing, "distances", "Distances of samples beside their nulls."),
        )


def _samples(numbers: DensityNumbers | None) -> Iterator[Block]:
    if numbers is None:
        return
    if numbers.marginals_drawing is not None:
        yield Figure(
            f"{numbers.draws:,} samples of the bundle beside as many held-out points, by parameter.",
            f"Histograms of samples and of held-out points for {', '.join(numbers.shown)}.",
            inline_svg(numbers.marginals_drawing, "marginals", "Marginals of samples and held-out points."),
        )
    if numbers.corner_drawing is not None:
        yield Figure(
            "Pairs of parameters: the smallest regions that hold 68 % and 95 %, of held-out points (broad) "
            "and of samples (thin).",
            "Corner plot of the first parameters, samples beside held-out points.",
            inline_svg(numbers.corner_drawing, "corner", "Pairs of parameters, samples and held-out points."),
        )
