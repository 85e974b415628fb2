"""What a file is written in: told by its first bytes, and named where it can't be read."""

from __future__ import annotations

import codecs
from pathlib import Path

from store.importing.rows import ImportRefused

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTAINERS = (
    (b"PK\x03\x04", "an Excel workbook or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF"),
)
_PAGES = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"version https://git-lfs", "a Git LFS pointer"),
)
_GUESSES = (("gb18030", "GB18030"), ("big5", "Big5"), ("shift_jis", "Shift JIS"), ("euc_kr", "EUC-KR"))


def encoding_of(head: bytes) -> str:
    """By the byte-order mark; without one, UTF-8."""
    return next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")


def codec_of(name: str) -> str:
    """The codec that somebody called *name*. Raises :class:`ImportRefused` if there is none for texts."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)
    except (LookupError, ValueError):
        raise ImportRefused(
            f"There is no encoding {name!r}. Nothing was imported. Common ones: utf-8, windows-1252, gb18030, "
            "shift_jis."
        ) from None
    return "utf-8-sig" if found.name == "utf-8" else found.name


def refuse_what_is_no_text(path: Path, head: bytes, encoding: str) -> None:
    """Raise :class:`ImportRefused` for a file that is no text, naming what it is."""
    what = next((name for magic, name in _CONTAINERS if head.startswith(magic)), None)
    if what is None and encoding.startswith("utf-8") and head.count(0) * 10 > len(head):
        # Latin text in UTF-16 has a zero in every other byte.
        zeros = (head[0::2].count(0), head[1::2].count(0))
        what = "UTF-16 without a byte-order mark" if max(zeros) > 4 * min(zeros) else "no text"
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:40].lower()
    page = next((name for begin, name in _PAGES if start.startswith(begin)), None)
    if page is not None:
        raise ImportRefused(f"{path.name} is {page}, not the file itself. Nothing was imported. Download it again.")
    if what is not None:
        raise ImportRefused(f"{path.name} is {what}. Nothing was imported. Save it as JSON, JSONL or CSV in UTF-8.")


def wrong_encoding(path: Path, encoding: str) -> ImportRefused:
    """The refusal that names the line, the byte, and what the file may be written in."""
    if not encoding.startswith("utf-8"):
        return ImportRefused(f"The file can't be read as {encoding.upper()}. Nothing was imported; save it as UTF-8.")
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return ImportRefused(
                    f"Line {number} is not UTF-8 (byte 0x{line[error.start]:02x}); the file may be in "
                    f"{_guess(line)}. Nothing was imported. Save it as UTF-8, or name its encoding (--encoding)."
                )
    return ImportRefused("The file is not UTF-8. Nothing was imported. Save it as UTF-8 and import it again.")


def _guess(line: bytes) -> str:
    """The name of an encoding in which *line* makes sense."""
    for encoding, name in _GUESSES:
        try:
            text = line.decode(encoding)
        except UnicodeDecodeError:
            continue
        wide = sum(ord(character) > 0x2E80 for character in text)
        if wide >= 2 and wide * 2 >= sum(byte > 0x7F for byte in line) // 2:
            return name
    return "Windows-1252 or Latin-1"
