"""What operators do to pairs: one by one or many at once, each time one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from store.database import Database
from store.errors import Refused
from store.pairs import NewPair, Origin, Pairs
from store.pairs.tags import Tags, tag_of
from store.personal import find, redact
from store.records import Pair
from store.times import now
from store.words import ERASED, Exchange


@dataclass(slots=True)
class Outcome:
    """What came of one action on many pairs: those it changed, how many were so already, and why others were left."""

    changed: list[int] = field(default_factory=list)
    same: int = 0
    refused: list[str] = field(default_factory=list)


def _sides(history: tuple[Exchange, ...]) -> tuple[str, ...]:
    return tuple(side for exchange in history for side in exchange)


class PairEditing:
    """The repository of ``desk.editing``. Unknown ids raise :class:`NotThere`."""

    def __init__(self, db: Database, pairs: Pairs, tags: Tags) -> None:
        self._db, self._pairs, self._tags = db, pairs, tags

    # -- one ---------------------------------------------------------------------------------------
    def edit(
        self, pair_id: int, who: str, instruction: str, output: str, history: tuple[Exchange, ...] | None = None
    ) -> Pair:
        """Put a new pair in the place of one; the old one is kept, superseded. Where it came from, its tags and its
        pin go over. The side is that of the new text's question, or the old one's if nobody asked it before.

        Raises :class:`Refused` if nothing is changed, a side is empty, the pair is not live, or
        exactly the new text is there already."""
        with self._db.atomic():
            old = self._pairs.get(pair_id)
            if old.superseded_by is not None or not self._pairs.erased(pair_id):
                self._require_live(old)  # what something was erased from is excluded, and an edit is its only way back
            elif any(
                ERASED in text for text in (instruction, output, *_sides(old.history if history is None else history))
            ):
                raise Refused(f"Write your own words instead of {ERASED}: the bot would learn it.")
            new = NewPair(
                instruction, output, old.history if history is None else history, old.category, old.lang, old.split
            )
            ready = self._pairs.writer.ready(new)
            if ready.digest == self._db.value("SELECT content_sha256 FROM pairs WHERE id = ?", pair_id):
                raise Refused(f"The text of pair {pair_id} was not changed.")
            number = self._pairs.writer.write(ready, Origin(old.source, who, old.source_ref, old.reply_id), 0.0)
            if number is None:
                raise Refused(f"Another pair already has exactly this text. Exclude pair {pair_id} instead.")
            self._db.run("UPDATE pairs SET superseded_by = ? WHERE id = ?", number, pair_id)
            self._tags.carry(pair_id, number)
            edited = self._pairs.get(number)
            if old.pinned and edited.split == "heldout":
                self._db.run("UPDATE pairs SET pinned = 1 WHERE id = ?", number)
            return self._pairs.get(number)

    def redacted(self, pair_id: int) -> tuple[str, str, tuple[Exchange, ...]]:
        """Question, answer and history of a pair with placeholders for personal data; nothing is changed."""
        pair = self._pairs.get(pair_id)

        def without(text: str) -> str:
            return redact(text, pair.lang)

        return (
            without(pair.instruction),
            without(pair.output),
            tuple((without(customer), without(bot)) for customer, bot in pair.history),
        )

    def redactions(self, ids: Sequence[int]) -> list[tuple[int, list[tuple[str, str]]]]:
        """What :meth:`redact_all` would take out: of each pair with something, each piece of personal data beside its
        placeholder, once."""
        found = []
        for pair in map(self._pairs.get, filter(self.is_flagged, ids)):
            texts = (pair.instruction, pair.output, *(text for exchange in pair.history for text in exchange))
            pieces = ((text[one.start : one.end], f"[{one.kind}]") for text in texts for one in find(text, pair.lang))
            found.append((pair.id, list(dict.fromkeys(pieces))))
        return found

    def redact(self, pair_id: int, who: str) -> Pair:
        """Put placeholders in the place of a pair's personal data: an edit. Raises as :meth:`edit` does."""
        return self.edit(pair_id, who, *self.redacted(pair_id))

    # -- many --------------------------------------------------------------------------------------
    def exclude(self, ids: Sequence[int], who: str, why: str | None) -> Outcome:
        """Keep pairs out of training and gate."""
        return self._each(ids, lambda number: self._exclude(number, who, why))

    def restore(self, ids: Sequence[int], who: str) -> Outcome:
        """Take excluded pairs in again."""
        return self._each(ids, lambda number: self._restore(number, who))

    def pin(self, ids: Sequence[int], pinned: bool) -> Outcome:
        """Make pairs tests, or let them be as others are."""
        return self._each(ids, lambda number: self._pin(number, pinned))

    def tag(self, ids: Sequence[int], tag: str, who: str) -> Outcome:
        """Put a tag on pairs. Raises :class:`Refused` for what can't be one."""
        word = tag_of(tag)
        return self._each(ids, lambda number: self._tags.add(number, word, who))

    def untag(self, ids: Sequence[int], tag: str) -> Outcome:
        """Take a tag off pairs. Raises :class:`Refused` for what can't be one."""
        word = tag_of(tag)
        return self._each(ids, lambda number: self._tags.remove(number, word))

    def redact_all(self, ids: Sequence[int], who: str) -> Outcome:
        """Put placeholders instead of personal data, where there is any."""
        return self._each(ids, lambda number: self.is_flagged(number) and self.redact(number, who) is not None)

    def clear(self, ids: Sequence[int], who: str) -> Outcome:
        """Keep the operator's word that flagged pairs may train as they are."""
        return self._each(ids, lambda number: self._clear(number, who))

    def _each(self, ids: Sequence[int], act: Callable[[int], bool]) -> Outcome:
        """*act* on every pair, in one transaction; what raises :class:`Refused` is left as it was."""
        outcome = Outcome()
        with self._db.atomic():
            for number in ids:
                try:
                    with self._db.atomic():
                        changed = act(number)
                except ValueError as error:
                    outcome.refused.append(str(error))
                else:
                    if changed:
                        outcome.changed.append(number)
                    else:
                        outcome.same += 1
        return outcome

    def _exclude(self, number: int, who: str, why: str | None) -> bool:
        pair = self._pairs.get(number)
        if pair.excluded_at is not None:
            return False
        self._require_live(pair)
        self._pairs.exclude(number, who, why)
        return True

    def _restore(self, number: int, who: str) -> bool:
        pair = self._pairs.get(number)
        if pair.superseded_by is not None:
            raise Refused(f"Pair {number} was replaced by pair {pair.superseded_by}. Edit that one.")
        if pair.excluded_at is None:
            return False
        self._pairs.restore(number, who)
        return True

    def _pin(self, number: int, pinned: bool) -> bool:
        pair = self._pairs.get(number)
        if pair.pinned == pinned:
            return False
        self._require_live(pair)
        self._pairs.pin(number, pinned)
        return True

    def _clear(self, number: int, who: str) -> bool:
        self._require_live(self._pairs.get(number))
        if not self.is_flagged(number):
            return False
        self._db.run("INSERT INTO cleared (pair_id, created_at, created_by) VALUES (?, ?, ?)", number, now(), who)
        return True

    def is_flagged(self, number: int) -> bool:
        """Whether a pair holds personal data that nobody has cleared."""
        return (
            self._db.value(
                "SELECT 1 FROM personal_data d WHERE d.pair_id = ? "
                "AND NOT EXISTS (SELECT 1 FROM cleared c WHERE c.pair_id = d.pair_id)",
                number,
            )
            is not None
        )

    def _require_live(self, pair: Pair) -> None:
        if pair.superseded_by is not None:
            raise Refused(f"Pair {pair.id} was replaced by pair {pair.superseded_by}. Edit that one.")
        if pair.excluded_at is not None:
            raise Refused(f"Pair {pair.id} is excluded. Restore it first.")
