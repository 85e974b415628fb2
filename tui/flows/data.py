"""Data in."""

from __future__ import annotations

from pathlib import Path

from store.importing import ImportRefused, ImportResult
from tui.core.importing import import_into
from tui.flows.stage import Stage
from tui.screens.dialog import Tell, Wait
from tui.screens.import_file import ImportDialog


async def import_file(stage: Stage) -> None:
    """Ask for a file, import it, and say what came of it."""
    chosen: tuple[Path, str | None] | None = await stage.show(ImportDialog())
    if chosen is None:
        return
    wait = Wait(f"Importing {chosen[0].name}")
    stage.app.push_screen(wait)

    def progress(done: int, total: int, rows: int) -> None:
        share = 100 * done // max(1, total)
        stage.app.call_from_thread(wait.say, f"{share} % of the file, {rows} rows")

    try:
        result = await import_into(stage.service, *chosen, progress=progress)
    except ImportRefused as error:
        wait.dismiss(None)
        await stage.show(Tell("Nothing was imported", str(error)))
        return
    except BaseException:
        wait.dismiss(None)
        raise
    wait.dismiss(None)
    stage.chat.follows.refresh()
    await stage.show(Tell("Imported", *sentences(result)))


def sentences(result: ImportResult) -> list[str]:
    """What came of an import."""
    told = [f"{result.added} pairs were added; {result.duplicates} were there already and were skipped."]
    if result.conversations:
        told.append(f"{result.conversations} conversations were added.")
    if result.rejected:
        told.append(f"{result.rejected} rows could not be used. Each is listed with its reason in")
        told.append(str(result.rejects_file))
    return told
