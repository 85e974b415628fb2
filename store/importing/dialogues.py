"""Rows that hold a dialogue: where its messages are, who says each, and what of it may be learned.

Each becomes pairs, and where the row is of a help desk a conversation of the desk as well. Several turns of one side
in a row become one, and what an agent says before any customer is left out, in both alike: so an imported
conversation reads as its pairs do, and goes on from there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from store.importing import names
from store.importing.marked_text import messages_in_text, without_end
from store.importing.marks import media_in, private, unlearned
from store.importing.names import first, folded
from store.importing.rows import Facts, Item, NewConversation, RowRejected, Turn, by_turns, pairs_of_dialogue
from store.importing.texts import Texts, tool_calls
from store.importing.trees import path_of

_ANSWERED = ("completion", "response", "answer", "output", "target", "reply")
_ASKED = ("prompt", "input")  # where the messages before an answer are
_MARK = "answer"  # stands for an answer
_TOOL_KEYS = ("tool_calls", "function_call", "tool_call_id")
_SPOKEN = frozenset({"speaker", "sender", "author", "who"})  # under these "system" is who answers, not an instruction


@dataclass(slots=True)
class Dialogue:
    """The messages of a row as they stand there. ``whole``: it is a conversation of the desk, too. ``learned_from``:
    the place of the first message that may be learned. ``requester``: the id of the customer, where there is one.
    ``customer``: a name or number by which the customer can be found again."""

    messages: list[Any]
    whole: bool = False
    learned_from: int = 0
    requester: Any = None
    customer: str | None = None


def find(row: dict[str, Any], depth: int = 0) -> Dialogue | None:
    """The dialogue in *row* (folded), None if it holds none."""
    found = _prompted(row) or _carried(row) or _of_nodes(row)
    if found is None and depth < 2:
        for name in names.INNER:
            inner = row.get(name)
            if isinstance(inner, dict) and (found := find(folded(inner), depth + 1)):
                break
    return found


def _customer(row: dict[str, Any]) -> str | None:
    found = (row.get(name) for name in names.CUSTOMERS)
    plain = (str(value) for value in found if isinstance(value, str | int) and not isinstance(value, bool))
    return next((value for value in plain if value.strip()), None)


def find_text(row: dict[str, Any]) -> Dialogue | None:
    """The dialogue that is written into one text of *row* with marks between its turns, None if there is none."""
    for name in ("text", "conversation", "dialogue", "dialog", "chat", "messages", "prompt", "transcript"):
        if isinstance(value := row.get(name), str) and (messages := messages_in_text(value)):
            return Dialogue(messages)
    return None


# -- where the messages are ------------------------------------------------------------------------
def _prompted(row: dict[str, Any]) -> Dialogue | None:
    """A prompt of messages and its completion: only the completion is learned."""
    completion = first(row, _ANSWERED)
    before = next((listed for name in _ASKED if (listed := _listed(row.get(name)))), None)
    if before is None and isinstance(prompt := row.get("prompt"), str) and isinstance(completion, str):
        # A prompt that is written as a model reads it, up to the mark after which the answer begins.
        whole = messages_in_text(f"{prompt.rstrip()}\n{_MARK}")
        if whole and whole[-1] == {"role": names.BOT, "content": _MARK}:
            return Dialogue(
                [*whole[:-1], {"role": names.BOT, "content": without_end(completion)}], False, len(whole) - 1
            )
    if not before or not all(isinstance(message, dict) for message in before) or completion is None:
        return None
    after = _listed(completion)
    if after is None:
        after = [completion if isinstance(completion, dict) else {"role": "assistant", "content": completion}]
    return Dialogue([*before, *after], learned_from=len(before))


def _carried(row: dict[str, Any]) -> Dialogue | None:
    for name in names.CARRIERS:
        value = row.get(name)
        if isinstance(value, dict):
            inner = folded(value)
            value = first(inner, (name, *names.CARRIERS))
        messages = _listed(value)
        if not messages or not _are_messages(messages):
            continue
        found = Dialogue(
            list(messages), name in names.WHOLE, requester=first(row, names.REQUESTERS), customer=_customer(row)
        )
        _open(found, row)
        return found
    return None


def _of_nodes(row: dict[str, Any]) -> Dialogue | None:
    """A tree of messages: ChatGPT's mapping, Open WebUI's history, prompts with their replies."""
    messages = path_of(row)
    return Dialogue(messages) if messages else None


def _listed(value: Any) -> list[Any] | None:
    """*value* if it is a list, also one that is written in a table's cell."""
    if isinstance(value, str) and value.lstrip()[:1] == "[" and value.rstrip()[-1:] == "]":
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, list) else None


