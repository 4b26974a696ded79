"""Commands that make bundles: quickstart. The one door of `llb` to the trainer, opened when it is called."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_OK
from llb.cli.fetch import fetch_model_for
from llb.cli.given import FORMAT, PATH, require_files, require_packages, say
from llb.cli.quickstart_output import (
    QuickstartOutcome,
    QuickstartTask,
    print_quickstart,
    quickstart_document,
)
from llb_schema import FindingError, finding

if TYPE_CHECKING:
    from llb.cli.progress import Stages
    from llb.fetch import FetchedModel
    from llb_trainer.comparison import Comparison, PublishedPatches
    from llb_trainer.peer import SystematicsEffect
    from llb_trainer.pipeline import PipelineResult
    from llb_trainer.teachers.histfactory import HistFactoryTeacher

__all__ = ["quickstart_command"]

_NEEDED = ("jax", "flax", "optax", "pyhf", "matplotlib")
_SUFFIXES = (".zip", ".tar.gz", ".tgz")
_SEED = 20261121
# A search without published signals is shown at some of this many generated ones.
_GENERATED = 40


@click.command("quickstart", short_help="The whole way on one search: label, train, bundle, validate, limit.")
@click.option(
    "--workspace", type=PATH, help="Background-only workspace (pyhf JSON); an invented search if left out."
)
@click.option("--patchset", type=PATH, help="The workspace's signals (pyhf patchset).")
@click.option("--doi", help="Fetch workspace and patchset, as `llb fetch --workspace` does.")
@click.option("--resource", metavar="NAME|N", help="With --doi: which resource of the record.")
@click.option("--region", help="With --doi: which model of the resource.")
@click.option("--measurement", help="Measurement of the workspace; its first one if left out.")
@click.option(
    "--out",
    type=PATH,
    default=Path("quickstart.llb"),
    show_default=True,
    help="The bundle: a directory, or a .zip or .tar.gz archive.",
)
@click.option("--force", is_flag=True, help="Replace a bundle (and a picture) that is there already.")
@click.option(
    "--points",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Signals that pyhf is asked about, too.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=_SEED, show_default=True, help="Of everything random."
)
@FORMAT
def quickstart_command(
    workspace: Path | None,
    patchset: Path | None,
    doi: str | None,
    resource: str | None,
    region: str | None,
    measurement: str | None,
    out: Path,
    force: bool,
    points: int,
    seed: int,
    output: str,
) -> int:
    """The whole way on one search: label, train, bundle, validate, limit.

    Asks the full statistical model for exact profile likelihoods, trains a network on them, writes and
    validates the bundle OUT, and sets its CLs and upper limits beside those of pyhf on the same signals, in a
    table and in a picture next to OUT. Without --workspace on a small invented search that comes with llb;
    with --doi on a published one, which is left in a folder next to OUT.

    \b
    Example:
        llb quickstart --out q.llb
        llb quickstart --workspace BkgOnly.json --patchset patchset.json --out search.llb
        llb quickstart --doi 10.17182/hepdata.90607.v3/r3 --out 1Lbb.llb
    """
    if doi is not None and workspace is not None:
        raise click.UsageError("give --doi or --workspace, not both")
    if patchset is not None and workspace is None:
        raise click.UsageError("--patchset needs the --workspace that it belongs to")
    if doi is None and (resource or region) is not None:
        raise click.UsageError("--resource and --region belong to --doi")
    if measurement is not None and workspace is None and doi is None:
        raise click.UsageError("--measurement needs a --workspace or a --doi")
    fetch = None if doi is None else partial(fetch_model_for, doi, resource, region, overwrite=force)
    task = _checked(workspace, patchset, fetch, measurement, out, force, points, seed)
    from llb.cli.progress import Stages

    with Stages() as stages:
        outcome = _run(task, stages)
    if output == "json":
        click.echo(json.dumps(quickstart_document(outcome, stages.seconds), indent=2, allow_nan=False))
    else:
        print_quickstart(outcome, sum(stages.seconds.values()))
    return EXIT_OK if outcome.report.status == "ok" else EXIT_FINDINGS


def _checked(
    workspace: Path | None,
    patchset: Path | None,
    fetch: Callable[[Path], FetchedModel] | None,
    measurement: str | None,
    out: Path,
    force: bool,
    points: int,
    seed: int,
) -> QuickstartTask:
    """The task, once everything that can be wrong with the input has been looked at: minutes come later."""
    from llb.bundle import check_target

    check_target(out, overwrite=force)
    picture = _beside(out, ".png")
    if picture.exists() and not force:
        raise FindingError(finding("LLB-X002", f"{picture} exists already", pointer=str(picture)))
    require_files(workspace, patchset)
    require_packages(_NEEDED)

    from llb_trainer.comparison import published_signals
    from llb_trainer.quickstart import patchset_path, workspace_path
    from llb_trainer.teachers.histfactory import read_workspace

    if fetch is not None:
        model = fetch(_beside(out, "-model"))
        workspace, patchset = model.workspace, model.patchset
    embedded = workspace is None
    if workspace is None:
        workspace, patchset = workspace_path(), patchset_path()
    search = read_workspace(workspace, measurement)
    published = None if patchset is None else published_signals(patchset, search, ("lumi",))
    if published is not None:
        # Of our own patchset nobody needs a warning.
        say(() if embedded else published.findings)
    return QuickstartTask(search, embedded, patchset, published, out, picture, force, points, seed)


def _beside(out: Path, ending: str) -> Path:
    """Where more goes: `search.png` for `search.llb`, `search.llb.zip` and so on."""
    name = out.name
    for suffix in (*_SUFFIXES, ".llb"):
        name = name.removesuffix(suffix)
    return out.with_name(f"{name or out.name}{ending}")


def _run(task: QuickstartTask, stages: Stages) -> QuickstartOutcome:
    from llb.validation import validate
    from llb_trainer import pipeline
    from llb_trainer.about import workspace_identity
    from llb_trainer.comparison import (
        PublishedPatches,
        compare,
        comparison_picture,
        generated_signals,
        read_patches,
    )
    from llb_trainer.quickstart.plan import quickstart_plan

    plan = quickstart_plan(task.seed)
    made = pipeline.run(
        partial(pipeline.open_workspace, task.search, plan),
        task.published,
        workspace_identity(task.search, task.patchset, task.embedded),
        task.out,
        plan=plan,
        overwrite=task.overwrite,
        on_stage=stages,
    )
    told = stages("Validating the bundle", 1)
    report = validate(task.out, limits=None)
    told(1)
    published = PublishedPatches() if task.patchset is None else read_patches(task.patchset)
    signals = made.published if task.patchset else generated_signals(made.teacher, _GENERATED, task.seed)
    comparison = compare(
        made.teacher,
        made.model,
        signals.names,
        signals.yields,
        plane=published.plane(signals.names) if published.labels else None,
        points=task.points,
        progress=stages,
    )
    effect = _systematics(made, comparison, published, stages)
    title = made.model.bundle.manifest.title
    task.picture.write_bytes(comparison_picture(comparison, published, title))
    return QuickstartOutcome(task, made, report, comparison, effect)


def _systematics(
    made: PipelineResult[HistFactoryTeacher],
    comparison: Comparison,
    published: PublishedPatches,
    stages: Stages,
) -> SystematicsEffect | None:
    """What the patch's own signal uncertainties would change, at the compared signal nearest to exclusion."""
    from llb_trainer.comparison import peer_search
    from llb_trainer.peer import signal_systematics_effect

    known = [
        point
        for point in comparison.points
        if point.name in published.patches and point.pyhf.cls_observed > 0.0
    ]
    if not known:
        return None
    nearest = min(known, key=lambda point: abs(math.log(point.pyhf.cls_observed / 0.05)))
    told = stages("Asking pyhf what the signal's own uncertainties would change", 1)
    try:
        effect = signal_systematics_effect(
            peer_search(made.teacher), nearest.name, published.patches[nearest.name], optima=nearest.optima
        )
    except FindingError as error:
        say(error.findings)
        return None
    told(1)
    return effect
