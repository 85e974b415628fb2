"""What a row of a file becomes, and the two ways in which it may not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from store.pairs import NewPair
from store.records import Exchange, Split
from store.text import clean

LONGEST = 200_000  # characters in one text: beyond any message, and beyond what a model could read


class ImportRefused(ValueError):
    """A whole file that can't be imported; the message is a sentence."""


class RowRejected(ValueError):
    """One row that can't be imported; the message is the reason."""


@dataclass(frozen=True, slots=True)
class NewConversation:
    """A conversation held elsewhere: (role, text) turns, role "customer" or "agent"."""

    turns: tuple[tuple[str, str], ...]
    title: str
    category: str | None
    lang: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What one row holds: pairs, and for the conversation form the conversation they come from."""

    pairs: tuple[NewPair, ...]
    conversation: NewConversation | None = None


def text_of(value: Any, name: str, *, empty: bool = False) -> str:
    """*value* as clean text. Raises :class:`RowRejected` if it is no text, is empty, or is far too long."""
    if isinstance(value, list):  # chat messages may come in parts
        value = "\n".join(text_of(_part(part, name), name, empty=True) for part in value)
    if not isinstance(value, str):
        raise RowRejected(f"{name} is {'missing' if value is None else 'not text'}")
    if len(value) > LONGEST:
        raise RowRejected(f"{name} is longer than {LONGEST} characters")
    text = clean(value).strip()
    if not text and not empty:
        raise RowRejected(f"{name} is empty")
    return text


def _part(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        if part.get("type", "text") != "text":
            raise RowRejected(f"{name} holds a part that is not text ({part.get('type')!r})")
        return part.get("text", part.get("value"))
    return part


def word_of(row: dict[str, Any], *names: str) -> str | None:
    """A short optional text under the first of *names* that has one."""
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return " ".join(clean(value).split())[:200]
    return None


def split_of(row: dict[str, Any]) -> Split | None:
    """The side the row itself names."""
    value = row.get("split")
    return cast(Split, value) if value in ("train", "heldout") else None


def pairs_of_dialogue(
    turns: list[tuple[str, str, bool]], row: dict[str, Any], default_lang: str | None = None
) -> tuple[NewPair, ...]:
    """One pair for every answer of a dialogue of (role, text, learn) turns; role "customer" or "bot".

    Several turns of one side in a row count as one. Raises :class:`RowRejected` if there is no answer to learn."""
    merged: list[tuple[str, str, bool]] = []
    for role, text, learn in turns:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]}\n{text}", merged[-1][2] or learn)
        else:
            merged.append((role, text, learn))
    if merged and merged[0][0] == "bot":
        merged.pop(0)  # a greeting answers nobody
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


def refuse_other_data(row: dict[str, Any]) -> None:
    """Raise :class:`ImportRefused` for data that looks alike but teaches something else."""
    if {"chosen", "rejected"} <= set(row):
        raise ImportRefused(
            "This file holds preferences (chosen and rejected answers, for DPO), not pairs. Nothing was imported. "
            "Export the chosen answers as instruction and output to use them."
        )
    turns = row.get("conversations") or row.get("messages") or []
    roles = (
        {turn.get("from", turn.get("role")) for turn in turns if isinstance(turn, dict)}
        if isinstance(turns, list)
        else set()
    )
    if row.get("tools") or roles & {"function_call", "observation", "tool", "function"}:
        raise ImportRefused(
            "This file holds tool calls, which this bot does not make. Nothing was imported. Remove those rows, or "
            "export plain questions and answers."
        )
