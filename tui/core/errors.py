"""The one error the core raises at an operator: a sentence, and where the details are."""

from __future__ import annotations

from pathlib import Path


class DeskError(Exception):
    """Something an operator must be told. ``sentence`` is plain English; ``log`` holds the details, if
    any."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log = log


def with_log(sentence: str, log: Path | None) -> str:
    """*sentence*, followed by the place of the details if there is one."""
    return f"{sentence} Details: {log}" if log is not None else sentence
