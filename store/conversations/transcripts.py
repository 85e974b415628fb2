"""One conversation as a file, to read or to take elsewhere. What customers said stays text: fenced, never markup."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from store.records import Conversation, Turn
from store.text import clean
from store.writing import new_file

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_TICKS = re.compile("`+")


def as_markdown(conversation: Conversation, turns: Sequence[Turn]) -> str:
    """The conversation as Markdown, each text in a fence longer than any inside it, so that nothing in it can become
    a picture, a link or HTML."""
    title = " ".join(clean(conversation.title).split()) or "Conversation"
    parts = [f"# {_escaped(title)}", f"Begun at {conversation.created_at} by {_escaped(conversation.created_by)}."]
    for turn in turns:
        parts.append(f"## {_escaped(_head(turn))}")
        parts.append(_fenced(turn.text))
        if turn.reply is not None and turn.reply.correction is not None:
            parts += ["It should have said:", _fenced(turn.reply.correction)]
    return "\n\n".join(parts) + "\n"


def as_json(conversation: Conversation, turns: Sequence[Turn]) -> str:
    """The conversation as one JSON object of the form that the import reads; a corrected reply has its correction
    beside it."""
    told = []
    for turn in turns:
        said: dict[str, object] = {
            "role": "customer" if turn.role == "customer" else "agent",
            "text": clean(turn.text),
            "at": turn.created_at,
        }
        if turn.reply is not None:
            said |= {"version": turn.reply.version, "state": turn.reply.state}
            if turn.reply.from_correction is not None:
                said["from_correction"] = turn.reply.from_correction
            if turn.reply.correction is not None:
                said["correction"] = clean(turn.reply.correction)
            elif turn.reply.approved:
                said["approved"] = "yes"
            elif turn.reply.rejected:
                said["feedback"] = "wrong"  # the import leaves it out
        told.append(said)
    whole = {"conversation": clean(conversation.title), "begun": conversation.created_at, "turns": told}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def file_name(conversation: Conversation) -> str:
    """A name for the file: letters and digits of the title only."""
    words = re.findall(r"[^\W_]+", clean(conversation.title))
    return "-".join([f"conversation-{conversation.id}", *words])[:80] + ".md"


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Write a file for its owner alone. Raises :class:`store.writing.TargetRefused`, and :class:`OSError` if the disk
    does not take it; nothing is left of what was begun then."""
    with new_file(path, force=force) as file:
        file.write(text.encode("utf-8", "replace"))


def _head(turn: Turn) -> str:
    if turn.reply is None:
        return f"Customer, {turn.created_at}"
    reply = turn.reply
    judged = "corrected" if reply.correction is not None else "approved" if reply.approved else "wrong" * reply.rejected
    state = "" if reply.state == "complete" else reply.state
    words = "" if reply.from_correction is None else f"from correction {reply.from_correction}"
    return ", ".join(part for part in (f"Bot {reply.version}", words, turn.created_at, state, judged) if part)


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", clean(text))


def _fenced(text: str) -> str:
    text = clean(text)
    fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
    return f"{fence}text\n{text}\n{fence}"
