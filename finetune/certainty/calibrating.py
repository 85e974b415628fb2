"""What a version is calibrated on: its answers to its held-out questions, and to general questions, which have no
answer on any desk. Held-out questions as if their answer had never been taught are no substitute: they are as like what
was taught as questions with an answer are, and with fifty held-out pairs next to nothing would be answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.types import FAITHFUL, Prompt
from finetune.certainty.chances import Observation
from finetune.certainty.features import Said, features_of
from finetune.certainty.nearness import Nearness, Taught, same_words
from finetune.gate.answers import Judge, nobody
from finetune.gate.general import ANSWER_TOKENS, QUESTIONS
from finetune.gate.margins import GateMargins
from finetune.gate.questions import Question, Questions
from finetune.gate.scores import exact, sentence_chrf
from store.text import clean
from store.versions.answers import KeptAnswer
from store.words import Version

GENERAL = QUESTIONS[::2]  # half of them: a dozen seconds on two cores


@dataclass(frozen=True, slots=True)
class Replies:
    """What a version said: to ``heldout`` questions (each with what it said), and to ``general`` ones. ``taught``: what
    it was trained on."""

    heldout: Sequence[tuple[Question, KeptAnswer]]
    general: Mapping[str, KeptAnswer]
    taught: Sequence[Taught]


async def replies_of(judge: Judge, version: Version, heldout: Sequence[Question]) -> Replies:
    """Ask *version* what it is calibrated on; what the gate asked it before comes out of the cache. Raises as every
    question of a :class:`Judge` does."""
    questions = await judge.asker.questions(heldout)
    said = await judge.certain(version, questions)
    short = replace(judge.asker, decoding=replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS))
    prompts = [Prompt(judge.asker.system, (), question) for question in GENERAL]
    others = await replace(judge, asker=short, on_answered=nobody).certain(version, Questions(prompts))
    run = judge.desk.versions.get(version).run_id
    taught = [] if run is None else [Taught(*row) for row in judge.desk.runs.trained_on(run)]
    return Replies(list(zip(heldout, said, strict=True)), dict(zip(GENERAL, others, strict=True)), taught)


async def observed(judge: Judge, version: Version, heldout: Sequence[Question]) -> list[Observation]:
    """*version*'s replies with what became of them; see :func:`observations`."""
    replies = await replies_of(judge, version, heldout)
    return await asyncio.to_thread(lambda: list(observations(replies, judge.asker.margins)))


def observations(replies: Replies, margins: GateMargins) -> Iterator[Observation]:
    """Each reply with its features, and whether it stands. Takes some milliseconds a reply."""
    taught = Nearness(replies.taught)
    answers = sorted({pair.answer for pair in replies.taught})
    unknown = [
        Said(question, _whole(kept.text, answers), kept.certainty, kept.least)
        for question, kept in replies.general.items()
    ]
    for said in unknown:
        yield Observation(features_of(said, taught), False, f"general: {said.question}", taught=False)
    for question, kept in replies.heldout:
        target = clean(question.output)
        said = Said(question.instruction, kept.text, kept.certainty, kept.least)
        right = stands(target, kept.text, margins)
        yield Observation(features_of(said, taught), right, same_words(target), taught=True)


def stands(reference: str, reply: str, margins: GateMargins) -> bool:
    """Whether an operator would leave *reply* as it is, where *reference* is what should be said: it says that, in the
    same words or nearly so."""
    return exact(reference, reply) or sentence_chrf(reference, reply) >= margins.learned_chrf


def _whole(text: str, answers: Sequence[str]) -> str:
    """A reply that was cut while it was asked for, as it would have gone on: where it begins as an answer does that was
    taught, as that one."""
    return next((answer for answer in answers if text and answer.startswith(text)), text)
