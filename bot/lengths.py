"""How long texts are in a base's tokens, in processes that load no model."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

CHARACTERS_PER_TOKEN = 3.6  # English text in the starter's tokenizer; Chinese takes about two tokens a character
WIDE = 0x2E80  # from here on characters are written in two columns


def estimated_tokens(text: str) -> int:
    """About how many tokens *text* takes, by its characters."""
    wide = sum(ord(character) > WIDE for character in text)
    return round((len(text) - wide) / CHARACTERS_PER_TOKEN + 2 * wide)


def counter(folder: Path) -> Callable[[str], int]:
    """Counts tokens as the base in *folder* does; where its tokenizer can't be read, :func:`estimated_tokens`. The
    first call reads up to 10 MB: not for an event loop."""
    path = folder / "tokenizer.json"
    try:
        facts = path.stat()
        tokenizer = _tokenizer(path, facts.st_size, facts.st_mtime_ns)
    except Exception:  # the library's own errors have no class of their own
        return estimated_tokens

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False).ids)

    return count


@lru_cache(maxsize=2)
def _tokenizer(path: Path, size: int, changed: int) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))
