"""``deskloop serve``: the app in a browser."""

from __future__ import annotations

import os
import sys

import click

from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.streams import is_terminal

PASSWORD_VARIABLE = "DESKLOOP_PASSWORD"  # the variable's name
TOKEN_VARIABLE = "DESKLOOP_TOKEN"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@home_option
@json_option
@pass_cli
def serve(cli: Cli, host: str, port: int) -> None:
    """Serve the app to a browser, by a link that is printed and new at every start.

    With a password (DESKLOOP_PASSWORD) the browser asks for that instead; an ADDRESS that others can reach needs one,
    and it is asked for. DESKLOOP_TOKEN gives the link a token of your own, which stays the same.
    """
    try:
        from tui.web import server as web
        from tui.web.door import is_loopback
        from tui.web.secret import Secret, SecretError, new_token
    except ModuleNotFoundError as error:
        cli.fail(f"This needs the extra serve ({error.name} is missing): pip install 'deskloop[serve]'.")
    # No process below this one shall have them.
    password, token = os.environ.pop(PASSWORD_VARIABLE, None), os.environ.pop(TOKEN_VARIABLE, None)
    if password is not None and token is not None:
        cli.fail(f"Give {PASSWORD_VARIABLE} or {TOKEN_VARIABLE}, not both. Nothing was served.")
    if password is None and not is_loopback(host):
        password = _ask(cli, host)
    if password is None and token is None:
        token = new_token()
    try:
        secret = Secret.of("password", password) if password is not None else Secret.of("token", token or "")
    except SecretError as error:
        cli.fail(f"{error.sentence} Nothing was served.")
    server = web.DeskServer(cli.open_home(), host, port, secret)

    def say(url: str) -> None:
        cli.emit({"url": url})
        who = "has the password" if password is not None else "has this link"
        cli.say(f"{url} opens the desk for anyone who {who}. Ctrl-C ends it.")

    try:
        web.serve(server, token, say)
    except OSError as error:
        cli.fail(f"{host}:{port} can't be used: {error.strerror or error}. Choose another with --host or --port.")


def _ask(cli: Cli, host: str) -> str:
    if not is_terminal(sys.stdin):
        cli.fail(
            f"Others can reach {host}, so a password is needed. Give one in {PASSWORD_VARIABLE}, or leave out --host."
        )
    return str(click.prompt("Password for the desk", hide_input=True, confirmation_prompt=True, err=True))
