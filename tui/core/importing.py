"""Pairs and conversations in from files, and pairs out to them."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from finetune.lengths import too_long, too_long_warning
from store.desk import Desk
from store.exporting import UnknownFormat, export_file
from store.importing import FORMATS, ColumnsUnknown, ImportPreview, ImportRefused, ImportResult, Options, import_file
from store.importing import preview_file as preview
from store.importing.importer import Progress as FileProgress
from store.sample import load_sample
from store.words import Split
from tui.core.beside import Beside
from tui.core.recipes import desk_recipe

__all__ = [
    "FORMATS",
    "ColumnsUnknown",
    "FileProgress",
    "ImportDesk",
    "ImportPreview",
    "ImportRefused",
    "ImportResult",
    "Options",
    "UnknownFormat",
]


class ImportDesk:
    """Files, read and written beside the event loop for one operator: a large one must not make the chat stutter.

    ``progress`` is called in the thread that works. Raises what :mod:`store.importing` and
    :mod:`store.exporting` raise."""

    def __init__(self, beside: Beside, who: str) -> None:
        self._beside, self._who = beside, who

    async def preview(self, path: Path, options: Options, *, progress: FileProgress | None = None) -> ImportPreview:
        """What an import of *path* would bring in."""

        def work(store: Desk) -> ImportPreview:
            found = preview(
                store,
                path,
                options.form,
                columns=options.columns,
                encoding=options.encoding,
                plain=options.plain,
                progress=progress,
            )
            settings = store.settings.load()
            recipe = desk_recipe(store, settings.recipe)
            if long := too_long(store, settings, found.long, recipe):
                found.notes.append(too_long_warning(long, recipe))
            return found

        return await self._beside.work(work)

    async def bring_in(
        self,
        path: Path,
        options: Options,
        *,
        split: Split | None = None,
        strict: bool = False,
        progress: FileProgress | None = None,
    ) -> ImportResult:
        """Import *path*. *split*: the side of questions that the desk does not know; *strict*: all rows or none."""

        def work(store: Desk) -> ImportResult:
            return import_file(
                store,
                path,
                options.form,
                split=split,
                strict=strict,
                columns=options.columns,
                who=self._who,
                encoding=options.encoding,
                plain=options.plain,
                progress=progress,
            )

        return await self._beside.work(work)

    async def sample(self) -> ImportResult:
        """Load the sample desk."""
        return await self._beside.work(lambda store: load_sample(store, self._who))

    async def export(
        self, path: Path, form: str | None = None, *, force: bool = False, stdout: BinaryIO | None = None
    ) -> tuple[int, list[int]]:
        """Write all live pairs to the new file *path*; returns how many, and the numbers at which a damaged desk could
        not be read."""
        lost: list[int] = []
        count = await self._beside.work(
            lambda store: export_file(store, path, form, force=force, stdout=stdout, lost=lost)
        )
        return count, lost
