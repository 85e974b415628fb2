"""Rows that hold a question and its answer, with ``input`` and ``history`` where they are."""

from __future__ import annotations

import json
from typing import Any

from store.importing import names
from store.importing.marks import private, ranks, unlearned
from store.importing.rows import Facts, Item, RowRejected
from store.importing.texts import Texts
from store.pairs import NewPair
from store.words import Exchange


def fits(row: dict[str, Any], sure: bool) -> bool:
    """Whether *row* (folded) has columns for both sides; *sure*: under names that mean nothing else."""
    question, answer, certain = names.sides_of(tuple(row))
    return question is not None and answer is not None and (certain or not sure)


def parse(row: dict[str, Any], facts: Facts, texts: Texts) -> Item:
    """The pair in *row*; several where it lists several answers."""
    asked, answered, _ = names.sides_of(tuple(row))
    if asked is None or answered is None:
        raise RowRejected("it has no column for a question or an answer")
    question = texts.question(_one(row[asked]), "instruction")
    for name in names.BELOW:
        if name == asked or (name == "context" and "role" in row):  # a role beside it: the setting that a bot plays in
            continue
        if below := texts.optional(row.get(name), name):
            question = f"{question}\n{below}"
    if isinstance(several := row[answered], list) and ranks(row, several):
        raise RowRejected("it ranks several answers, and does not say which of them is right")
    history = _history(row.get("history"), texts)
    answers = dict.fromkeys(texts.answer(value, "output") for value in _answers(answered, row[answered]))
    return Item(
        tuple(NewPair(question, answer, history, facts.category, facts.lang, facts.split) for answer in answers)
    )


def _answers(name: str, value: Any) -> list[Any]:
    """The answers in a column called *name*."""
    if isinstance(value, dict) and isinstance(value.get("text"), list):  # with where each begins
        value = value["text"]
    elif not (name in names.SEVERAL and isinstance(value, list)):
        return [_one(value)]
    if not value:
        raise RowRejected("output is empty")
    kept = [one for one in value if not (isinstance(one, dict) and _marked(names.folded(one)))]
    if not kept:
        raise RowRejected("every answer in it is marked as not for training")
    return [_text_in(one) for one in kept]


def _marked(answer: dict[str, Any]) -> bool:
    """Whether one of several answers (folded) is not to be learned, or private."""
    return unlearned(answer) is not None or private(answer, message=False)


def _text_in(value: Any) -> Any:
    return names.first(names.folded(value), names.TEXTS) if isinstance(value, dict) else value


def _one(value: Any) -> Any:
    """The only text of a list of one, or of a message."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return _text_in(value) if isinstance(value, dict) and "parts" not in value else value


def _history(value: Any, texts: Texts) -> tuple[Exchange, ...]:
    """The exchanges before; one with a side that says nothing is none."""
    if isinstance(value, str) and value.strip():  # a table's column
        if texts.is_nothing(value):
            return ()
        try:
            value = json.loads(value)
        except ValueError:
            raise RowRejected("history is not a JSON list of [customer, bot] texts") from None
    if value in (None, "", []) or value != value:
        return ()
    if not isinstance(value, list) or not all(isinstance(side, list) and len(side) == 2 for side in value):
        raise RowRejected("history is not a list of [customer, bot] texts")
    exchanges = ((texts.optional(customer, "history"), texts.optional(bot, "history")) for customer, bot in value)
    return tuple((customer, bot) for customer, bot in exchanges if customer and bot)
