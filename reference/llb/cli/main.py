"""The command `llb`: finds the module of a command when it is called, not before."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from llb import __version__
from llb.cli.failure import run

__all__ = ["COMMANDS", "cli", "main"]

# Command: (module, name of the click command in it, short help). The help is repeated here so that
# `llb --help` loads none of the modules; a test compares the two.
COMMANDS = {
    "quickstart": (
        "llb.cli.make",
        "quickstart_command",
        "The whole way on one search: label, train, bundle, validate, limit.",
    ),
    "label": (
        "llb.cli.label",
        "label_command",
        "Exact profile likelihoods of signals, by the full statistical model.",
    ),
    "train": (
        "llb.cli.train",
        "train_command",
        "A bundle from a statistical model, or from its labels.",
    ),
    "train-density": (
        "llb.cli.train_density",
        "train_density_command",
        "A bundle of a density in all parameters.",
    ),
    "validate": ("llb.cli.inspect", "validate_command", "Check a bundle and report every fault."),
    "show": ("llb.cli.inspect", "show_command", "Show what a bundle says."),
    "report": ("llb.cli.report", "report_command", "A bundle as one HTML page."),
    "index": ("llb.cli.index", "index_command", "A page and a list of all bundles in a folder."),
    "diff": ("llb.cli.diff", "diff_command", "What differs between two bundles."),
    "pack": ("llb.cli.pack", "pack_command", "Write a bundle in another form: zip, tar.gz or directory."),
    "upgrade": ("llb.cli.pack", "upgrade_command", "Write a bundle in the current version of the format."),
    "fetch": ("llb.cli.fetch", "fetch_command", "A published bundle, or statistical model, by its DOI."),
    "import": ("llb.cli.interop", "import_command", "A bundle from a file of another format."),
    "export": ("llb.cli.interop", "export_command", "A bundle as a file of another format."),
    "publish": ("llb.cli.publish", "publish_command", "A bundle as a record of HEPData or Zenodo."),
    "explain": ("llb.cli.explain", "explain_command", "What a finding means, its cause and its cure."),
    "conform": (
        "llb.cli.conform",
        "conform_command",
        "Test a loader in any language against the standard.",
    ),
    "eval": ("llb.cli.use", "eval_command", "Delta NLL of signals, or the log density of parameters."),
    "limit": ("llb.cli.use", "limit_command", "CLs and upper limits of signals."),
    "sample": ("llb.cli.density", "sample_command", "Independent draws of a density."),
    "profile": ("llb.cli.density", "profile_command", "Profile and credible intervals of a parameter."),
    "view": ("llb.cli.view", "view_command", "A page that runs a bundle in the browser."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        return getattr(import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="llb")
def cli() -> None:
    """Learned Likelihood Bundles: make, check and use machine-learned likelihoods.

    \b
    Example:
        llb validate stau.llb
        llb limit stau.llb --signal signal.json
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 ok, 1 findings of severity error, 2 unusable input or usage."""
    sys.exit(
        run(lambda: cli.main(args=arguments and list(arguments), prog_name="llb", standalone_mode=False))
    )
