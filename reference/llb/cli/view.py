"""`llb view`: a bundle at work in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from llb.cli.failure import EXIT_OK
from llb.cli.given import PATH

__all__ = ["view_command"]


@click.command("view", short_help="A page that runs a bundle in the browser.")
@click.argument("bundle", type=PATH)
@click.option(
    "--port", type=click.IntRange(0), default=0, help="Port of the page.  [default: any that is free]"
)
@click.option(
    "--open/--no-open", "opens", default=True, help="Open the page in the browser.  [default: open]"
)
def view_command(bundle: Path, port: int, opens: bool) -> int:
    """A page that runs a bundle in the browser.

    The graph runs in the page itself: yields of bins, or parameters, are dragged, and the curves, CLs and
    upper limits follow. Another bundle that is dropped on the page is checked there: its files and its test
    vectors. The page is served to this machine only, needs no network, and ends with Ctrl-C.

    \b
    Example:
        llb view stau.llb
        llb view stau.llb --no-open --port 8000
    """
    from llb.bundle import read_any_bundle
    from llb.view.page import page
    from llb.view.server import PageServer

    content = page(read_any_bundle(bundle)).encode()
    with PageServer(content, port) as server:
        click.echo(f"{server.url}  (Ctrl-C ends it)")
        if opens:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()
    return EXIT_OK
