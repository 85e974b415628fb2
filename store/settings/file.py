"""``deskloop.toml``: the settings of a desk as a file for whoever runs it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from store.errors import Refused
from store.text import clean

FILE_NAME = "deskloop.toml"
MAX_BYTES = 64 * 1024  # settings are a page; a file this long is another one
TABLES = ("keys",)  # whose names have dots in them


class FileTrouble(Refused):
    """What is wrong with the file, in a sentence with the line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason, self.where = clean(reason), "the file" if line is None else f"line {line}"
        super().__init__(f"{FILE_NAME}{'' if line is None else f', line {line}'}: {self.reason}.")


def read(path: Path) -> str:
    """The text of the file; nothing where there is none. Raises :class:`FileTrouble`."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FileTrouble(f"it can't be read ({error.strerror})") from error
    if len(raw) > MAX_BYTES:
        raise FileTrouble(f"it is longer than {MAX_BYTES // 1024} KB")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileTrouble("it is not written in UTF-8", line) from error


def parse(text: str, *, flat: bool = False) -> dict[str, Any]:
    """The values in *text*; names with dots are one name in ``[keys]``, and everywhere if *flat*.

    Raises :class:`FileTrouble` with the line."""
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)|\(at end of document\)", str(error))
        line = int(found.group(1)) if found and found.group(1) else text.count("\n") + 1
        reason = str(error)[: found.start()].strip() if found else str(error)
        raise FileTrouble(f"this is not TOML: {reason[:1].lower()}{reason[1:]}", line) from error
    except RecursionError as error:
        raise FileTrouble("its brackets are nested too deep") from error
    if flat:
        return flatten(body)
    return {key: flatten(value) if key in TABLES and isinstance(value, dict) else value for key, value in body.items()}


def flatten(body: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"desk": {"correct": "f2"}}`` as ``{"desk.correct": "f2"}``: TOML reads a bare name with a dot as a table."""
    flat: dict[str, Any] = {}
    for key, value in body.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def as_lines(values: dict[str, Any]) -> str:
    """*values* as lines of TOML, which :func:`parse` reads back."""
    lines = []
    for name, value in values.items():
        word = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
        lines.append(f"{word} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def line_of(text: str, path: tuple[str, ...]) -> int | None:
    """The line on which the value at *path* is given (its table's or None if it is not): where the shortest beginning
    of *text* that parses and has it goes on from the one that has not."""
    lines, begun = text.splitlines(), 0
    for count in range(len(lines) + 1):
        try:
            body = parse("\n".join(lines[:count]) + "\n")
        except FileTrouble:
            continue
        if _has(body, path):
            return begun + 1
        begun = count
    return line_of(text, path[:-1]) if len(path) > 1 else None


def _has(body: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(body, dict) or part not in body:
            return False
        body = body[part]
    return True
