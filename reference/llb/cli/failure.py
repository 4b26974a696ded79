"""How failures reach a person: one line each on stderr, an exit code, and never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

import click

from llb_schema import Finding, FindingError, Severity, finding

__all__ = [
    "EXIT_FINDINGS",
    "EXIT_INTERRUPTED",
    "EXIT_OK",
    "EXIT_UNUSABLE",
    "as_line",
    "as_lines",
    "printable",
    "run",
]

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130
_EXIT_PIPE = 141
# Findings that are shown at once; whoever opens a wrong folder would get one for each file in it.
_SHOWN = 20
# The extra that brings a package which the base installation does without.
_EXTRAS = {
    **dict.fromkeys(("blackjax", "dask", "distributed", "flax", "jax", "jaxlib"), "train"),
    **dict.fromkeys(("optax", "pyarrow", "pyhf"), "train"),
    **dict.fromkeys(("arviz_base", "h5netcdf"), "arviz"),
    **dict.fromkeys(("jinja2", "markupsafe", "matplotlib"), "report"),
    "httpx": "fetch",
    "spey": "spey",
    **dict.fromkeys(("hepdata_lib", "hepdata_validator", "yaml", "PIL"), "hepdata"),
}


def printable(text: str) -> str:
    """The text on one line, with control characters escaped: a bundle's strings must not steer a terminal."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def as_line(item: Finding) -> str:
    """A finding on one line, with what was expected and found, safe to print."""
    parts = [f"{word} {text}" for word, text in (("expected", item.expected), ("got", item.actual)) if text]
    return printable(f"{item} ({', '.join(parts)})" if parts else str(item))


def as_lines(findings: Iterable[Finding]) -> list[str]:
    """The first findings, a line each, and how many more there are; warnings say that they are none."""
    listed = list(findings)
    lines = [
        as_line(item) if item.severity == Severity.ERROR else f"{item.severity}: {as_line(item)}"
        for item in listed[:_SHOWN]
    ]
    if len(listed) > _SHOWN:
        lines.append(as_line(finding("LLB-S016", f"{len(listed) - _SHOWN} more findings are not shown")))
    return lines


def run(command: Callable[[], object]) -> int:
    """Runs a click command made with `standalone_mode=False`; returns the exit code.

    With LLB_DEBUG set in the environment, unexpected errors keep their traceback.
    """
    if getattr(sys, "stdout", None) is None:
        _say(as_line(finding("LLB-X003", "the standard output is closed", hint="Send it to a file.")))
        return EXIT_UNUSABLE
    try:
        result = command()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted.")
        return EXIT_INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Nobody reads the output any more. click and rich turn that into SystemExit, which no command raises.
        _discard_output()
        return _EXIT_PIPE
    except Exception as error:
        for line in _lines(error):
            _say(line)
        if isinstance(error, OSError):
            _discard_output()
        return EXIT_UNUSABLE
    return result if isinstance(result, int) else EXIT_OK


def _discard_output() -> None:
    """What could not be written is given up; a second attempt at exit would only complain once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(error: Exception) -> list[str]:
    """What a person is told about an error."""
    if isinstance(error, FindingError):
        return as_lines(error.findings)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return [printable(line) for line in error.format_message().splitlines()]
    if isinstance(error, click.ClickException):
        return [as_line(finding("LLB-X901", error.format_message(), hint=_help_hint(error)))]
    if os.environ.get("LLB_DEBUG"):
        raise error
    if isinstance(error, ModuleNotFoundError):
        return [as_line(_missing(error))]
    if isinstance(error, OSError):
        what = error.filename or "the output"
        return [as_line(finding("LLB-X003", f"{what}: {error.strerror or error}", hint=""))]
    return [as_line(finding("LLB-X900", f"{type(error).__name__}: {error}"[:300]))]


def _missing(error: ModuleNotFoundError) -> Finding:
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return finding("LLB-X900", f"{type(error).__name__}: {error}")
    extra = _EXTRAS[package]
    message = f"this command needs the package {package}, which comes with the extra '{extra}'"
    return finding("LLB-X001", message, hint=f"pip install 'llb[{extra}]'.")


def _say(line: str) -> None:
    click.echo(line, err=True)


def _help_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See {context.command_path if context else 'llb'} --help."
