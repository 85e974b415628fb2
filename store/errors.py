"""The error that an operator is told: a sentence, and where the details are."""

from __future__ import annotations

from pathlib import Path


class DeskError(Exception):
    """Something an operator must be told. ``sentence`` is plain English; ``log`` holds the details, if
    any."""

    def __init__(self, sentence: str, log: Path | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.log = log
