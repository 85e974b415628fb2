"""Tables and lists with one message a row: rows of one conversation become one row with all its messages.

What was read waits in a file without a name, so that a file with a million messages takes no more memory than one
conversation of it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from store.importing import dialogues, names
from store.importing.names import first, folded
from store.importing.rows import FileRow, Unreadable

_FACTS = (*names.CATEGORY, *names.LANGUAGE, *names.SPLIT, *names.REQUESTERS)
LONGEST = 10_000  # messages of one conversation
_TIME_FORMS = (
    None,
    *(
        f"{day} {time}".strip()
        for day in ("%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y")
        for time in ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M:%S %p")
    ),
    "%a %b %d %H:%M:%S %z %Y",
)  # of all messages of a conversation one and the same


def grouped(rows: Iterator[FileRow]) -> Iterator[FileRow]:
    """*rows*, those with one message each gathered by conversation, after the others."""
    messages: sqlite3.Connection | None = None
    try:
        for line, row in rows:
            thing = folded(row) if isinstance(row, dict) else {}
            if (conversation := conversation_of(thing)) is None:
                yield line, row
                continue
            if messages is None:
                messages = sqlite3.connect("")
                messages.execute("CREATE TABLE messages (conversation TEXT, line INTEGER, message TEXT)")
            messages.execute("INSERT INTO messages VALUES (?, ?, ?)", (conversation, line, json.dumps(thing)))
        if messages is not None:
            messages.execute("CREATE INDEX by_conversation ON messages (conversation)")
            yield from _conversations(messages)
    finally:
        if messages is not None:
            messages.close()


def conversation_of(row: dict[str, Any]) -> str | None:
    """The conversation that the only message in *row* (folded) belongs to; None if it is no such row."""
    said = first(row, names.TEXTS)
    spoken = first(row, (*names.SPEAKERS, *names.AUTHORS, *names.INCOMING, *names.OUTGOING, *names.DIRECTIONS))
    number = next((row[name] for name in names.CONVERSATION if isinstance(row.get(name), str | int | float)), None)
    if isinstance(number, float):  # 17.0, as tables with gaps are kept
        number = int(number) if number.is_integer() else None
    if said is None or spoken is None or number in (None, ""):
        return None
    question, _, sure = names.sides_of(tuple(row))
    if (sure and question not in names.QUESTIONERS) or dialogues.find(row) is not None:
        return None
    return str(number)


def _conversations(messages: sqlite3.Connection) -> Iterator[FileRow]:
    order = "SELECT conversation, count(*), min(line) FROM messages GROUP BY conversation ORDER BY min(rowid)"
    for conversation, count, line in messages.execute(order).fetchall():
        if count > LONGEST:
            yield line, Unreadable(f"conversation {conversation[:40]!r} has {count} messages", None)
            continue
        held = messages.execute("SELECT message FROM messages WHERE conversation = ? ORDER BY rowid", (conversation,))
        turns = in_order([json.loads(message) for (message,) in held])
        facts = {name: value for name in _FACTS if (value := first_said(turns, name)) is not None}
        yield line, {"conversation": conversation, **facts, "turns": turns}


def first_said(turns: list[dict[str, Any]], name: str) -> Any:
    """What the first of *turns* that says something under *name* says."""
    return next((turn[name] for turn in turns if turn.get(name) not in (None, "")), None)


def in_order(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """*turns* by their numbers or times where every one has one that can be read, else as they came."""
    for name in (*names.ORDER, *names.TIMES):
        said = [turn.get(name) for turn in turns]
        for form in _TIME_FORMS:
            whens = [_when(value, form) for value in said]
            if None not in whens and len(set(whens)) > 1:
                return [turns[place] for place in sorted(range(len(turns)), key=lambda place: whens[place] or 0.0)]
    return turns


def _when(value: Any, form: str | None) -> float | None:
    """*value* as a number that grows with time; *form*: how it is written, None: as a number or by ISO 8601."""
    if form is not None:
        try:
            return datetime.strptime(" ".join(value.split()), form).replace(tzinfo=UTC).timestamp()
        except (AttributeError, ValueError, OverflowError):
            return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value.strip().replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
