"""Pairs on their way in: made ready without the database, then written inside somebody's transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass

from store.database import Database
from store.errors import Refused
from store.personal import Kind, kinds
from store.search import index_pair
from store.settings import SettingsTable
from store.text import clean, content_hash, language, segment, split_key, visible
from store.times import now
from store.words import Exchange, Source, Split

LONGEST = 200_000  # characters in one text: beyond any message, and beyond what a model could read
LONGEST_WORD = 200  # characters in a category
# Why a pair is excluded, where nobody gave a reason of their own.
CORRECTED = "corrected"  # a test whose question was corrected, and trains now
REJECTED = "marked as wrong"  # an approval whose reply was rejected later
WITHDRAWN = "withdrawn"  # the judgement it came of was taken back


@dataclass(frozen=True, slots=True)
class NewPair:
    """A pair on its way in. ``split`` None: the side is decided by the keyed hash of the question."""

    instruction: str
    output: str
    history: tuple[Exchange, ...] = ()
    category: str | None = None
    lang: str | None = None
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class ReadyPair:
    """A pair that only needs to be written: clean, hashed, segmented for the search. ``history`` is JSON."""

    key: str
    digest: str
    instruction: str
    history: str
    output: str
    lang: str
    category: str | None
    split: Split | None
    body: str
    personal: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a pair comes from, and who brought it. ``ref``: a judgement, or a file's name; ``reply_id``: the reply that
    was judged."""

    source: Source
    who: str
    ref: str | None = None
    reply_id: int | None = None


class PairWriter:
    """The two halves of adding a pair. Everything slow is in :meth:`ready`, which holds up nobody."""

    def __init__(self, db: Database, settings: SettingsTable) -> None:
        self._db, self._settings = db, settings

    def ready(self, new: NewPair) -> ReadyPair:
        """*new* made ready. Raises :class:`Refused` if a side is empty or far too long."""
        instruction, output = _text(new.instruction, "instruction"), _text(new.output, "output")
        exchanges = ((clean(customer).strip(), clean(bot).strip()) for customer, bot in new.history)
        history = tuple(
            exchange for exchange in exchanges if all(map(visible, exchange))
        )  # half an exchange teaches nothing
        lang = language(new.lang, f"{instruction} {output}")
        return ReadyPair(
            key=split_key(self._settings.secret(), instruction, history),
            digest=content_hash(instruction, history, output),
            instruction=instruction,
            history=json.dumps(history, ensure_ascii=False),
            output=output,
            lang=lang,
            category=_word(new.category),
            split=new.split,
            body=segment(f"{instruction}\n{output}"),
            personal=kinds((instruction, output, *(side for exchange in history for side in exchange)), lang),
        )

    def heldout_share(self) -> float:
        """The share of new questions that become tests."""
        return self._settings.load().heldout_share

    def known(self, digest: str) -> bool:
        """Whether exactly this pair is there, live or excluded by somebody."""
        row = self._db.one(
            "SELECT 1 FROM pairs WHERE content_sha256 = ? AND superseded_by IS NULL AND excluded_why IS NOT ?",
            digest,
            WITHDRAWN,
        )
        return row is not None

    def write(self, pair: ReadyPair, origin: Origin, share: float) -> int | None:
        """Write *pair* and return its id; None if exactly this pair is there already, live or excluded: what an
        operator took out does not come back by importing its file again. To be called inside a transaction."""
        judged = origin.source in ("correction", "approval")  # what an operator says now is never a duplicate
        if not judged and self.known(pair.digest):
            return None
        was = self._db.value("SELECT split FROM splits WHERE key = ?", pair.key)
        self._decide_side(pair, origin.source, was, share)
        number = self._db.insert(
            "INSERT INTO pairs (key, content_sha256, instruction, history, output, lang, category, source, "
            "source_ref, reply_id, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            pair.key,
            pair.digest,
            pair.instruction,
            pair.history,
            pair.output,
            pair.lang,
            pair.category,
            origin.source,
            origin.ref,
            origin.reply_id,
            now(),
            origin.who,
        )
        index_pair(self._db, number, pair.body)
        if pair.personal:
            self._db.run("INSERT INTO personal_data (pair_id, kinds) VALUES (?, ?)", number, ",".join(pair.personal))
        if origin.source == "correction" and was == "heldout":
            self._displace(pair.key, number, origin.who)
        return number

    def _displace(self, key: str, correction: int, who: str) -> None:
        """Put the test pairs of a question out: it trains from here on."""
        self._db.run(
            "UPDATE pairs SET excluded_at = ?, excluded_by = ?, excluded_why = ?, displaced_by = ? "
            "WHERE key = ? AND id != ? AND excluded_at IS NULL AND superseded_by IS NULL",
            now(),
            who,
            CORRECTED,
            correction,
            key,
            correction,
        )

    def _decide_side(self, pair: ReadyPair, source: Source, side: Split | None, share: float) -> None:
        """Which side the question of *pair* is on from here on; *side*: where it was."""
        if source == "correction":
            self.set_side(pair.key, "train", "correction")
        elif side is None:
            if pair.split is not None:
                self.set_side(pair.key, pair.split, "import")
            else:
                self.set_side(pair.key, "heldout" if int(pair.key[:8], 16) / 2**32 < share else "train", "hash")

    def set_side(self, key: str, side: Split, reason: str) -> None:
        """Put a question on a side."""
        self._db.run(
            "INSERT INTO splits (key, split, reason, decided_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET split = excluded.split, reason = excluded.reason, "
            "decided_at = excluded.decided_at WHERE split != excluded.split",
            key,
            side,
            reason,
            now(),
        )


def _text(value: str, name: str) -> str:
    text = clean(value).strip()
    if not visible(text):
        raise Refused(f"The {name} is empty.")
    if len(text) > LONGEST:
        raise Refused(f"The {name} is longer than {LONGEST} characters.")
    return text


def _word(value: str | None) -> str | None:
    return " ".join(clean(value).split())[:LONGEST_WORD].strip() or None if value else None
