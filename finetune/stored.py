"""Reading values out of JSON that an older deskloop wrote, or that was damaged since: typed records, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

Made = TypeVar("Made")


def made(values: object, kind: type[Made]) -> Made:
    """*values* as a *kind*; names it does not know are left out, missing ones get their defaults.

    Raises :class:`ValueError` for values of another type."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def made_or_none(values: object, kind: Any) -> Any:
    """*values* as a *kind*, which may be a ``Literal``; None if they are none."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError:
        return None


def each(values: object, make: Callable[[Any], Made]) -> Iterator[Made]:
    """What *make* makes of each entry of a list, as far as it can (it raises :class:`ValueError` where not)."""
    for entry in values if isinstance(values, list) else ():
        try:
            yield make(entry)
        except (ValueError, TypeError, AttributeError, KeyError):
            continue
