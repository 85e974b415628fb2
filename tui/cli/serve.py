"""``deskloop serve``: the app in a browser."""

from __future__ import annotations

import os
import sys

import click

from tui.cli.context import Cli, home_option, json_option, pass_cli

PASSWORD_VARIABLE = "DESKLOOP_PASSWORD"  # the variable's name
SHORTEST = 8


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one.")
@home_option
@json_option
@pass_cli
def serve(cli: Cli, host: str, port: int) -> None:
    """Serve the app to a browser on this machine. Any other ADDRESS needs a password (DESKLOOP_PASSWORD, or asked)."""
    try:
        from tui import web
    except ModuleNotFoundError as error:
        cli.fail(f"This needs the extra serve ({error.name} is missing): pip install 'deskloop[serve]'.")
    password = os.environ.pop(PASSWORD_VARIABLE, None)  # no process below this one shall have it
    if password is None and not web.is_loopback(host):
        password = _ask(cli, host)
    if password is not None and len(password) < SHORTEST:
        cli.fail(f"The password is shorter than {SHORTEST} characters. Nothing was served.")
    server = web.DeskServer(cli.open_home(), host, port, password)

    def say(url: str) -> None:
        cli.emit({"url": url})
        cli.say(f"{url} serves the desk{' to whoever has the password' if password else ''}. Ctrl-C ends it.")

    try:
        web.serve(server, say)
    except OSError as error:
        cli.fail(f"{host}:{port} can't be used: {error.strerror or error}. Choose another with --host or --port.")


def _ask(cli: Cli, host: str) -> str:
    if not sys.stdin.isatty():
        cli.fail(
            f"Others can reach {host}, so it is not served without a password. Give one in {PASSWORD_VARIABLE}, or "
            "leave --host away."
        )
    return str(click.prompt("Password for the desk", hide_input=True, confirmation_prompt=True, err=True))
