"""Between reading and writing: rows made ready wait in a file, so that the desk is written to once and quickly."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from store.importing.rows import NewConversation
from store.pairs.new import ReadyPair

_FIELDS = tuple(field.name for field in fields(ReadyPair))  # astuple() would copy every text


class Staging:
    """A nameless file in the desk's home: it is gone with the process that made it, however that ends."""

    def __init__(self, home: Path) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n", dir=home)  # noqa: SIM115

    def add(self, pairs: list[ReadyPair], conversation: NewConversation | None) -> None:
        """Keep what one row became."""
        held = [conversation.turns, conversation.title, conversation.customer] if conversation else None
        self._file.write(
            json.dumps([[[getattr(pair, name) for name in _FIELDS] for pair in pairs], held], ensure_ascii=False) + "\n"
        )

    def items(self) -> Iterator[tuple[list[ReadyPair], NewConversation | None]]:
        """What was kept, in its order."""
        self._file.seek(0)
        for line in self._file:
            pairs, held = json.loads(line)
            conversation = None
            if held is not None:
                conversation = NewConversation(tuple((role, text) for role, text in held[0]), *held[1:])
            yield [ReadyPair(*pair) for pair in pairs], conversation

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
