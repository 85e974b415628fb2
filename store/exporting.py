"""Taking pairs out, in forms that import again to the same pairs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from store.desk import Desk
from store.home import atomic_write
from store.records import Pair

CSV_COLUMNS = ("instruction", "output", "history", "lang", "category", "split")


def export_file(desk: Desk, path: Path | str, format: str | None = None) -> int:
    """Write every live pair to *path* (0600, whole or not at all); returns how many.

    *format*: ``alpaca`` (JSON or, by the ending, JSONL), ``messages`` (JSONL) or ``csv``; None: by the ending.
    Raises :class:`ValueError` with a sentence for an unknown format and :class:`OSError` if it can't be written."""
    path = Path(path).expanduser()
    ending = path.suffix.lower()
    chosen = format or ("csv" if ending == ".csv" else "alpaca")
    pairs = desk.pairs.list()
    writers: dict[str, Callable[[Iterable[Pair]], str]] = {
        "alpaca": _alpaca_json if ending == ".json" else _alpaca_lines,
        "messages": _messages,
        "csv": _csv,
    }
    if chosen not in writers:
        raise ValueError(f"There is no export format {chosen!r}. There are: {', '.join(writers)}.")
    atomic_write(path, writers[chosen](pairs))
    return len(pairs)


def _facts(pair: Pair) -> dict[str, Any]:
    return {"lang": pair.lang, "category": pair.category, "split": pair.split}


def _alpaca(pair: Pair) -> dict[str, Any]:
    history = [list(exchange) for exchange in pair.history]
    return {"instruction": pair.instruction, "output": pair.output, "history": history, **_facts(pair)}


def _alpaca_json(pairs: Iterable[Pair]) -> str:
    return json.dumps([_alpaca(pair) for pair in pairs], ensure_ascii=False, indent=1) + "\n"


def _alpaca_lines(pairs: Iterable[Pair]) -> str:
    return _lines(_alpaca(pair) for pair in pairs)


def _messages(pairs: Iterable[Pair]) -> str:
    """Earlier answers carry ``loss_weight`` 0: they are there to be read, not to be learned again."""

    def row(pair: Pair) -> dict[str, Any]:
        messages: list[dict[str, Any]] = []
        for customer, bot in pair.history:
            messages.append({"role": "user", "content": customer})
            messages.append({"role": "assistant", "content": bot, "loss_weight": 0})
        messages.append({"role": "user", "content": pair.instruction})
        messages.append({"role": "assistant", "content": pair.output})
        return {"messages": messages, **_facts(pair)}

    return _lines(row(pair) for pair in pairs)


def _lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(pairs: Iterable[Pair]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, CSV_COLUMNS)
    writer.writeheader()
    for pair in pairs:
        row = _alpaca(pair)
        row["history"] = json.dumps(row["history"], ensure_ascii=False) if row["history"] else ""
        writer.writerow(row)
    return out.getvalue()
