"""How failures reach a person: one line each on stderr, an exit code, and never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

from llb_schema import FindingError, finding

__all__ = ["EXIT_FINDINGS", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_UNUSABLE", "printable", "run"]

EXIT_OK = 0
EXIT_FINDINGS = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130
_EXIT_PIPE = 141


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
    except FindingError as error:
        for item in error.findings:
            _say(str(item))
        return EXIT_UNUSABLE
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_UNUSABLE
    except click.ClickException as error:
        _say(str(finding("LLB-X901", error.format_message(), hint=_help_hint(error))))
        return EXIT_UNUSABLE
    except (KeyboardInterrupt, click.Abort):
        _say("Interrupted.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; a second attempt at exit would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_PIPE
    except Exception as error:
        if os.environ.get("LLB_DEBUG"):
            raise
        _say(str(finding("LLB-X900", f"{type(error).__name__}: {error}"[:300])))
        return EXIT_UNUSABLE
    return result if isinstance(result, int) else EXIT_OK


def _say(line: str) -> None:
    click.echo(printable(line), err=True)


def _help_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See {context.command_path if context else 'llb'} --help."
