"""How failures reach a person: one line each on stderr, an exit code, and never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from llb_schema import Finding, FindingError, finding

__all__ = ["EXIT_FINDINGS", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_UNUSABLE", "printable", "run"]

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130
_EXIT_PIPE = 141
# The extra that brings a package which the base installation does without.
_EXTRAS = {
    **dict.fromkeys(("flax", "jax", "jaxlib", "matplotlib", "optax", "pyhf"), "train"),
    "spey": "spey",
}


def printable(text: str) -> str:
    """The text on one line, with control characters escaped: a bundle's strings must not steer a terminal."""
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


def run(command: Callable[[], object]) -> int:
    """Runs a click command made with `standalone_mode=False`; returns the exit code.

    With LLB_DEBUG set in the environment, unexpected errors keep their traceback.
    """
    try:
        result = command()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; a second attempt at exit would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PIPE
    except Exception as error:
        for line in _lines(error):
            _say(line)
        return EXIT_UNUSABLE
    return result if isinstance(result, int) else EXIT_OK


def _lines(error: Exception) -> list[str]:
    """What a person is told about an error."""
    if isinstance(error, FindingError):
        return [str(item) for item in error.findings]
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message().splitlines()
    if isinstance(error, click.ClickException):
        return [str(finding("LLB-X901", error.format_message(), hint=_help_hint(error)))]
    if os.environ.get("LLB_DEBUG"):
        raise error
    if isinstance(error, ModuleNotFoundError):
        return [str(_missing(error))]
    return [str(finding("LLB-X900", f"{type(error).__name__}: {error}"[:300]))]


def _missing(error: ModuleNotFoundError) -> Finding:
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRAS:
        return finding("LLB-X900", f"{type(error).__name__}: {error}")
    extra = _EXTRAS[package]
    message = f"this command needs the package {package}, which comes with the extra '{extra}'"
    return finding("LLB-X001", message, hint=f"pip install 'llb[{extra}]'.")


def _say(line: str) -> None:
    click.echo(printable(line), err=True)


def _help_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See {context.command_path if context else 'llb'} --help."
