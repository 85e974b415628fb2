"""Events in the trainer's pipe and in the desk's table: a kind, and a body of plain values.

A body holds an event's fields and, where its sentence is made of them, that too: scripts read ``sentence``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from finetune.events.kinds import (
    Decided,
    Done,
    Evaluated,
    Event,
    Failed,
    Fitted,
    Judged,
    Note,
    Phase,
    Promoted,
    Recalled,
    Step,
    Taught,
    Trained,
    TrainerFailed,
    TroubleFound,
    Unknown,
    WatchedKind,
)
from finetune.gate.report import GateReport, Trouble
from finetune.stored import made
from store.records import RunEvent
from store.words import Version

KINDS: dict[str, type[Event]] = {
    "phase": Phase,
    "step": Step,
    "evaluated": Evaluated,
    "taught": Taught,
    "note": Note,
    "fitted": Fitted,
    "trouble": TroubleFound,
    "judged": Judged,
    "recalled": Recalled,
    "verdict": Decided,
    "promoted": Promoted,
    "failed": Failed,
    "done": Done,
    "trained": Trained,
    "trainer-failed": TrainerFailed,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event as it stands in the desk's table: its number there, whose it is, and when."""

    id: int
    run_id: int
    at: str
    event: Event


def recorded(row: RunEvent) -> Recorded:
    """A row of the table, read."""
    return Recorded(row.id, row.run_id, row.at, decode(row.kind, row.body))


def encode(event: Event) -> tuple[str, dict[str, Any]]:
    """The kind of *event* and its body, of plain values for JSON."""
    match event:
        case Unknown(kind, body):
            return kind, body
        case Decided(version, report):
            return "verdict", {"version": version, **report.to_dict()}
        case TroubleFound(trouble):
            return "trouble", {"trouble": trouble.to_dict(), "sentence": trouble.sentence}
        case Recalled(version, recall):
            return "recalled", {"version": version, "recall": recall.to_dict(), "sentence": event.sentence}
        case Evaluated():
            return "evaluated", {**asdict(event), "sentence": event.sentence}
        case _:
            return _NAMES[type(event)], asdict(event)


def decode(kind: str, body: dict[str, Any]) -> Event:
    """The event that :func:`encode` took apart, here or in an older deskloop. What can't be read is a :class:`Note` if
    it has a sentence, else :class:`Unknown`."""
    try:
        match kind:
            case "verdict":
                return Decided(made(body.get("version"), Version), GateReport.from_dict(body))
            case "trouble":
                return TroubleFound(Trouble.from_dict(body["trouble"]))
            case "evaluated":
                return made({"pairs": _watched(body), **body}, Evaluated)
            case _:
                return made(body, KINDS[kind])
    except (ValueError, KeyError, TypeError):
        sentence = body.get("sentence")
        return Note(sentence) if isinstance(sentence, str) else Unknown(kind, body)


def to_line(event: Event) -> bytes:
    """*event* as a line of the trainer's pipe; ASCII only, so that no text inside can end it."""
    kind, body = encode(event)
    return json.dumps({"kind": kind, "body": body}, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Event:
    """The event in a line of the trainer's pipe. Raises :class:`ValueError` if there is none."""
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("body"), dict):
        raise ValueError("not an event")
    return decode(str(message.get("kind")), message["body"])


def _watched(body: dict[str, Any]) -> WatchedKind:
    """Runs of earlier versions said it in their sentence only."""
    return "validation" if " validation example" in str(body.get("sentence")) else "held-out"
