"""Who taught a version a wrong answer: its pairs by words, at once, and by their gradients, in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from bot.adapters import CARD_NAME, verify
from bot.bases.base import fingerprint
from bot.types import EngineError
from finetune.bisect.client import compare_gradients
from finetune.bisect.wire import Asked
from finetune.job import JobPair
from store.desk import Desk
from store.errors import NotThere
from store.home import Home
from store.text import detect_language
from store.words import BASE
from tui.core.base import base_spec
from tui.core.beside import Beside
from tui.core.errors import DeskError
from tui.core.nearest import SHOWN, Near, Said, nearest

SHORTLIST = 50  # pairs by words whose gradients are compared: about half a minute with the starter on one core
NONE_KNOWN = "{} was not trained on this desk, so nobody knows by which pairs."

NOT_TAUGHT = "No training taught this reply: it has the words of a correction, pair {}. Edit or exclude that pair."


class BisectDesk:
    """The only way to what taught an answer. Nothing here changes anything."""

    def __init__(self, store: Desk, beside: Beside, home: Home) -> None:
        self._store, self._beside, self._log = store, beside, home.logs / "bisect.log"

    def said(self, reply_id: int) -> Said:
        """What the bot said in a reply. Raises :class:`DeskError` if it is none of the bot's, answers nothing, or has
        the words of a correction."""
        try:
            turn = self._store.conversations.turn(reply_id)
        except NotThere:
            turn = None
        if turn is None or turn.reply is None or turn.in_reply_to is None:
            raise DeskError(f"{reply_id} is not a reply to a message. Nothing was changed; name the number of a reply.")
        if (pair := turn.reply.from_correction) is not None:
            raise DeskError(NOT_TAUGHT.format(pair))
        message = self._store.conversations.turn(turn.in_reply_to)
        history = self._store.conversations.history(message.id)
        return Said(turn.reply.version, message.text, turn.text, history)

    async def nearest(self, said: Said, limit: int = SHOWN) -> list[Near]:
        """The pairs that may have taught it, the most likely first, by words; see :func:`tui.core.nearest.nearest`."""
        return await self._beside.read(lambda store: nearest(store, said, limit))

    async def shortlist(self, said: Said) -> list[Near]:
        """As many of them as gradients are compared of. Raises :class:`DeskError` where no run of this desk made the
        version."""
        found = await self.nearest(said, SHORTLIST)
        if not found:
            who = "The bare base model" if said.version == BASE else said.version
            raise DeskError(NONE_KNOWN.format(who))
        return found

    async def gradients(self, said: Said, found: Sequence[Near], done: Callable[[int], None]) -> list[Near]:
        """*found* with their gradients, in the order of these; *done* is told how many are compared.

        May be cancelled at any moment. Raises :class:`DeskError`, and :class:`finetune.bisect.client.GradientsFailed`.
        """
        asked = await self._beside.read(lambda store: _asked(store, said, found))
        cosines = await compare_gradients(asked, self._log, done)
        compared = [replace(near, gradient=value) for near, value in zip(found, cosines, strict=True)]
        return sorted(compared, key=lambda near: -2.0 if near.gradient is None else near.gradient, reverse=True)


def _asked(store: Desk, said: Said, found: Sequence[Near]) -> Asked:
    """All that the process has to know. The version's files are checked, and that the base is its own."""
    spec = base_spec(store)
    row = store.versions.get(said.version)
    folder = store.home.adapters / row.folder
    try:
        verify(folder, fingerprint(spec))
    except EngineError as error:
        raise DeskError(error.sentence) from error
    pairs = tuple(
        JobPair(pair.instruction, pair.history, pair.output, pair.lang) for pair in (near.row.pair for near in found)
    )
    wrong = JobPair(said.question, said.history, said.answer, detect_language(said.answer))
    return Asked(spec.folder, spec.quantization, spec.digest, str(folder), row.recipe, _system(folder), wrong, pairs)


def _system(folder: Path) -> str:
    """The system message the version was trained with."""
    return str(json.loads((folder / CARD_NAME).read_text(encoding="utf-8")).get("system_message", ""))
