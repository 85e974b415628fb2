"""More phrasings of a question, made by rules where a desk has few.

A small model that has seen an answer under three phrasings learns those phrasings. So each question is also learned in
forms that people type it in: without capitals and punctuation, with a greeting before it or a word after it, joined
with, or crossed over into, another phrasing that has the same answer. They are made, and marked as such: they are in
the job of a run alone, no pairs of the desk, never shown and never judged by.

Leaving words out of a question and mistyping some were tried and did not add to it.
"""

from __future__ import annotations

import random
import string
from collections.abc import Sequence

TRIES = 4  # for each phrasing that is wanted: some come out as what is there already
# "{}" is where the question goes.
FRAMES: dict[str, tuple[str, ...]] = {
    "en": (
        "Hi, {}", "Hello! {}", "{} please", "{} Thanks", "Can you tell me: {}", "I have a question. {}",
        "Quick question, {}", "hey {}", "Good morning. {}", "One more thing: {}",
    ),
    "zh": ("你好,{}", "请问{}", "{}谢谢", "您好!{}", "想问一下,{}", "麻烦问下{}"),
    "de": ("Hallo, {}", "Guten Tag. {}", "{} Danke", "Ich habe eine Frage: {}"),
    "fr": ("Bonjour, {}", "{} Merci", "J'ai une question : {}"),
    "es": ("Hola, {}", "{} Gracias", "Tengo una pregunta: {}"),
}  # fmt: skip
_ENDS = string.punctuation + "。?!,、?!"


def phrasings(question: str, others: Sequence[str], lang: str, wanted: int, chance: random.Random) -> tuple[str, ...]:
    """At most *wanted* other phrasings of *question*, none of them twice; *others*: the desk's own phrasings that have
    the same answer; *lang*: a language's short name, of which unknown ones get no greetings."""
    made: dict[str, None] = {}
    taken = {question, *others}
    rules = [_bare, *([_framed] if FRAMES.get(lang) else []), *([_joined, _crossed] if others else [])]
    for _ in range(TRIES * wanted):
        if len(made) == wanted:
            break
        one = chance.choice(rules)(question, others, lang, chance).strip()
        if one and one not in taken:
            made[one] = None
    return tuple(made)


def _bare(question: str, others: Sequence[str], lang: str, chance: random.Random) -> str:
    return question.lower().strip().rstrip(_ENDS)


def _framed(question: str, others: Sequence[str], lang: str, chance: random.Random) -> str:
    return chance.choice(FRAMES[lang]).replace("{}", question)


def _joined(question: str, others: Sequence[str], lang: str, chance: random.Random) -> str:
    return f"{question} {chance.choice(others)}"


def _crossed(question: str, others: Sequence[str], lang: str, chance: random.Random) -> str:
    """The beginning of one and the end of the other; of a text without spaces, whole ones stay what they are."""
    one, other = question.split(), chance.choice(others).split()
    if len(one) < 2 or len(other) < 2:
        return ""
    return " ".join(one[: chance.randrange(1, len(one))] + other[chance.randrange(len(other)) :])
