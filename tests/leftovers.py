"""Every byte of a home, searched for what should not be there any more."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

TABLES = {"upper": str.upper, "lower": str.lower, "fold": str.casefold}


def spellings(text: str) -> set[bytes]:
    """The bytes *text* may stand in a file as: in several cases and normal forms, in UTF-8 and UTF-16, and escaped."""
    forms = {text, *(change(text) for change in TABLES.values())}
    forms |= {unicodedata.normalize(form, text) for text in list(forms) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    bare = {"".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
            for text in forms}  # fmt: skip
    found: set[bytes] = set()
    for form in forms | bare:
        found |= {form.encode(code) for code in ("utf-8", "utf-16-le", "utf-16-be")}
        found |= {json.dumps(form)[1:-1].encode(), ascii(form)[1:-1].encode()}
    return found


def leftovers(home: Path, *texts: str) -> list[tuple[str, str]]:
    """(file, text) for each file of *home* with one of *texts* in it, whatever the spelling."""
    found = []
    for path in sorted(home.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        raw = path.read_bytes()
        found += [
            (path.relative_to(home).as_posix(), text)
            for text in texts
            if any(spelling in raw or spelling in path.name.encode() for spelling in spellings(text))
        ]
    return found
