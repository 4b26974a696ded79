"""A manifest as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llb.bundle import Bundle, Manifest, Teacher, content_id, file_digests
from llb.cli.failure import printable

__all__ = ["print_overview"]


def print_overview(bundle: Bundle) -> None:
    """Prints content id, identity, inputs, curves, signal model, domain, metrics and files of a bundle."""
    console = Console(highlight=False)
    # No cell of a table: whoever compares it needs it whole.
    console.print(f"content id {content_id(file_digests(bundle.container))}", soft_wrap=True)
    manifest = bundle.manifest
    for table in (
        _identity(manifest),
        _inputs(manifest),
        _curves(manifest),
        _metrics(manifest),
        _files(manifest),
    ):
        console.print(table)


def _table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain text: what a bundle says is never read as markup."""
    table = Table(title=Text(title), title_justify="left")
    for name in header:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    return table


def _identity(manifest: Manifest) -> Table:
    analysis, teacher, model, domain = (
        manifest.analysis,
        manifest.teacher,
        manifest.signal_model,
        manifest.domain,
    )
    truncation = "none" if domain.delta_nll_max is None else f"Delta NLL <= {domain.delta_nll_max:g}"
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
        ("signal modifiers", ", ".join(model.modifiers) or "none"),
        ("signal uncertainty", f"{model.relative_uncertainty:g} (flat, relative)"),
        ("truncation", truncation),
        ("stated error", manifest.uncertainty.kind.replace("_", " ")),
        *(
            (f"graph {graph.role}", f"{graph.path}, {graph.input.dtype}, opset {graph.opset}")
            for graph in manifest.graphs
        ),
    ]
    return _table(f"{manifest.id} {manifest.version}", ("", ""), rows)


def _model(teacher: Teacher) -> str:
    """What kind of model it is, and which part of it was used."""
    if teacher.is_workspace:
        return f"measurement {teacher.measurement}, POI {teacher.poi}"
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
    return _table(
        "Inputs (signal events)", ("column", "bin", "role", "observed", "background", "domain"), rows
    )


def _curves(manifest: Manifest) -> Table:
    rows = [
        (curve.column, curve.name, f"{curve.baseline_nll:.6f}", curve.alias_of or "")
        for curve in manifest.curves
    ]
    return _table("Curves", ("column", "curve", "baseline NLL", "alias of"), rows)


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
    return _table(
        "|error of Delta NLL|", ("curve", "region", "points", "median", "95 %", "99 %", "max"), rows
    )


def _files(manifest: Manifest) -> Table:
    rows = [(item.path, item.role, f"{item.bytes}", item.sha256[:12]) for item in manifest.files]
    return _table("Files", ("path", "role", "bytes", "sha256"), rows)
