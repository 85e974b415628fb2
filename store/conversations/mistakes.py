"""What the bot should not have said: the replies that operators found wrong, for objectives that learn from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store.conversations import Conversations
from store.database import Database
from store.pairs import FLAGGED, LIVE
from store.personal import kinds
from store.settings import SettingsTable
from store.text import content_hash, language, visible
from store.words import ERASED, Exchange

_AT_ONCE = 500  # ids in one question: SQLite takes a thousand values


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong reply, the customer's message it answered, and what was said before. Nobody said what is right."""

    reply_id: int
    instruction: str
    history: tuple[Exchange, ...]
    wrong: str


class Mistakes:
    """The repository of ``desk.mistakes``. It only reads. What was erased is in neither answer, nor what a correction
    said instead of the bot; with the policy *block* nothing that holds personal data is, unless its pair was cleared.
    """

    def __init__(self, db: Database, conversations: Conversations, settings: SettingsTable) -> None:
        self._db, self._conversations, self._settings = db, conversations, settings

    def rejected(self) -> list[Mistake]:
        """The replies that stand as wrong without a correction, the oldest first; but for those that say just what a
        live pair teaches for the same question and history."""
        rows = self._db.all(
            "SELECT t.id, t.in_reply_to FROM replies r JOIN turns t ON t.id = r.turn_id "
            "WHERE r.judgement = 'rejected' AND r.from_correction IS NULL ORDER BY r.turn_id"
        )
        return [mistake for row in rows if (mistake := self._mistake(row["id"], row["in_reply_to"])) is not None]

    def corrected(self, pair_ids: Sequence[int]) -> dict[int, str]:
        """Of those of *pair_ids* that are corrections: the text of the reply that was corrected. Without replies that
        say nothing, or say what the pair does."""
        block = f"AND NOT {FLAGGED}" if self._blocks else ""
        found: dict[int, str] = {}
        for start in range(0, len(pair_ids), _AT_ONCE):
            some = pair_ids[start : start + _AT_ONCE]
            rows = self._db.all(
                "SELECT p.id, p.lang, p.output, coalesce(r.draft, t.text) AS text, "
                "EXISTS (SELECT 1 FROM cleared c WHERE c.pair_id = p.id) AS cleared "
                "FROM pairs p JOIN turns t ON t.id = p.reply_id JOIN replies r ON r.turn_id = t.id "
                "WHERE p.source = 'correction' AND r.from_correction IS NULL "
                f"AND p.id IN ({','.join('?' * len(some))}) {block}",
                *some,
            )
            for row in rows:
                wrong = row["text"].strip()
                if (
                    wrong != row["output"]
                    and self._may_teach((wrong,))
                    and not (self._blocks and not row["cleared"] and kinds((wrong,), row["lang"]))
                ):
                    found[row["id"]] = wrong
        return found

    def _mistake(self, reply_id: int, message_id: int) -> Mistake | None:
        instruction = self._conversations.turn(message_id).text.strip()
        wrong = self._conversations.turn(reply_id).proposed.strip()
        said = ((customer.strip(), bot.strip()) for customer, bot in self._conversations.history(message_id))
        history = tuple(exchange for exchange in said if all(map(visible, exchange)))  # as pairs keep it
        texts = (instruction, wrong, *(side for exchange in history for side in exchange))
        digest = content_hash(instruction, history, wrong)
        if not self._may_teach(texts) or (self._blocks and kinds(texts, language(None, f"{instruction} {wrong}"))):
            return None
        if self._db.one(f"SELECT 1 FROM pairs p WHERE p.content_sha256 = ? AND {LIVE}", digest) is not None:
            return None
        return Mistake(reply_id, instruction, history, wrong)

    @property
    def _blocks(self) -> bool:
        return self._settings.load().personal_data == "block"

    @staticmethod
    def _may_teach(texts: Sequence[str]) -> bool:
        return all(visible(text) and ERASED not in text for text in texts)
