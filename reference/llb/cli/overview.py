"""A manifest as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from llb.bundle import AnyBundle, DensityManifest, Manifest, ManifestHead, Teacher, content_id, file_digests
from llb.cli.density_overview import density_tables
from llb.cli.plain_table import plain_table

__all__ = ["print_overview"]


def print_overview(bundle: AnyBundle) -> None:
    """Prints content id, identity, what the numbers mean, domain, metrics and files of a bundle."""
    console = Console(highlight=False)
    # No cell of a table: whoever compares it needs it whole.
    console.print(f"content id {content_id(file_digests(bundle.container))}", soft_wrap=True)
    manifest = bundle.manifest
    own: tuple[Table, ...] = ()
    if isinstance(manifest, Manifest):
        own = (_inputs(manifest), _curves(manifest), _metrics(manifest))
    elif isinstance(manifest, DensityManifest):
        own = density_tables(manifest)
    for table in (_identity(manifest), *own, _files(manifest)):
        console.print(table)


def _identity(manifest: ManifestHead) -> Table:
    analysis, teacher = manifest.analysis, manifest.teacher
    rows = [
        ("title", manifest.title),
        ("format", manifest.format_version),
        ("family", manifest.family),
        ("authors", ", ".join(author.name for author in manifest.authors)),
        ("licence", manifest.license),
        ("created", manifest.created),
        *((f"reference ({item.kind})", item.value) for item in manifest.references),
        ("analysis", str(analysis)),
        ("teacher", ", ".join(item.name for item in teacher.files)),
        ("model", _model(teacher)),
        *(_signal(manifest) if isinstance(manifest, Manifest) else ()),
        *(
            (f"graph {graph.role}", f"{graph.path}, {graph.input.dtype}, opset {graph.opset}")
            for graph in manifest.graphs
        ),
    ]
    return plain_table(f"{manifest.id} {manifest.version}", ("", ""), rows)


def _signal(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """What is said of signals, and of the error."""
    model, domain = manifest.signal_model, manifest.domain
    yield "signal modifiers", ", ".join(model.modifiers) or "none"
    yield "signal uncertainty", f"{model.relative_uncertainty:g} (flat, relative)"
    truncated = domain.delta_nll_max is not None
    yield "truncation", f"Delta NLL <= {domain.delta_nll_max:g}" if truncated else "none"
    yield "stated error", manifest.uncertainty.kind.replace("_", " ")


def _model(teacher: Teacher) -> str:
    """What kind of model it is, and which part of it was used."""
    if teacher.is_workspace:
        return f"measurement {teacher.measurement}, POI {teacher.poi}"
    if teacher.kind == "other":
        return teacher.text
    return "simplified likelihood" + (", third moments" if teacher.third_moments else "")


def _inputs(manifest: Manifest) -> Table:
    lower, upper = manifest.domain.lower, manifest.domain.upper
    rows = [
        (
            item.column,
            item.id,
            item.role,
            f"{item.observed:g}",
            f"{item.background:.6g}",
            f"{lower[item.column]:g} to {upper[item.column]:g}",
        )
        for item in manifest.bins
    ]
    return plain_table(
        "Inputs (signal events)", ("column", "bin", "role", "observed", "background", "domain"), rows
    )


def _curves(manifest: Manifest) -> Table:
    rows = [
        (curve.column, curve.name, f"{curve.baseline_nll:.6f}", curve.alias_of or "")
        for curve in manifest.curves
    ]
    return plain_table("Curves", ("column", "curve", "baseline NLL", "alias of"), rows)


def _metrics(manifest: Manifest) -> Table:
    rows = [
        (
            item.curve,
            item.region,
            item.count,
            *(f"{value:.2g}" for value in (item.median, item.p95, item.p99, item.max)),
        )
        for item in manifest.validation.metrics
    ]
    return plain_table(
        "|error of Delta NLL|", ("curve", "region", "points", "median", "95 %", "99 %", "max"), rows
    )


def _files(manifest: ManifestHead) -> Table:
    rows = [(item.path, item.role, f"{item.bytes}", item.sha256[:12]) for item in manifest.files]
    return plain_table("Files", ("path", "role", "bytes", "sha256"), rows)