def _are_messages(values: list[Any]) -> bool:
    """Whether *values* are the messages of one dialogue, not rows or texts of something else."""
    dicts = [folded(value) for value in values if isinstance(value, dict)]
    if dicts:
        return any(_is_message(value) for value in dicts)
    if all(isinstance(value, str) for value in values):
        return False
    return not any(isinstance(value, list) and value and isinstance(value[0], dict | list) for value in values)


def _is_message(value: dict[str, Any]) -> bool:
    spoken = any(name in value for name in (*names.SPEAKERS, *names.AUTHORS, *names.INCOMING, *names.OUTGOING))
    said = any(name in value for name in (*names.TEXTS, "parts", "data", *_TOOL_KEYS))
    if spoken or names.sides_of(tuple(value))[2]:
        return find(value, 2) is None
    return said and (
        names.side_of(str(value.get("type"))) is not None or any(name in value for name in names.DIRECTIONS)
    )


def _open(found: Dialogue, row: dict[str, Any]) -> None:
    """Put the message that opened a ticket before its comments, where it is kept apart from them."""
    opening = row.get("source")
    if isinstance(opening, dict) and first(folded(opening), names.TEXTS) is not None:
        found.messages.insert(0, opening)
        return
    heads = [folded(message) for message in found.messages if isinstance(message, dict)]
    text = first(row, ("description_text", "description"))
    of_ticket = any(name in head for head in heads for name in (*names.AUTHORS, *names.INCOMING, "public", "private"))
    if of_ticket and isinstance(text, str) and text.strip():
        found.whole = True
        if not any(str(first(head, names.TEXTS)).strip() == text.strip() for head in heads):
            found.messages.insert(0, {"role": "customer", "content": text})
    found.whole |= of_ticket


# -- who says what ---------------------------------------------------------------------------------
@dataclass(slots=True)
class _Said:
    """One message on its way to a turn."""

    place: int
    message: dict[str, Any]
    side: str
    key: str = "role"


@dataclass(slots=True)
class _Sides:
    """Tells who says each message of a dialogue."""

    dialogue: Dialogue
    opener: Any = field(default=None)

    def of(self, place: int, message: dict[str, Any]) -> list[_Said]:
        """*message* (folded) as one, or two where it holds a question and its answer."""
        question, answer, sure = names.sides_of(tuple(message))
        if question and answer and sure and not any(name in message for name in ("role", "from", "speaker")):
            rest = {name: value for name, value in message.items() if name not in (question, answer)}
            return [
                _Said(place, {**rest, "content": message[question]}, names.CUSTOMER),
                _Said(place, {**rest, "content": message[answer]}, names.BOT),
            ]
        if any(message.get(key) for key in _TOOL_KEYS):
            raise tool_calls()
        strange = None
        for key in names.SPEAKERS:
            if (value := message.get(key)) is not None:
                if isinstance(value, dict):
                    value = first(folded(value), ("role", "type", "user_type", "kind", "name"))
                if isinstance(value, str) and (side := names.side_of(value)):
                    return [_Said(place, message, side, key)]
                strange = strange or str(value)
        try:
            return [_Said(place, message, self._unnamed(message, place))]
        except RowRejected:
            if strange is None:
                raise
            raise RowRejected(f"turn {place} is by {strange[:40]!r}, not by customer or agent") from None

    def _unnamed(self, message: dict[str, Any], place: int) -> str:
        for keys, yes, no in (
            (names.INCOMING, names.CUSTOMER, names.BOT),
            (names.OUTGOING, names.BOT, names.CUSTOMER),
        ):
            word = str(first(message, keys)).strip().casefold()
            if word in ("true", "1", "yes", "false", "0", "no"):
                return yes if word in ("true", "1", "yes") else no
        for key in (*names.DIRECTIONS, "type"):
            said = message.get(key)
            if isinstance(said, str) and (side := names.side_of(said)):
                return side
        author = first(message, names.AUTHORS)
        if author is None:
            raise RowRejected(f"turn {place} does not say who wrote it")
        if self.opener is None:
            self.opener = author if self.dialogue.requester is None else self.dialogue.requester
        return names.CUSTOMER if str(author) == str(self.opener) else names.BOT


