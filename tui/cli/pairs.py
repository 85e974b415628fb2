"""``deskloop pairs``: training examples in and out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from store.errors import SALVAGE
from store.text import counted
from store.words import Split
from tui.cli.context import Cli, force_option, home_option, json_option, pass_cli
from tui.cli.progress import Line
from tui.cli.typed import TYPED
from tui.core import DeskError
from tui.core.importing import Options, UnknownFormat
from tui.core.pair_words import grown_words, put_back_words


@click.group(invoke_without_command=True)
@home_option
@json_option
@click.pass_context
def pairs(ctx: click.Context) -> None:
    """Import, export and list training pairs."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_pairs)


@pairs.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", metavar="F", help="alpaca, messages, sharegpt, csv or turns; default: detected.")
@click.option("--split", type=click.Choice(["train", "heldout"]), help="Put every pair on this side.")
@click.option("--strict", is_flag=True, help="Import everything or, if a row is bad, nothing.")
@click.option(
    "--column", "column", metavar="ROLE=NAME", multiple=True, help="Say what a column contains; can be repeated."
)
@click.option(
    "--columns", metavar="ROLE=NAME,...", help="The same for several columns: instruction=question,output=reply."
)
@click.option("--encoding", metavar="NAME", help="The encoding of FILE: windows-1252, gb18030, ...; default: detected.")
@click.option("--plain-text", "plain", is_flag=True, help="Turn HTML into plain text.")
@home_option
@json_option
@pass_cli
def import_pairs(cli: Cli, /, file: Path, split: Split | None, strict: bool, **reading: Any) -> None:
    """Import pairs or conversations from FILE. Exact duplicates are skipped.

    Bad rows are listed in the desk's exports folder, each with its reason. A column's ROLE is instruction, input,
    output, history, category, lang or split; in a table with one message a row also conversation, role and text.
    """
    columns = _columns(reading.pop("column"), reading.pop("columns"))
    options = Options(columns=columns, **reading)
    line = Line(cli)

    def progress(done: int, total: int, rows: int) -> None:
        line.write(f"{100 * done // max(total, 1):3d}%  {rows} rows")

    result = cli.do(
        lambda desk: desk.importing.bring_in(file, options, split=split, strict=strict, progress=progress), create=True
    )
    line.end()
    counts = {"added": result.added, "duplicates": result.duplicates, "rejected": result.rejected}
    cli.emit({**counts, "notes": list(result.notes)} if result.notes else counts)
    cli.data(f"{result.added} added, {result.duplicates} duplicates skipped, {result.rejected} rejected.")
    for note in result.notes:
        cli.say(note)
    if result.rejects_file:
        cli.say(f"The rejected rows and why: {result.rejects_file}")
    if strict and result.rejected:
        cli.fail(
            "Nothing was imported, because --strict imports all rows or none. Fix the rejected rows and import again."
        )


def _columns(single: tuple[str, ...], several: str | None) -> dict[str, str]:
    named = [*single, *(several.split(",") if several else ())]
    try:
        return dict(part.split("=", 1) for part in named)
    except ValueError:
        raise click.UsageError("A column is named as ROLE=NAME: --column instruction=Question.") from None


@pairs.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", metavar="F", help="alpaca, messages or csv; default: by the file's ending.")
@force_option
@home_option
@json_option
@pass_cli
def export_pairs(cli: Cli, file: Path, format_: str | None, force: bool) -> None:
    """Write all live pairs to the new FILE, in a form that imports again; `-` is standard output."""
    try:
        with cli.stdout_if_named(file) as stdout:
            count, lost = cli.do(lambda desk: desk.importing.export(file, format_, force=force, stdout=stdout))
    except UnknownFormat as error:
        raise click.UsageError(error.sentence) from error
    except OSError as error:
        raise DeskError(f"{file} can't be written: {error.strerror or error}.") from error
    if stdout is None:
        cli.emit({"exported": count, "file": str(file)} | ({"lost": len(lost)} if lost else {}))
        cli.data(f"{counted(count, 'pair')} written to {file}.")
    else:
        cli.say(f"{counted(count, 'pair')} written.")
    if lost:
        cli.fail(f"The desk is damaged: at {len(lost)} numbers of pairs nothing could be read. {SALVAGE}")


@pairs.command("hold-out")
@click.option("--undo", is_flag=True, help="Let what this command held out train again, unless a run has used it.")
@home_option
@json_option
@pass_cli
def hold_out(cli: Cli, undo: bool) -> None:
    """Hold out more pairs to check new versions with.

    It takes one phrasing of each answer that has the fewest held out. A pair that a run has used, a correction, and the
    only phrasing of an answer stay where they are.
    """

    count = cli.do(lambda desk: desk.pairs.fewer_tests() if undo else desk.pairs.more_tests())
    tests = cli.read(lambda desk: desk.pairs.count(split="heldout"))
    cli.emit({"put_back" if undo else "held_out": count, "tests": tests})
    cli.data(put_back_words(count) if undo else grown_words(count, tests))


@pairs.command("list")
@click.option("--split", type=click.Choice(["train", "heldout"]), help="Only this side.")
@click.option("--query", type=TYPED, metavar="TEXT", help="Only pairs that contain TEXT (-: standard input).")
@click.option("--limit", type=click.IntRange(1), help="At most this many.")
@home_option
@json_option
@pass_cli
def list_pairs(cli: Cli, split: Split | None, query: str | None, limit: int | None) -> None:
    """List live pairs in the order they came in."""
    rows, total = cli.read(
        lambda desk: (
            desk.pairs.live(split=split, query=query, limit=limit),
            desk.pairs.count(split=split, query=query),
        )
    )
    for pair in rows:
        cli.emit(asdict(pair))
        question, answer = (" ".join(text.split())[:60] for text in (pair.instruction, pair.output))
        cli.data(f"{pair.id:>6}  {pair.split:<8} {pair.source:<10} {question}  ->  {answer}")
    cli.say(f"{len(rows)} of {total} pairs.")
