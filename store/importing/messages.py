"""Chat messages: ``{"messages": [{"role": "user", "content": ...}, ...]}``."""

from __future__ import annotations

from typing import Any

from store.importing.rows import Item, RowRejected, pairs_of_dialogue, role_of, text_of

ROLES = {"user": "customer", "human": "customer", "assistant": "bot"}


def fits(row: dict[str, Any]) -> bool:
    """Whether *row* is of this form."""
    return isinstance(row.get("messages"), list)


def parse(row: dict[str, Any]) -> Item:
    """One pair for every assistant message, but for those with ``loss_weight`` 0: they are history only.

    System messages are left out: a desk has its own."""
    turns = []
    for place, message in enumerate(row["messages"], 1):
        if not isinstance(message, dict):
            raise RowRejected(f"message {place} is not an object")
        role = message.get("role")
        if role in ("system", "developer"):
            continue
        side = role_of(role, ROLES, f"message {place}", "user or assistant")
        learn = message.get("loss_weight", 1) != 0
        turns.append((side, text_of(message.get("content"), f"message {place}"), learn))
    return Item(pairs_of_dialogue(turns, row))
