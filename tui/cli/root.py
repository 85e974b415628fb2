"""The root command. A command's module is imported when the command is called, so that the app opens fast."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from tui.cli import streams, terminal
from tui.cli.context import DONE, FAILED, Cli, DeskGroup, home_option, json_option

# name: (module, attribute); the order is the order of the help.
COMMANDS = {
    "setup": ("tui.cli.setup", "setup"),
    "ask": ("tui.cli.chatting", "ask"),
    "correct": ("tui.cli.chatting", "correct"),
    "approve": ("tui.cli.chatting", "approve"),
    "wrong": ("tui.cli.chatting", "wrong"),
    "undo": ("tui.cli.chatting", "undo"),
    "pairs": ("tui.cli.pairs", "pairs"),
    "retrain": ("tui.cli.retrain", "retrain"),
    "evaluate": ("tui.cli.evaluate", "evaluate"),
    "bisect": ("tui.cli.bisect", "bisect"),
    "versions": ("tui.cli.versions", "versions"),
    "runs": ("tui.cli.runs", "runs"),
    "settings": ("tui.cli.settings", "settings"),
    "forget": ("tui.cli.forget", "forget"),
    "doctor": ("tui.cli.doctor", "doctor"),
    "backup": ("tui.cli.backup", "backup"),
    "restore": ("tui.cli.backup", "restore"),
    "serve": ("tui.cli.serve", "serve"),
    "demo": ("tui.cli.demo", "demo"),
}


class LazyCommands(DeskGroup):
    """Finds its commands in :data:`COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.command(cls=LazyCommands, invoke_without_command=True)
@click.version_option(package_name="deskloop", prog_name="deskloop")
@home_option
@json_option
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A support desk's chatbot that learns from its operators. Without a command the app opens."""
    if ctx.invoked_subcommand is None:
        if (sentence := terminal.refusal()) is not None:
            ctx.ensure_object(Cli).fail(sentence)
        from tui.app import run_app  # textual is only for the screen

        desk = ctx.ensure_object(Cli)
        ctx.exit(run_app(desk.home, create=desk.create))


def main() -> None:
    """The entry point of the `deskloop` command."""
    streams.prepare()
    streams.ending.watch()
    code = _called()
    if not streams.finish() and code == DONE:
        code = FAILED
    sys.exit(streams.ending.code(code))


def _called() -> int:
    """Run the command that was called; its exit code."""
    try:
        cli(prog_name="deskloop")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED if end.code else DONE
    except KeyboardInterrupt:
        return FAILED
    except OSError as error:  # of what click itself prints, the help
        Cli().say(f"This could not be printed: {error.strerror or error}.")
        return FAILED
    return DONE
