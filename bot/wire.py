"""What engine and client say to each other: one JSON object a line. Requests carry an id, events repeat it."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any, TypeVar

from bot.types import Answer, BaseFacts, Decoding, EngineStatus, ProbeResult, Prompt, as_tuple

LINE_LIMIT = 2**26  # bytes in one line: the longest prompt or answer, generously
Made = TypeVar("Made")


def encode(message: dict[str, Any]) -> bytes:
    """*message* as a line. ASCII only, so that no text inside can end the line or confuse a terminal."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The message in *line*. Raises :class:`ValueError` if it is none."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("not a message")
    return message


def read(kind: type[Made], body: dict[str, Any]) -> Made:
    """A dataclass of type *kind* out of its JSON form; unknown keys are ignored."""
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    values = {key: value for key, value in body.items() if key in known}
    if kind is Prompt:
        values["history"] = as_tuple(values.get("history", ()))
    if kind is ProbeResult:
        values["values"] = tuple(values["values"])
    if kind is EngineStatus:
        values["loaded"] = tuple(values["loaded"])
        values["facts"] = read(BaseFacts, values["facts"]) if values.get("facts") else None
    return kind(**values)


def plain(value: Answer | BaseFacts | Decoding | EngineStatus | ProbeResult | Prompt) -> dict[str, Any]:
    """The JSON form of one of the plain types."""
    return asdict(value)
