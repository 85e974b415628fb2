"""Values that hold several rows: lists, rows one level down in a wrapper, and rows stored by columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store.importing import dialogues, names, pair_rows
from store.importing.grouping import conversation_of
from store.importing.marks import FLAGS, prefers
from store.importing.names import fold, folded
from store.importing.rows import TableRow, Unreadable

_PASSED_ON = frozenset({*names.CATEGORY, *names.LANGUAGE, *names.SPLIT, *FLAGS})  # said once for all rows of a wrapper
DEEP = 3  # wrappers in wrappers


def unfold(value: Any, depth: int = 0) -> Iterator[Any]:
    """The rows that *value* holds; itself where it is one."""
    if isinstance(value, list):
        yield from _list(value, depth)
    elif isinstance(value, dict) and not isinstance(value, TableRow):
        yield from _dict(value, depth)
    else:
        yield value


def _list(values: list[Any], depth: int) -> Iterator[Any]:
    if depth < DEEP and any(isinstance(value, dict | list) for value in values):
        if all(is_said(value) for value in values):
            yield {"messages": values}
            return
        for value in values:
            yield from unfold(value, depth + 1)
    else:
        yield values


def _dict(value: dict[Any, Any], depth: int) -> Iterator[Any]:
    thing = folded(value)
    if prefers(thing):
        yield value
        return
    by_columns = _columns(value, thing)
    if by_columns is not None:
        yield from by_columns
    elif _is_row(thing) or depth == DEEP:
        yield value
    elif (lists := _lists(value)) and any(map(_is_known, rows := list(_wrapped(value, lists, depth)))):
        yield from rows
    elif inner := next((value[name] for name in names.INNER if isinstance(value.get(name), dict)), None):
        outer = {name: said for name, said in value.items() if not isinstance(said, dict | list)}
        for row in unfold(inner, depth + 1):
            yield {**outer, **row} if isinstance(row, dict) else row
    else:
        yield value


def _wrapped(value: dict[Any, Any], lists: dict[Any, Any], depth: int) -> Iterator[Any]:
    """The rows in *lists* of *value*, with what *value* says about all of them."""
    passed = {name: said for name, said in value.items() if fold(str(name)) in _PASSED_ON and not _holds(said)}
    for name, held in lists.items():
        side = {"split": name} if names.split_of(str(name)) else {}
        for row in unfold(held, depth + 1):
            yield {**passed, **side, **row} if isinstance(row, dict) else row


def _is_row(thing: dict[str, Any]) -> bool:
    """Whether *thing* (folded) is a row of a form that is read."""
    return _is_pair(thing) or dialogues.find(thing) is not None or dialogues.find_text(thing) is not None


def _is_known(row: Any) -> bool:
    """Whether *row* is of a form that is read, or that is refused by name."""
    thing = folded(row) if isinstance(row, dict) else {}
    return bool(thing) and (_is_row(thing) or prefers(thing) or conversation_of(thing) is not None)


def is_said(value: Any) -> bool:
    """Whether *value* is one message: it says who speaks, and holds no question beside its answer."""
    thing = folded(value) if isinstance(value, dict) else {}
    said = any(name in thing for name in names.TEXTS) and any(name in thing for name in names.SPEAKERS)
    return said and not pair_rows.fits(thing, sure=True) and conversation_of(thing) is None


def _is_pair(thing: dict[str, Any]) -> bool:
    """Whether *thing* (folded) is a row with a question and an answer, not a wrapper that has columns of such names."""
    if not pair_rows.fits(thing, sure=False):
        return False
    question, answer, sure = names.sides_of(tuple(thing))
    return sure or not (_holds(thing[question or ""]) or _holds(thing[answer or ""]))


def _holds(value: Any) -> bool:
    """Whether *value* holds rows."""
    return isinstance(value, dict | list)


def _lists(value: dict[Any, Any]) -> dict[Any, Any]:
    """What *value* wraps: its lists of objects; where it has none, the only object in it, or objects under numbers."""
    lists = {
        name: held
        for name, held in value.items()
        if isinstance(held, list) and any(isinstance(one, dict | list) for one in held)
    }
    if lists:
        return lists
    dicts = {name: held for name, held in value.items() if isinstance(held, dict) and held}
    if len(dicts) == len(value) and all(str(name).isdigit() or _is_pair(folded(held)) for name, held in dicts.items()):
        return {"": list(dicts.values())}
    return {
        name: held for name, held in dicts.items() if len(dicts) == 1 and (_lists(held) or _columns(held, folded(held)))
    }


def _columns(value: dict[Any, Any], thing: dict[str, Any]) -> list[Any] | None:
    """The rows of *value* if it keeps them by columns: lists of texts (or of dialogues) of one length, or objects by
    row number, or names of columns beside rows of cells."""
    head, cells = thing.get("columns"), thing.get("data")
    if isinstance(head, list) and isinstance(cells, list) and all(isinstance(name, str) for name in head):
        if len({fold(name) for name in head}) < len(head):
            return [Unreadable("two of its columns have the same name", value)]
        return [
            dict(zip(head, row, strict=True))
            if isinstance(row, list) and len(row) == len(head)
            else Unreadable(f"row {place} has a different number of cells than there are columns", row)
            for place, row in enumerate(cells, 1)
        ]
    question, answer, _ = names.sides_of(tuple(thing))
    carrier = next((name for name in names.CARRIERS if _are_dialogues(thing.get(name))), None)
    keys = [name for name in (question, answer, carrier) if name is not None]
    if (question is None or answer is None) and carrier is None:
        return None
    columns = {name: _column(held) for name, held in value.items()}
    by_key = {fold(name): column for name, column in columns.items() if isinstance(name, str)}
    asked = by_key.get(question or "")
    if carrier is None and (asked is None or by_key.get(answer or "") is None or answer in names.SEVERAL):
        return None
    lengths = {len(column) for name in keys if (column := by_key.get(name)) is not None}
    if len(lengths) != 1:
        return [Unreadable(f"its columns {' and '.join(keys)} are lists of different lengths", value)]
    (length,) = lengths
    return [
        {
            name: column[place] if column is not None and len(column) == length else value[name]
            for name, column in columns.items()
        }
        for place in range(length)
    ]


def _column(held: Any) -> list[Any] | None:
    """The cells of a column that is a list of texts or of dialogues, or an object by row number."""
    if isinstance(held, dict) and held and all(str(key).isdigit() for key in held):
        return list(held.values())
    if isinstance(held, list) and not any(isinstance(one, dict) for one in held):
        return held
    return None


def _are_dialogues(held: Any) -> bool:
    """Whether *held* is a list of lists of messages."""
    return (
        isinstance(held, list)
        and bool(held)
        and all(isinstance(one, list) and one and isinstance(one[0], dict) for one in held)
    )
