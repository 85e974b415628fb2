"""What every command shares: the desk's home, ``--json``, printing, and errors turned into one sentence.

stdout is data, stderr is narration. Exit codes are a contract: 0 done, 1 failed, 2 wrong usage (click's own),
3 rejected by the gate, 4 held.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

import click

from finetune.recipe import RecipeError
from store.hidden import replace
from store.home import Home
from store.text import clean
from store.words import Version
from store.writing import STDOUT, TargetRefused
from tui.core import OpenDesk
from tui.core.crashes import explain
from tui.core.errors import with_log

DONE, FAILED, USAGE, REJECTED, INCONCLUSIVE = 0, 1, 2, 3, 4

# JSON leaves these as they are; a terminal or a line-based reader would act on them.
_ACTIVE = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def one_line_json(value: object) -> str:
    """*value* as one line of JSON that is safe to print."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return replace(_ACTIVE.sub(lambda found: _escaped(found.group()), text), _escaped)


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1] if text != "\x7f" else "\\u007f"


@dataclass
class Cli:
    """The options that may stand before or after a command's name, and what follows from them."""

    home: str | None = None
    json: bool = False
    create: bool = False

    # -- printing ---------------------------------------------------------------------------------
    def say(self, text: str, *, nl: bool = True) -> None:
        """Narrate on stderr."""
        with suppress(OSError):  # nobody reads it, or there is no room for it: what is done is done all the same
            click.echo(clean(text), nl=nl, err=True)

    def data(self, text: str, *, nl: bool = True) -> None:
        """Print data for people on stdout; nothing with ``--json``."""
        if not self.json:
            click.echo(clean(text), nl=nl)

    def piece(self, text: str) -> None:
        """Print a piece of a text that was cleaned as a whole: alone, its first character may seem to mean nothing."""
        if not self.json:
            click.echo(text, nl=False)

    def emit(self, value: object) -> None:
        """Print one JSON object on stdout; nothing without ``--json``."""
        if self.json:
            click.echo(one_line_json(value))

    @contextmanager
    def stdout_if_named(self, file: Path) -> Iterator[BinaryIO | None]:
        """Standard output for bytes where *file* is ``-``; it is the data's alone then."""
        if str(file) != STDOUT:
            yield None
            return
        if self.json:
            raise click.UsageError("With --json standard output is taken; name a file.")
        if sys.stdout is None:
            self.fail("Standard output is closed, so nothing was written.")
        yield sys.stdout.buffer

    # -- the desk ---------------------------------------------------------------------------------
    def open_home(self, *, create: bool = False) -> Home:
        """The desk's folder. A new one is made only with *create* or ``--create``, so that a typo makes no desk."""
        return Home.open(self.home, create=create or self.create)

    def desk(self, pin: Version | None = None, *, create: bool = False) -> OpenDesk:
        """The desk, open; ``pin``: answer with this version whatever is active; *create*: see :meth:`open_home`."""
        return OpenDesk(self.open_home(create=create), pin=pin)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run *work* in an event loop of its own."""
        return asyncio.run(work)

    def read(self, question: Callable[[OpenDesk], T]) -> T:
        """One thing at the desk that is done at once."""

        async def work() -> T:
            async with self.desk() as desk:
                return question(desk)

        return self.run(work())

    def do(self, act: Callable[[OpenDesk], Coroutine[Any, Any, T]], *, create: bool = False) -> T:
        """One thing at the desk that may take its time."""

        async def work() -> T:
            async with self.desk(create=create) as desk:
                return await act(desk)

        return self.run(work())

    def fail(self, sentence: str, log: Path | None = None, code: int = FAILED) -> NoReturn:
        """Say what went wrong and end with *code*."""
        self.say(with_log(sentence, log))
        raise click.exceptions.Exit(code)


pass_cli = click.make_pass_decorator(Cli, ensure=True)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        # The innermost occurrence is read last and wins; an absent one must not undo an outer one.
        if value:
            setattr(ctx.ensure_object(Cli), name, value)

    return keep


def home_option(command: F) -> F:
    """``--home`` and ``--create``, before or after the command's name."""
    command = click.option(
        "--create",
        is_flag=True,
        expose_value=False,
        callback=_keep("create"),
        help="Create a desk in that folder if there is none.",
    )(command)
    return click.option(
        "--home",
        type=click.Path(file_okay=False),
        metavar="DIR",
        expose_value=False,
        callback=_keep("home"),
        help="The desk's folder (else DESKLOOP_HOME, else your data folder).",
    )(command)


def json_option(command: F) -> F:
    """``--json``, before or after a subcommand's name."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_keep("json"),
        help="Print only JSON on stdout.",
    )(command)


def force_option(command: F) -> F:
    """``--force``, for a command that writes a file."""
    return click.option("--force", is_flag=True, help="Replace an existing file.")(command)


def sentence_of(home: str | None, error: Exception) -> str:
    """What a command says of any error."""
    more = " Or replace it with --force." if isinstance(error, TargetRefused) and error.taken else ""
    return explain(Home(Home.place(home)), error, "command", " ".join(sys.argv[1:2])) + more


class DeskGroup(click.Group):
    """The root command: no operator ever sees a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors become a sentence on stderr and exit code 1."""
        cli = ctx.ensure_object(Cli)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            cli.fail("Stopped. Everything finished before is saved.")
        except BrokenPipeError:
            raise
        except Exception as error:
            if isinstance(error, RecipeError):
                raise click.UsageError(str(error), ctx) from error
            cli.fail(sentence_of(cli.home, error))
