"""Taking pairs out, in forms that import again to the same pairs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, Unpack

from store.desk import Desk
from store.errors import Refused
from store.records import Pair
from store.spreadsheet import OURS, guarded
from store.writing import output

CSV_COLUMNS = ("instruction", "output", "history", "lang", "category", "split", "source")


class UnknownFormat(Refused):
    """No export has a format of that name."""


class Where(TypedDict, total=False):
    """``force``: in the place of a file that is there; ``stdout``: what to write to where the path is ``-``."""

    force: bool
    stdout: BinaryIO | None


def export_file(
    desk: Desk,
    path: Path | str,
    format: str | None = None,
    *,
    lost: list[int] | None = None,
    **where: Unpack[Where],
) -> int:
    """Write every live pair to the new file *path* (0600, whole or not at all), as they are at one moment; returns how
    many.

    *lost*: of a damaged desk write what can be read, and list there the numbers at which nothing could be.

    *format*: ``alpaca`` (JSON or, by the ending, JSONL), ``messages`` (JSONL) or ``csv``; None: by the ending.
    *force*: in the place of a file that is there. *stdout*: what to write to where *path* is ``-``. Raises
    :class:`UnknownFormat`, :class:`store.writing.TargetRefused`, and
    :class:`OSError` if it can't be written."""
    path = Path(path).expanduser()
    ending = path.suffix.lower()
    chosen = format or ("csv" if ending == ".csv" else "alpaca")
    writers: dict[str, Callable[[Iterator[Pair]], Iterator[str]]] = {
        "alpaca": _alpaca_json if ending == ".json" else _alpaca_lines,
        "messages": _messages,
        "csv": _csv,
    }
    if chosen not in writers:
        raise UnknownFormat(f"There is no export format {chosen!r}. There are: {', '.join(writers)}.")
    count = 0

    def counted() -> Iterator[Pair]:
        nonlocal count
        for count, pair in enumerate(desk.pairs.live(lost), 1):  # noqa: B007  (count is the result)
            yield pair

    with output(path, **where) as file:
        for piece in writers[chosen](counted()):
            file.write(piece.encode())
    return count


def _facts(pair: Pair) -> dict[str, Any]:
    """``source``: what the file says means itself, also where it looks like a placeholder or is guarded."""
    return {"lang": pair.lang, "category": pair.category, "split": pair.split, "source": OURS}


def _alpaca(pair: Pair) -> dict[str, Any]:
    history = [list(exchange) for exchange in pair.history]
    return {"instruction": pair.instruction, "output": pair.output, "history": history, **_facts(pair)}


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _alpaca_json(pairs: Iterator[Pair]) -> Iterator[str]:
    before = "[\n"
    for pair in pairs:
        yield before + _dumps(_alpaca(pair))
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _alpaca_lines(pairs: Iterator[Pair]) -> Iterator[str]:
    for pair in pairs:
        yield _dumps(_alpaca(pair)) + "\n"


def _messages(pairs: Iterator[Pair]) -> Iterator[str]:
    """Earlier answers carry ``loss_weight`` 0: they are there to be read, not to be learned again."""
    for pair in pairs:
        messages: list[dict[str, Any]] = []
        for customer, bot in pair.history:
            messages.append({"role": "user", "content": customer})
            messages.append({"role": "assistant", "content": bot, "loss_weight": 0})
        messages.append({"role": "user", "content": pair.instruction})
        messages.append({"role": "assistant", "content": pair.output})
        yield _dumps({"messages": messages, **_facts(pair)}) + "\n"


def _csv(pairs: Iterator[Pair]) -> Iterator[str]:
    """With a byte-order mark, without which spreadsheets take UTF-8 for something else, and with cells guarded that
    they would calculate."""
    line = io.StringIO()
    writer = csv.DictWriter(line, CSV_COLUMNS)
    line.write("\ufeff")
    writer.writeheader()
    for pair in pairs:
        row = _alpaca(pair)
        row["history"] = _dumps(row["history"]) if row["history"] else ""
        writer.writerow({name: guarded(cell or "") for name, cell in row.items()})
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()  # the header, where there is no pair
