"""Conversations: ``{"conversation": ..., "turns": [{"role": "customer|agent", "text": ...}]}``.

Each becomes a conversation of the desk, and every answer in it a pair with the turns before it as history.
"""

from __future__ import annotations

from typing import Any

from store.importing.rows import Item, NewConversation, RowRejected, pairs_of_dialogue, text_of, word_of

ROLES = {"customer": "customer", "user": "customer", "agent": "agent", "bot": "agent", "assistant": "agent"}


def fits(row: dict[str, Any]) -> bool:
    """Whether *row* is of this form."""
    return isinstance(row.get("turns"), list)


def parse(row: dict[str, Any]) -> Item:
    """The conversation in *row* and its pairs."""
    turns: list[tuple[str, str]] = []
    for place, turn in enumerate(row["turns"], 1):
        if not isinstance(turn, dict) or turn.get("role") not in ROLES:
            raise RowRejected(f"turn {place} is by nobody known (customer or agent)")
        turns.append((ROLES[turn["role"]], text_of(turn.get("text"), f"turn {place}")))
    dialogue = [("customer" if role == "customer" else "bot", text, True) for role, text in turns]
    title = next((text for role, text in turns if role == "customer"), "")
    conversation = NewConversation(tuple(turns), title, word_of(row, "category"), word_of(row, "lang"))
    return Item(pairs_of_dialogue(dialogue, row), conversation)
