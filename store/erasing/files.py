"""The texts in a desk's files: logs and lists of rejected rows are rewritten, others that hold them are named."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from store.erasing.words import Words
from store.home import Home
from store.words import ERASED
from store.writing import free_name, new_file

LARGEST = 64 * 2**20  # bytes of a file that is looked into; logs and lists are far smaller
SEARCHED = 2**20  # characters of a log in which a text over several lines is looked for letter by letter
_REJECTED = re.compile(r".*-rejected-\d{8}-\d{6}(-\d+)?\.jsonl")
_DATABASE = ("desk.db", "desk.db-wal", "desk.db-shm", "desk.migrate")
_WEIGHTS = (".safetensors", ".gguf", ".bin")


def logs(home: Home) -> Iterator[Path]:
    """Every log that deskloop wrote."""
    yield from _plain(home.logs.glob("*.log"))
    yield from _plain(home.runs.glob("[0-9]*/run.log"))


def rejected(home: Home) -> Iterator[Path]:
    """Every list of rejected rows that an import wrote."""
    yield from _plain(path for path in home.exports.glob("*.jsonl") if _REJECTED.fullmatch(path.name))


def _plain(paths: Iterator[Path]) -> Iterator[Path]:
    for path in sorted(paths):
        if path.is_file() and not path.is_symlink():
            yield path


def holding(paths: Iterator[Path], words: Words) -> list[Path]:
    """Those of *paths* that hold one of *words*, in their content or their name."""
    return [path for path in paths if words.hold(path.stem) or words.file_holds(_read(path))]


def clean_log(path: Path, words: Words) -> None:
    """Take the lines with *words* out of a log. It is written in its place: a process may have it open."""
    lines = [ERASED if words.file_holds(line) else line for line in _read(path).split("\n")]
    rest = "\n".join(lines)
    if words.file_holds(rest):  # over several lines
        rest = words.file_without(rest) if len(rest) < SEARCHED else f"{ERASED}\n"
    with path.open("r+b") as file:
        file.write(rest.encode("utf-8", "surrogateescape"))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def clean_rejected(path: Path, words: Words) -> None:
    """Empty the rows of a list that hold one of *words*: their line and reason stay."""
    lines = []
    for line in _read(path).splitlines():
        lines.append(_emptied(line) if words.file_holds(line) else line)
    with new_file(path, force=True, own=True) as file:
        file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape"))
    if words.hold(path.stem):
        stamp = path.name[path.name.rindex("-rejected-") :]
        path.rename(free_name(path.parent, f"erased{stamp.removesuffix('.jsonl')}", ".jsonl"))


def _emptied(line: str) -> str:
    """A row of a list without what it quotes; its reason may quote the row, so only its number is left."""
    try:
        number = json.loads(line)["line"]
    except (ValueError, KeyError, TypeError, RecursionError):
        number = None
    return json.dumps({"line": number if isinstance(number, int) else None, "reason": ERASED})


def others(home: Home, words: Words) -> list[Path]:
    """Every other file of the home that holds one of *words*: it is not deskloop's to change."""
    known = {*logs(home), *rejected(home), *(home.root / name for name in _DATABASE)}
    found = []
    for folder, folders, names in os.walk(home.root):
        here = Path(folder)
        if here == home.root:
            folders[:] = [name for name in folders if here / name != home.models]
        for name in sorted(names):
            path = here / name
            if path in known or path.is_symlink() or not path.is_file() or path.suffix in _WEIGHTS:
                continue
            if words.hold(path.stem) or words.file_holds(_read(path)):
                found.append(path)
    return found


def _read(path: Path) -> str:
    """The text of a file; what can't be read holds nothing that could be found."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
