"""Comparing versions at a desk: what to ask, the answers, and the operators' votes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from store.desk import Desk
from store.versions.comparisons import Ballot, Tally, Vote
from store.words import Exchange, Version
from tui.core.beside import Beside
from tui.core.compare import Comparison, Side, answer_all, of_conversation, of_file, of_heldout, of_question, shuffled
from tui.core.evaluation import evaluate
from tui.core.keeper import EngineKeeper
from tui.core.versions import VersionDesk

__all__ = ["Comparison", "ComparisonDesk", "Side", "Tally", "Vote", "shuffled"]


class ComparisonDesk:
    """Comparisons, for one operator."""

    def __init__(self, store: Desk, beside: Beside, engine: EngineKeeper, versions: VersionDesk, who: str) -> None:
        self._store, self._beside, self._engine, self._versions, self._who = store, beside, engine, versions, who

    def of_question(
        self, question: str, history: tuple[Exchange, ...], left: Version, right: Version
    ) -> list[Comparison]:
        """See :func:`tui.core.compare.of_question`."""
        return of_question(question, history, left, right)

    async def of_heldout(self, left: Version, right: Version) -> list[Comparison]:
        """See :func:`tui.core.compare.of_heldout`."""
        return await self._beside.read(lambda store: of_heldout(store, left, right))

    async def of_conversation(self, conversation_id: int, version: Version) -> list[Comparison]:
        """See :func:`tui.core.compare.of_conversation`."""
        return await self._beside.read(lambda store: of_conversation(store, conversation_id, version))

    async def of_file(self, path: Path, left: Version, right: Version) -> list[Comparison]:
        """See :func:`tui.core.compare.of_file`."""
        return await asyncio.to_thread(of_file, path, left, right)

    async def answer(self, comparisons: Sequence[Comparison], heard: Callable[[int, Version, str], None]) -> None:
        """See :func:`tui.core.compare.answer_all`."""
        await answer_all(self._store, self._engine, self._versions, comparisons, heard)

    async def evaluate(self, path: Path, form: str | None, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """See :func:`tui.core.evaluation.evaluate`."""
        return await evaluate(self._store, self._engine, path, form, progress)

    def keep(self, item: Comparison, *, blind: bool) -> None:
        """Keep the vote on *item*, which has one."""
        assert item.vote is not None
        versions, answers = (item.left.version, item.right.version), (item.left.text or "", item.right.text or "")
        ballot = Ballot(item.question, item.history, versions, answers, item.vote, blind)
        self._store.comparisons.add(ballot, self._who)

    def tally(self, first: Version, second: Version) -> Tally:
        """Every vote there is on these two versions."""
        return self._store.comparisons.tally(first, second)
