"""Running the conformance suite from the command line: which cases, a bar, a report, a summary."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import printable
from llb.cli.progress import Stages

if TYPE_CHECKING:
    from llb_conformance.harness import KnownFailure, Settings
    from llb_conformance.report import Summary
    from llb_conformance.suite import Case

__all__ = ["run_suite", "summary_lines"]

_SHOWN = 15


def run_suite(
    settings: Settings,
    cases: Sequence[Case],
    asked: frozenset[str] | None,
    known: Mapping[str, KnownFailure],
    folder: Path | None,
) -> Summary:
    """Runs the cases that apply to a loader, with a bar, and writes the report.

    Args:
        settings: how the loader is run.
        cases: of the suite.
        asked: the classes that have to pass, or None: core and what the loader claims.
        known: failures that are known.
        folder: of the report, or None.

    Raises:
        ClickException: the loader does not start.
    """
    from llb import __version__
    from llb_conformance.harness import (
        Bench,
        LoaderEndedError,
        NoReplyError,
        ProtocolError,
        Result,
        run_cases,
        start_loader,
    )
    from llb_conformance.report import RunLog, summarize, write_report

    with Bench((), settings.seed) as bench:
        try:
            process, _, implementation = start_loader(settings, bench)
        except (NoReplyError, LoaderEndedError, ProtocolError) as error:
            raise click.ClickException(
                f"the loader does not start: {error}. See what it says: llb conform smoke"
            ) from error
        process.end()
    required = asked if asked is not None else implementation.classes | {"core"}
    wanted = required | {"recommended"} if asked is None else required
    applicable = [
        item
        for item in cases
        if item.conformance_class in wanted and item.applies_to(implementation.classes | {"core"})
    ]
    with tempfile.TemporaryDirectory() as spare, Stages() as stages:
        target = Path(spare) if folder is None else folder
        names = {bundle.name for item in applicable for bundle in item.bundles}
        with Bench(applicable, settings.seed, stages("Writing the bundles", len(names))) as bench:
            stage = stages(f"Asking {printable(implementation.name)}", len(applicable))
            failed = 0

            def finished(result: Result) -> None:
                nonlocal failed
                log.add(result)
                failed += not result.passed
                stage.note(f"{failed} not passed" if failed else "")
                stage(1)

            with RunLog(target, implementation, required, settings.seed, __version__, known) as log:
                try:
                    run_cases(settings, bench, applicable, finished)
                except KeyboardInterrupt:
                    write_report(summarize(log.finish(interrupted=True)), target)
                    raise
                summary = summarize(log.finish())
        if folder is not None:
            write_report(summary, folder)
    return summary


def summary_lines(summary: Summary, folder: Path | None) -> Iterable[str]:
    """The summary for people, a line each."""
    records: Mapping[str, Any] = {record["case"]: record for record in summary.run.results}
    for name in summary.failures[:_SHOWN]:
        record = records[name]
        yield f"{record['outcome']}: {name}: {record['message']}"
    if len(summary.failures) > _SHOWN:
        yield f"... and {len(summary.failures) - _SHOWN} more"
    for name in summary.no_longer_failing:
        yield f"known to fail, and passed: {name}; take it off the list"
    for name, item in summary.classes.items():
        notes = [] if item.required else ["need not pass"]
        notes += [] if item.claimed else ["not claimed by the loader"]
        notes += [f"{item.known} known to fail"] if item.known else []
        noted = f" ({', '.join(notes)})" if notes else ""
        yield f"{name}: {item.passed} of {item.cases}{noted}"
    who = summary.run.header["implementation"]
    verdict = (
        "conforming" if summary.conforming else "fails as known" if summary.as_known else "not conforming"
    )
    yield f"{who['name']} {who['version']}: {verdict}, {summary.run.footer['seconds']:.1f} s"
    if folder is not None:
        yield f"The report: {folder / 'report.html'}"
