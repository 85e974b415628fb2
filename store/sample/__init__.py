"""The sample desk: a fictional shop, written for this project."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from store.desk import Desk
from store.importing import ImportResult
from store.pairs import NewPair

NAME = "desk.jsonl"


def sample_rows() -> Iterator[dict[str, Any]]:
    """The rows of the sample desk: answer, instruction, output, lang, category, and history where there is one."""
    for line in files(__package__ or "store.sample").joinpath(NAME).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def load_sample(desk: Desk, who: str) -> ImportResult:
    """Put the sample desk's pairs into *desk*; loading it twice changes nothing."""
    news = (
        NewPair(
            row["instruction"],
            row["output"],
            tuple((customer, bot) for customer, bot in row.get("history", ())),
            row["category"],
            row["lang"],
        )
        for row in sample_rows()
    )
    added, duplicates = desk.pairs.add_many(news, "sample", who, "sample desk")
    return ImportResult(added, duplicates, 0)
