"""Measuring a version on the questions of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from finetune.run.judge import Row, evaluate_file, judging_decoding
from store.importing.pairs_in import pairs_in
from tui.core.errors import DeskError
from tui.core.service import DeskService


async def evaluate(
    service: DeskService, path: Path, file_format: str | None, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Ask the version that serves every question of *path* and score its answers, as the gate would.

    *progress*: answers there are, answers wanted. Raises :class:`DeskError`, and
    :class:`store.importing.ImportRefused` for a file that holds no pairs."""
    rows = [Row(pair.instruction, pair.output, pair.history, pair.lang) for pair in pairs_in(path, file_format)]
    if not rows:
        raise DeskError(f"{path} holds no pairs to evaluate.")
    settings = service.settings
    async with service.keeper.use() as engine:
        return await evaluate_file(
            engine,
            rows,
            version=service.keeper.serving,
            system=settings.system_message,
            decoding=judging_decoding(settings, service.desk),
            on_progress=lambda done, wanted, _: progress(done, wanted),
        )
