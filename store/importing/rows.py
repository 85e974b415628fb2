"""What a row of a file becomes, and the ways in which it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from store.errors import Refused
from store.pairs.new import NewPair
from store.text import clean
from store.words import Exchange, Split

LONGEST_SENTENCE = 600  # characters: a file's own words are quoted in it


class ImportRefused(Refused):
    """A whole file that can't be imported; its sentence is fit for a terminal."""

    def __init__(self, sentence: str) -> None:
        super().__init__(_fit(sentence))


class ColumnsUnknown(ImportRefused):
    """A table whose columns have names that say nothing: somebody has to say which holds what.

    ``columns``: their names; ``rows``: the cells of the first rows."""

    def __init__(self, sentence: str, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> None:
        super().__init__(sentence)
        self.columns, self.rows = columns, rows


class RowRejected(ValueError):
    """One row that can't be imported; the message is the reason, fit for a terminal."""

    def __init__(self, reason: str) -> None:
        super().__init__(_fit(reason))


class Foreign(RowRejected):
    """A row of data that is none of ours. A file with nothing else is refused, by ``sentence`` where there is one."""

    def __init__(self, reason: str, sentence: str | None = None) -> None:
        super().__init__(reason)
        self.sentence = sentence


def _fit(sentence: str) -> str:
    line = " ".join(clean(sentence[: 4 * LONGEST_SENTENCE]).split())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]}…"


class Unreadable(ValueError):
    """Why there is no value in a row; ``raw`` is what stands there. ``sentence``: what a file with nothing
    else is refused by."""

    def __init__(self, reason: str, raw: Any, sentence: str | None = None) -> None:
        super().__init__(reason)
        self.raw, self.sentence = raw, sentence


class TableRow(dict[str, Any]):
    """A row of a table by the names in its header; ``cells``: how many it had if they were fewer than the names."""

    cells: int | None = None


class InnerRow(dict[str, Any]):
    """A row inside a value that holds several; ``place``: which of them."""

    place: int = 0


FileRow = tuple[int, Any]  # the line it begins on, and the value, or the Unreadable that says why there is none


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A conversation held elsewhere: (role, text) turns, role "customer" or "agent", by turns. ``customer``: whose it
    is, or what it is called where it comes from."""

    turns: tuple[tuple[str, str], ...]
    title: str
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """What one row holds: pairs, and for the conversation form the conversation they come from."""

    pairs: tuple[NewPair, ...]
    conversation: NewConversation | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says about all its pairs."""

    category: str | None = None
    lang: str | None = None
    split: Split | None = None


@dataclass(slots=True)
class Turn:
    """What one side says in a dialogue. ``learned``: the part of an answer that may be learned, None if none may."""

    role: str
    text: str
    learned: str | None


def by_turns(turns: list[Turn]) -> list[Turn]:
    """*turns* with several of one side in a row as one, beginning with the customer: a greeting answers nobody.

    What is not to be learned is joined for the history, and left out of what is."""
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].role == turn.role:
            last = merged[-1]
            last.text = _joined(last.text, turn.text)
            if turn.learned is not None:
                last.learned = turn.learned if last.learned is None else _joined(last.learned, turn.learned)
        elif merged or turn.role == "customer":
            merged.append(Turn(turn.role, turn.text, turn.learned))
    return merged


def _joined(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


def pairs_of_dialogue(merged: list[Turn], facts: Facts) -> tuple[NewPair, ...]:
    """One pair for every answer that is to be learned in a dialogue as :func:`by_turns` gives it.

    Raises :class:`RowRejected` if there is none."""
    history: list[Exchange] = []
    pairs = []
    answered = False
    for customer, bot in zip(merged[::2], merged[1::2], strict=False):
        answered |= bool(customer.text and bot.text)
        if customer.text and bot.learned:
            pairs.append(NewPair(customer.text, bot.learned, tuple(history), facts.category, facts.lang, facts.split))
        if customer.text and bot.text:
            history.append((customer.text, bot.text))
    if not pairs:
        raise RowRejected(
            "every answer in it is marked as not for training" if answered else "it contains no answer to a customer"
        )
    return tuple(pairs)
