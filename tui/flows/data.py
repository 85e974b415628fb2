"""Data in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from store.text import counted
from tui import requests as ask
from tui.core.importing import ColumnsUnknown, FileProgress, ImportRefused, ImportResult, Options
from tui.flows.stage import Stage
from tui.screens.dialog import Tell, Wait
from tui.screens.import_columns import ColumnsDialog
from tui.screens.import_file import ImportDialog
from tui.screens.import_preview import ImportPreviewDialog

Read = TypeVar("Read", covariant=True)


class Reader(Protocol[Read]):
    """Reads a file beside the event loop."""

    async def __call__(self, path: Path, options: Options, *, progress: FileProgress | None = None) -> Read:
        """What came of it."""
        ...


async def import_file(stage: Stage, _: ask.ImportFile | None = None) -> None:
    """Ask for a file, show what would come in, and if that is wanted, import it and say what came of it."""
    chosen = await stage.open(ImportDialog(stage.desk.reach))
    if chosen is None:
        return
    path, options = chosen[0], Options(chosen[1])
    try:
        wanted = await _agreed(stage, path, options)
        if wanted is None:
            return
        result = await _reading(stage, f"Importing {path.name}", stage.desk.importing.bring_in, path, wanted)
    except ImportRefused as error:
        await stage.open(Tell("Nothing was imported", error.sentence))
        return
    stage.store_changed()
    await stage.open(Tell("Imported", *sentences(result)))


async def _agreed(stage: Stage, path: Path, options: Options) -> Options | None:
    """How *path* is to be read: shown, and changed until it is right; None if it is not to be imported."""
    while True:
        found = None
        try:
            found = await _reading(stage, f"Reading {path.name}", stage.desk.importing.preview, path, options)
            choice = await stage.open(ImportPreviewDialog(path.name, found))
            columns, cells = found.columns, found.cells
        except ColumnsUnknown as unknown:
            choice, columns, cells = "columns", unknown.columns, unknown.rows
        if choice == "columns":
            named = await stage.open(ColumnsDialog(columns, cells, options.columns))
            options = options if named is None else replace(options, columns=named)
            if named is None and found is None:
                return None
        elif choice == "plain":
            options = replace(options, plain=True)
        else:
            return options if choice == "import" else None


async def _reading(stage: Stage, title: str, read: Reader[Read], path: Path, options: Options) -> Read:
    """What *read* makes of the file, with a word on how far it is."""
    wait = Wait(title)
    stage.app.push_screen(wait)

    def progress(done: int, total: int, rows: int) -> None:
        share = 100 * done // max(1, total)
        stage.app.call_from_thread(wait.say, f"{share} % of the file, {rows} rows")

    try:
        return await read(path, options, progress=progress)
    finally:
        wait.done()


def sentences(result: ImportResult) -> list[str]:
    """What came of an import."""
    lines = [f"Added: {counted(result.added, 'pair')}. Already there, skipped: {result.duplicates:,}."]
    if result.conversations:
        lines.append(f"Added: {counted(result.conversations, 'conversation')}.")
    if result.rejected:
        lines.append(f"Not used: {counted(result.rejected, 'row')}. Each is listed with its reason in")
        lines.append(str(result.rejects_file))
    return [*lines, *result.notes]
