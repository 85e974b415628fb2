"""Instruction and output, with ``input`` and ``history`` where they are: JSON, JSONL, and the rows of a CSV."""

from __future__ import annotations

import json
from typing import Any

from store.importing.rows import Item, RowRejected, split_of, text_of, word_of
from store.pairs import NewPair
from store.records import Exchange

# Names under which the two sides are found, the first that is there counts.
INSTRUCTION = ("instruction", "question", "prompt", "query", "customer", "user")
OUTPUT = ("output", "response", "answer", "completion", "reply", "agent", "bot")


def fits(row: dict[str, Any]) -> bool:
    """Whether *row* is of this form."""
    names = {name.casefold() for name in row}
    return any(name in names for name in INSTRUCTION) and any(name in names for name in OUTPUT)


def parse(row: dict[str, Any]) -> Item:
    """The pair in *row*. ``input`` is put below the instruction, as the models of that data were trained."""
    row = {name.casefold(): value for name, value in row.items() if isinstance(name, str)}
    instruction = text_of(_first(row, INSTRUCTION), "instruction")
    if row.get("input"):
        instruction = f"{instruction}\n{text_of(row['input'], 'input')}"
    output = text_of(_first(row, OUTPUT), "output")
    pair = NewPair(
        instruction,
        output,
        _history(row.get("history")),
        word_of(row, "category", "intent"),
        word_of(row, "lang", "language"),
        split_of(row),
    )
    return Item((pair,))


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _history(value: Any) -> tuple[Exchange, ...]:
    if isinstance(value, str) and value.strip():  # a CSV's column
        try:
            value = json.loads(value)
        except ValueError:
            raise RowRejected("history is not a JSON list of [customer, bot] texts") from None
    if value in (None, "", []):
        return ()
    if not isinstance(value, list) or not all(isinstance(side, list) and len(side) == 2 for side in value):
        raise RowRejected("history is not a list of [customer, bot] texts")
    return tuple((text_of(customer, "history"), text_of(bot, "history")) for customer, bot in value)
