"""Imports off the event loop: a large file must not make the chat stutter."""

from __future__ import annotations

import asyncio
from pathlib import Path

from finetune.lengths import too_long, too_long_warning
from store.desk import Desk
from store.importing import ImportPreview, ImportResult, Options, import_file, preview_file
from store.importing.importer import Progress
from store.sample import load_sample
from tui.core.recipes import desk_recipe
from tui.core.service import DeskService


async def import_into(
    service: DeskService, path: Path, options: Options, *, progress: Progress | None = None
) -> ImportResult:
    """Import *path* with a connection of its own, in a thread, which is also where *progress* is called. Raises what
    :func:`store.importing.import_file` raises."""

    def work() -> ImportResult:
        with Desk.open(service.home) as desk:
            return import_file(
                desk,
                path,
                options.form,
                columns=options.columns,
                who=service.who,
                encoding=options.encoding,
                plain=options.plain,
                progress=progress,
            )

    return await asyncio.to_thread(work)


async def preview_of(
    service: DeskService, path: Path, options: Options, *, progress: Progress | None = None
) -> ImportPreview:
    """What an import of *path* would bring in, read in a thread, which is also where *progress* is called. Raises what
    :func:`store.importing.preview_file` raises."""

    def work() -> ImportPreview:
        with Desk.open(service.home) as desk:
            found = preview_file(
                desk,
                path,
                options.form,
                options.columns,
                encoding=options.encoding,
                plain=options.plain,
                progress=progress,
            )
            recipe = desk_recipe(desk, desk.settings.load().recipe)
            if long := too_long(desk, desk.settings.load(), found.long, recipe):
                found.notes.append(too_long_warning(long, recipe))
            return found

    return await asyncio.to_thread(work)


async def load_sample_desk(service: DeskService) -> ImportResult:
    """Load the sample desk, in a thread."""

    def work() -> ImportResult:
        with Desk.open(service.home) as desk:
            return load_sample(desk, service.who)

    return await asyncio.to_thread(work)
