"""Data in."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

from store.importing import ImportRefused, ImportResult
from store.importing.importer import Progress
from tui.core import DeskService
from tui.core.importing import import_into, preview_of
from tui.flows.stage import Stage
from tui.screens.dialog import Tell, Wait
from tui.screens.import_file import ImportDialog
from tui.screens.import_preview import ImportPreviewDialog

Read = TypeVar("Read", covariant=True)


class Reader(Protocol[Read]):
    """Reads a file beside the event loop."""

    async def __call__(
        self, service: DeskService, path: Path, file_format: str | None = None, *, progress: Progress | None = None
    ) -> Read:
        """What came of it."""
        ...


async def import_file(stage: Stage) -> None:
    """Ask for a file, show what would come in, and if that is wanted, import it and say what came of it."""
    chosen: tuple[Path, str | None] | None = await stage.show(ImportDialog())
    if chosen is None:
        return
    name = chosen[0].name
    try:
        found = await _reading(stage, f"Reading {name}", preview_of, chosen)
        if not await stage.show(ImportPreviewDialog(name, found)):
            return
        result = await _reading(stage, f"Importing {name}", import_into, chosen)
    except ImportRefused as error:
        await stage.show(Tell("Nothing was imported", str(error)))
        return
    stage.chat.follows.refresh()
    await stage.show(Tell("Imported", *sentences(result)))


async def _reading(stage: Stage, title: str, read: Reader[Read], chosen: tuple[Path, str | None]) -> Read:
    """What *read* makes of the file, with a word on how far it is."""
    wait = Wait(title)
    stage.app.push_screen(wait)

    def progress(done: int, total: int, rows: int) -> None:
        share = 100 * done // max(1, total)
        stage.app.call_from_thread(wait.say, f"{share} % of the file, {rows} rows")

    try:
        return await read(stage.service, *chosen, progress=progress)
    finally:
        wait.done()


def sentences(result: ImportResult) -> list[str]:
    """What came of an import."""
    told = [f"{result.added} pairs were added; {result.duplicates} were there already and were skipped."]
    if result.conversations:
        told.append(f"{result.conversations} conversations were added.")
    if result.rejected:
        told.append(f"{result.rejected} rows could not be used. Each is listed with its reason in")
        told.append(str(result.rejects_file))
    return told
