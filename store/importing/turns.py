"""Conversations: ``{"conversation": ..., "turns": [{"role": "customer|agent", "text": ...}]}``.

Each becomes a conversation of the desk, and every answer in it a pair with the turns before it as history. Several
turns of one side in a row become one, and what an agent says before any customer is left out, in both alike: so an
imported conversation reads as its pairs do, and goes on from there.
"""

from __future__ import annotations

from typing import Any

from store.importing.rows import Item, NewConversation, RowRejected, by_turns, pairs_of_dialogue, role_of, text_of

ROLES = {"customer": "customer", "user": "customer", "agent": "bot", "bot": "bot", "assistant": "bot"}


def fits(row: dict[str, Any]) -> bool:
    """Whether *row* is of this form."""
    return isinstance(row.get("turns"), list)


def parse(row: dict[str, Any]) -> Item:
    """The conversation in *row* and its pairs."""
    turns: list[tuple[str, str, bool]] = []
    for place, turn in enumerate(row["turns"], 1):
        if not isinstance(turn, dict):
            raise RowRejected(f"turn {place} is not an object")
        side = role_of(turn.get("role"), ROLES, f"turn {place}", "customer or agent")
        turns.append((side, text_of(turn.get("text"), f"turn {place}"), True))
    pairs = pairs_of_dialogue(turns, row)
    kept = tuple(("customer" if side == "customer" else "agent", text) for side, text, _ in by_turns(turns))
    return Item(pairs, NewConversation(kept, kept[0][1]))
