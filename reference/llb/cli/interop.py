"""`llb import` and `llb export`: other formats to bundles and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import printable
from llb.cli.given import FORMAT, MODIFIERS, PATH, say
from llb_schema import Finding

if TYPE_CHECKING:
    from llb.interop import ChannelShape, OffsetRule, TeacherFacts, TransformSource

__all__ = ["export_command", "import_command"]

_OFFSETS = ("obs-in-control-regions", "bkg")


@click.group("import", short_help="A bundle from a file of another format.")
def import_command() -> None:
    """A bundle from a file of another format.

    \b
    Example:
        llb import olll model.onnx --out search.llb --workspace BkgOnly.json --signal-uncertainty 0
    """


@click.group("export", short_help="A bundle as a file of another format.")
def export_command() -> None:
    """A bundle as a file of another format.

    \b
    Example:
        llb export olll search.llb --out search.onnx
    """


@import_command.command("olll", short_help="A bundle from an OLLL v0.1 model.")
@click.argument("file", type=PATH)
@click.option(
    "--out",
    type=PATH,
    required=True,
    help="Where to: an archive if it ends in .zip, .tar.gz or .tgz, a directory otherwise.",
)
@click.option(
    "--workspace", type=PATH, help="The statistical model that it was learned from (extra 'train')."
)
@click.option("--like", type=PATH, help="A bundle of the same statistical model, in place of --workspace.")
@click.option("--measurement", help="Measurement of the workspace; its first one if left out.")
@click.option(
    "--signal-uncertainty",
    type=click.FloatRange(0, 10),
    help="Relative uncertainty of the signal in the labels, 0 for none; the format has no key for it.",
)
@click.option(
    "--signal-modifiers",
    type=click.Choice(list(MODIFIERS)),
    help="What multiplied the signal besides mu.  [default: lumi]",
)
@click.option(
    "--offset",
    type=click.Choice(_OFFSETS),
    help="What total yields were counted from: observed events in control and validation regions and "
    "background in signal regions, or background everywhere.  [default: obs-in-control-regions]",
)
@click.option(
    "--transforms",
    type=click.Choice(["preprocessing", "run_config"]),
    help="Which description of the transforms counts where two disagree; refused if left out.",
)
@click.option(
    "--run-config", type=PATH, help="The training's configuration as JSON, where the file has YAML."
)
@click.option("--heldout", type=PATH, help="The teacher's Delta NLL at points that training never saw, CSV.")
@click.option("--accept-closure", is_flag=True, help="Take a network that is far from zero at no signal.")
@click.option(
    "--floor-asimov", is_flag=True, help="Lift curves on Asimov data to 0 where they fall below it."
)
@click.option(
    "--optional-control-regions", is_flag=True, help="Signals may leave out control and validation regions."
)
@click.option("--license", "licence", help="SPDX expression, in place of the file's text.")
@click.option("--id", "identifier", help="Id of the bundle, in place of the model's name.")
@click.option("--title", help="Title of the bundle.")
@click.option("--force", "overwrite", is_flag=True, help="Replace a bundle that is there already.")
@FORMAT
def import_olll_command(
    file: Path,
    out: Path,
    workspace: Path | None,
    like: Path | None,
    measurement: str | None,
    signal_uncertainty: float | None,
    signal_modifiers: str | None,
    offset: OffsetRule | None,
    transforms: TransformSource | None,
    run_config: Path | None,
    heldout: Path | None,
    accept_closure: bool,
    floor_asimov: bool,
    optional_control_regions: bool,
    licence: str | None,
    identifier: str | None,
    title: str | None,
    overwrite: bool,
    output: str,
) -> None:
    """A bundle from an OLLL v0.1 model.

    All transforms and the offset of the total yields go into one graph, which takes signal yields and is
    exactly zero at no signal. What the file does not say has to be said: its statistical model, and the
    uncertainty of the signal. What is ambiguous in it is refused, each with what decides it.

    \b
    Example:
        llb import olll model.onnx --out search.llb --workspace BkgOnly.json --signal-uncertainty 0
        llb import olll model.onnx --out search.llb --like trained.llb --signal-uncertainty 0.2
        llb validate search.llb
    """
    if workspace is not None and like is not None:
        raise click.UsageError("give either --workspace or --like")
    if measurement is not None and workspace is None:
        raise click.UsageError("--measurement is for --workspace")
    from llb.interop import ImportChoices, import_olll

    modifiers = None if signal_modifiers is None else MODIFIERS[signal_modifiers]
    choices = ImportChoices(
        offset=offset,
        transforms=transforms,
        run_config=_json_object(run_config),
        signal_modifiers=modifiers,
        signal_uncertainty=signal_uncertainty,
        license=licence,
        id=identifier,
        title=title,
        accept_closure=accept_closure,
        floor_asimov=floor_asimov,
        optional_control_regions=optional_control_regions,
    )
    facts = _facts(workspace, like, measurement)
    report = import_olll(file, out, facts=facts, choices=choices, heldout=heldout, overwrite=overwrite)
    numbers = {"closure": dict(report.closure), "deviation": report.deviation}
    lines = [f"closure {curve} {value:.3g}" for curve, value in report.closure.items()]
    _say_written(report.path, report.findings, output, numbers, lines)


@export_command.command("olll", short_help="A bundle as an OLLL v0.1 model.")
@click.argument("bundle", type=PATH)
@click.option("--out", type=PATH, required=True, help="Where to, a file whose name ends in .onnx.")
@click.option(
    "--channels",
    type=click.Choice(["list", "map"]),
    default="list",
    show_default=True,
    help="How roles of channels are written: the incumbent's adapter runs a list, its validator takes a map.",
)
@click.option("--experiment", help="Experiment, where the bundle does not say it.")
@click.option("--sqrt-s", type=click.FloatRange(0, min_open=True), help="Energy in TeV, likewise.")
@click.option("--arxiv", help="arXiv number of the analysis, likewise.")
@click.option("--reference", help="DOI or address of the statistical model, likewise.")
@click.option("--positive-baselines", is_flag=True, help="Lift baselines that are not positive.")
@click.option("--force", "overwrite", is_flag=True, help="Replace a file that is there already.")
@FORMAT
def export_olll_command(
    bundle: Path,
    out: Path,
    channels: ChannelShape,
    experiment: str | None,
    sqrt_s: float | None,
    arxiv: str | None,
    reference: str | None,
    positive_baselines: bool,
    overwrite: bool,
    output: str,
) -> None:
    """A bundle as an OLLL v0.1 model.

    The incumbent's adapter, and with it SModelS, runs the file as it is: total yields in, four Delta NLL and
    four sigmas out, no transforms outside of the graph. Input in single precision costs what is reported as
    the loss.

    \b
    Example:
        llb export olll search.llb --out search.onnx
        llb export olll search.llb --out search.onnx --channels map --sqrt-s 13 --format json
    """
    from llb.bundle import read_bundle
    from llb.interop import ExportChoices, export_olll

    choices = ExportChoices(
        channels=channels,
        experiment=experiment,
        sqrt_s=sqrt_s,
        arxiv=arxiv,
        reference=reference,
        positive_baselines=positive_baselines,
    )
    report = export_olll(read_bundle(bundle), out, choices=choices, overwrite=overwrite)
    lines = [f"largest difference of Delta NLL {report.loss:.2g}"]
    _say_written(report.path, report.findings, output, {"loss": report.loss}, lines)


def _json_object(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from llb.bundle import parse_json
    from llb.runtime.input_file import read_input

    value = parse_json(read_input(path), str(path))
    if not isinstance(value, dict):
        raise click.UsageError(f"{path} is no JSON object")
    return value


def _facts(workspace: Path | None, like: Path | None, measurement: str | None) -> TeacherFacts | None:
    if like is not None:
        from llb.bundle import read_bundle
        from llb.interop import TeacherFacts

        return TeacherFacts.of_bundle(read_bundle(like))
    if workspace is None:
        return None
    from llb.cli.teacher import workspace_facts

    return workspace_facts(workspace, measurement)


def _say_written(
    path: Path, findings: tuple[Finding, ...], output: str, numbers: dict[str, Any], lines: list[str]
) -> None:
    if output == "json":
        document = {"path": str(path), **numbers, "findings": [item.to_json() for item in findings]}
        click.echo(json.dumps(document, indent=2))
        return
    say(findings)
    click.echo(printable(str(path)))
    for line in lines:
        click.echo(printable(line))
