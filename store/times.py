"""The times that are written beside actions: ISO-8601 in UTC with milliseconds, so that they sort as texts."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The time to write beside an action."""
    return _written(datetime.now(UTC))


def midnight() -> str:
    """When this day began where the operator is."""
    return _written(datetime.now(UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0))


def _written(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