def parse(dialogue: Dialogue, facts: Facts, texts: Texts, whole: bool) -> Item:
    """The pairs of *dialogue*, and with *whole* the conversation. Raises :class:`RowRejected`."""
    said: list[_Said] = []
    sides = _Sides(dialogue)
    for place, message in enumerate(dialogue.messages, 1):
        if isinstance(message, list) and len(message) == 2 and all(isinstance(side, str) for side in message):
            message = {"question": message[0], "answer": message[1]}
        if not isinstance(message, dict):
            raise RowRejected(f"turn {place} is not an object")
        said += sides.of(place, _opened(folded(message)))
    if not any(one.side == names.BOT for one in said):
        for one in said:
            if one.side == names.SYSTEM and one.key in _SPOKEN:
                one.side = names.BOT
    merged = by_turns([turn for one in said if (turn := _turn(one, dialogue, texts)) is not None])
    pairs = pairs_of_dialogue(merged, facts)
    if not whole:
        return Item(pairs)
    kept = tuple(("customer" if turn.role == "customer" else "agent", turn.text) for turn in merged if turn.text)
    return Item(pairs, NewConversation(kept, kept[0][1], dialogue.customer))


def _opened(message: dict[str, Any]) -> dict[str, Any]:
    """*message* with what it keeps one level down (``{"type": "human", "data": {"content": ...}}``)."""
    data = message.get("data")
    return {**folded(data), **message} if isinstance(data, dict) else message


def _turn(one: _Said, dialogue: Dialogue, texts: Texts) -> Turn | None:
    """What a message becomes: nothing if it is an instruction or private. A customer's that says nothing stays as a
    gap, so that the answer to it is not taken for one to the question before."""
    if one.side == names.TOOL:
        raise tool_calls()
    if one.side in (names.SYSTEM, names.NOTE):
        return None
    hidden = private(one.message, message=True)
    if one.side == names.BOT and hidden:
        return None
    if not hidden and (what := media_in(one.message)):
        raise RowRejected(f"it needs {what} (turn {one.place})")
    name = f"turn {one.place}"
    value = first(one.message, (*names.TEXTS, "parts"))
    if dialogue.whole and (value is None or (isinstance(value, str) and not value.strip())):
        # What happened in a help desk (assigned, closed, a file was sent) stands among what was said.
        return Turn("customer", "", None) if one.side == names.CUSTOMER else None
    if one.side == names.CUSTOMER:
        text = "" if hidden else texts.text(value, name)
        return Turn("customer", "" if texts.is_nothing(text) else text, None)
    if one.place <= dialogue.learned_from or unlearned(one.message) is not None:
        text = texts.optional(value, name)
        return Turn("bot", text, None) if text else None
    text = texts.answer(value, name)
    return Turn("bot", text, text)
