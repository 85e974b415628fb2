"""ShareGPT: ``{"conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}]}``."""

from __future__ import annotations

from typing import Any

from store.importing.rows import Item, RowRejected, pairs_of_dialogue, role_of, text_of

ROLES = {"human": "customer", "user": "customer", "gpt": "bot", "assistant": "bot", "chatgpt": "bot", "bot": "bot"}


def fits(row: dict[str, Any]) -> bool:
    """Whether *row* is of this form."""
    return isinstance(row.get("conversations"), list)


def parse(row: dict[str, Any]) -> Item:
    """One pair for every answer."""
    turns = []
    for place, turn in enumerate(row["conversations"], 1):
        if not isinstance(turn, dict):
            raise RowRejected(f"turn {place} is not an object")
        who = turn.get("from")
        if who == "system":
            continue
        side = role_of(who, ROLES, f"turn {place}", "human or gpt")
        turns.append((side, text_of(turn.get("value"), f"turn {place}"), True))
    return Item(pairs_of_dialogue(turns, row))
