"""Values of settings, as operators type them and as the file has them, in the types of their fields."""

from __future__ import annotations

import json
from typing import Any

from store.settings.file import FileTrouble, parse
from store.settings.settings import SettingError, refuse
from store.text import clean

_WANTED = {int: "a whole number", float: "a number", dict: "lines of the form name = value"}


def typed(kind: type, key: str, value: Any) -> Any:
    """*value*, as an operator wrote it, in the type of the field, or a :class:`SettingError`."""
    try:
        if kind is dict:
            return _table(key, value) if isinstance(value, str) else dict(value)
        if kind is str:
            return clean(str(value)).strip()
        if isinstance(value, bool):
            raise ValueError
        if kind is int and float(value) != int(float(value)):
            raise ValueError
        return kind(float(value)) if kind is int else kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, SettingError):
            raise
        raise refuse(f"must be {_WANTED.get(kind, 'text')}", key) from error


def _table(key: str, text: str) -> dict[str, Any]:
    """A field of several values: JSON, as scripts write it, or lines of TOML, as people do."""
    if text.lstrip().startswith("{"):
        return dict(json.loads(text))
    try:
        return parse(text, flat=True)
    except FileTrouble as error:
        raise SettingError(f"The setting {key}, {error.where}: {error.reason}. It was left unchanged.") from error


def is_of(kind: type, value: object) -> bool:
    """Whether *value* is of the type of its field; a whole number is a number, and nothing is guessed."""
    return not isinstance(value, bool) and isinstance(value, (int, float) if kind is float else kind)


def from_file(kind: type, key: str, value: Any) -> Any:
    """*value* of the file in the type of its field; nothing is guessed."""
    if not is_of(kind, value):
        raise refuse(f"must be {_WANTED.get(kind, 'text in quotes')}", key)
    return clean(value).strip() if isinstance(value, str) else kind(value)
