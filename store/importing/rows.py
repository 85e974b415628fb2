"""What a row of a file becomes, and the two ways in which it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from store.pair_writing import LONGEST, NewPair
from store.records import Exchange, Split
from store.text import clean, visible

LONGEST_SENTENCE = 600  # characters: a file's own words are quoted in it


class ImportRefused(ValueError):
    """A whole file that can't be imported; the message is a sentence, fit for a terminal."""

    def __init__(self, sentence: str) -> None:
        super().__init__(_fit(sentence))


class RowRejected(ValueError):
    """One row that can't be imported; the message is the reason, fit for a terminal."""

    def __init__(self, reason: str) -> None:
        super().__init__(_fit(reason))


def _fit(sentence: str) -> str:
    line = " ".join(clean(sentence[: 4 * LONGEST_SENTENCE]).split())
    return line if len(line) <= LONGEST_SENTENCE else f"{line[:LONGEST_SENTENCE]}…"


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A conversation held elsewhere: (role, text) turns, role "customer" or "agent", by turns."""

    turns: tuple[tuple[str, str], ...]
    title: str


@dataclass(frozen=True, slots=True)
class Item:
    """What one row holds: pairs, and for the conversation form the conversation they come from."""

    pairs: tuple[NewPair, ...]
    conversation: NewConversation | None = None


def text_of(value: Any, name: str) -> str:
    """*value* as clean text. Raises :class:`RowRejected` if it is no text, is empty, or is far too long."""
    if isinstance(value, list):  # chat messages may come in parts
        value = "\n".join(_part(part, name) for part in value)
    if not isinstance(value, str):
        raise RowRejected(f"{name} is {'missing' if value is None else 'not text'}")
    if len(value) > LONGEST:
        raise RowRejected(f"{name} is longer than {LONGEST} characters")
    text = clean(value).strip()
    if not visible(text):
        raise RowRejected(f"{name} is empty")
    return text


def _part(part: Any, name: str) -> str:
    if isinstance(part, dict):
        if part.get("type", "text") != "text":
            raise RowRejected(f"{name} holds a part that is not text ({str(part.get('type'))[:40]!r})")
        part = part.get("text", part.get("value"))
    if not isinstance(part, str):
        raise RowRejected(f"{name} holds a part that is not text")
    return part


def role_of(value: Any, roles: dict[str, str], name: str, among: str) -> str:
    """The role that *value* names in *roles*. Raises :class:`RowRejected`."""
    if not isinstance(value, str) or value not in roles:
        raise RowRejected(f"{name} is by {str(value)[:40]!r}, not by {among}")
    return roles[value]


def word_of(row: dict[str, Any], *names: str) -> str | None:
    """The optional text under the first of *names* that has one."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None


def split_of(row: dict[str, Any]) -> Split | None:
    """The side the row itself names."""
    value = row.get("split")
    return cast(Split, value) if value in ("train", "heldout") else None


def by_turns(turns: list[tuple[str, str, bool]]) -> list[tuple[str, str, bool]]:
    """*turns* (role, text, learn) with several of one side in a row as one, beginning with the customer: a greeting
    answers nobody."""
    merged: list[tuple[str, str, bool]] = []
    for role, text, learn in turns:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]}\n{text}", merged[-1][2] or learn)
        elif merged or role == "customer":
            merged.append((role, text, learn))
    return merged


def pairs_of_dialogue(
    turns: list[tuple[str, str, bool]], row: dict[str, Any], default_lang: str | None = None
) -> tuple[NewPair, ...]:
    """One pair for every answer of a dialogue of (role, text, learn) turns; role "customer" or "bot".

    Raises :class:`RowRejected` if there is no answer to learn."""
    merged = by_turns(turns)
    history: list[Exchange] = []
    pairs = []
    for (_, customer, _), (_, bot, learn) in zip(merged[::2], merged[1::2], strict=False):
        if learn and customer and bot:
            pairs.append(
                NewPair(
                    customer,
                    bot,
                    tuple(history),
                    word_of(row, "category", "intent"),
                    word_of(row, "lang", "language") or default_lang,
                    split_of(row),
                )
            )
        history.append((customer, bot))
    if not pairs:
        raise RowRejected("there is no answer to a customer in it")
    return tuple(pairs)


_TOOL_ROLES = frozenset({"function_call", "observation", "tool", "tool_call", "tool_response", "function"})
_TOOL_KEYS = ("tool_calls", "function_call")


def refuse_other_data(row: dict[str, Any]) -> None:
    """Raise :class:`ImportRefused` for data that looks alike but teaches something else."""
    names = {name for name in row if isinstance(name, str)}
    if {"chosen", "rejected"} <= names or {"chosen_messages", "rejected_messages"} <= names:
        raise ImportRefused(
            "This file holds preferences (chosen and rejected answers, for DPO), not pairs. Nothing was imported. "
            "Export the chosen answers as instruction and output to use them."
        )
    turns = [turn for name in ("conversations", "messages") for turn in _list(row.get(name)) if isinstance(turn, dict)]
    roles = {role for turn in turns for role in (turn.get("from"), turn.get("role")) if isinstance(role, str)}
    calls = any(turn.get(key) for turn in turns for key in _TOOL_KEYS)
    if row.get("tools") not in (None, "", "[]", []) or roles & _TOOL_ROLES or calls:
        raise ImportRefused(
            "This file holds tool calls, which this bot does not make. Nothing was imported. Remove those rows, or "
            "export plain questions and answers."
        )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
