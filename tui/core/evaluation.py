"""Measuring a version on the questions of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from finetune.gate.answers import Asker
from finetune.gate.questions import FileQuestion
from store.desk import Desk
from store.importing.pairs_in import pairs_in
from tui.core.errors import DeskError
from tui.core.keeper import EngineKeeper


async def evaluate(
    desk: Desk, keeper: EngineKeeper, path: Path, file_format: str | None, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Ask the version that serves every question of *path* and score its answers, as the gate would.

    *progress*: answers there are, answers wanted. Raises :class:`DeskError`, and
    :class:`store.importing.ImportRefused` for a file that holds no pairs."""
    from finetune.gate.judging import evaluate_file  # scoring is needed here alone, and loads the whole gate

    pairs = pairs_in(path, file_format)
    if not pairs:
        raise DeskError(f"{path} holds no pairs to evaluate.")
    asked = [FileQuestion(pair.instruction, pair.output, pair.history, pair.lang) for pair in pairs]
    async with keeper.turn() as engine:
        return await evaluate_file(
            Asker.of(desk, engine),
            keeper.serving,
            asked,
            on_answered=lambda done, wanted, _: progress(done, wanted),
        )
