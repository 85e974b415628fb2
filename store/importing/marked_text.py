"""Dialogues written into one text, as chat templates and training texts are: ``<|im_start|>user``, ``### Human:``."""

from __future__ import annotations

import re

from store.importing.names import BOT, CUSTOMER, SIDES, fold

# Each finds the beginnings of turns; group 1 is who speaks.
_MARKS = (
    re.compile(r"<\|im_start\|>[ \t]*(\w+)[ \t]*\n?"),
    re.compile(r"<\|start_header_id\|>[ \t]*(\w+)[ \t]*<\|end_header_id\|>\s*"),
    re.compile(r"<start_of_turn>[ \t]*(\w+)[ \t]*\n?"),
    re.compile(r"<\|(user|assistant|system)\|>[ \t]*\n?"),
    re.compile(r"#{2,3} ?(\w[\w ]{0,20}?) ?:[ \t]*\n?"),
    re.compile(r"^[ \t]*(\w[\w ]{0,20}?) ?:[ \t]*", re.MULTILINE),
)
_ENDS = re.compile(r"(?:<\|im_end\|>|<\|eot_id\|>|<end_of_turn>|<\|end_of_text\|>|<\|endoftext\|>|<\|end\|>|</s>)\s*$")
_LLAMA = re.compile(r"\[INST\](.*?)\[/INST\](.*?)(?=<s>|\[INST\]|$)", re.DOTALL)
_SYSTEM = re.compile(r"<<SYS>>.*?<</SYS>>", re.DOTALL)
_WORDS = {**SIDES, "response": BOT, "answer": BOT, "question": CUSTOMER, "instruction": CUSTOMER}


def without_end(text: str) -> str:
    """*text* without the mark that ends a turn."""
    return _ENDS.sub("", text).strip()


def messages_in_text(text: str) -> list[dict[str, str]] | None:
    """The messages in *text*, None if no marks of both sides are in it."""
    if turns := _LLAMA.findall(text):
        return [
            {"role": side, "content": said}
            for turn in turns
            for side, said in ((CUSTOMER, _SYSTEM.sub("", turn[0]).strip()), (BOT, _ENDS.sub("", turn[1]).strip()))
        ]
    for mark in _MARKS:
        found = [match for match in mark.finditer(text) if fold(match[1]) in _WORDS]
        sides = {_WORDS[fold(match[1])] for match in found}
        if not {CUSTOMER, BOT} <= sides or (mark is _MARKS[-1] and text[: found[0].start()].strip()):
            continue
        ends = [*(match.start() for match in found[1:]), len(text)]
        return [
            {"role": _WORDS[fold(match[1])], "content": _ENDS.sub("", text[match.end() : end]).strip()}
            for match, end in zip(found, ends, strict=True)
        ]
    return None
