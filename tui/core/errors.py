"""The one error the core raises at an operator, and how its details are named."""

from __future__ import annotations

from pathlib import Path

from store.errors import DeskError

__all__ = ["DeskError", "with_log"]


def with_log(sentence: str, log: Path | None) -> str:
    """*sentence*, followed by the place of the details if there is one."""
    return f"{sentence} Details: {log}" if log is not None else sentence
