"""What a training replays, see :mod:`finetune.replay`: the base is asked once, and its answers are kept."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import msgspec

from bot.types import FAITHFUL, Priority, Prompt, Ticket
from finetune.events import Phase
from finetune.job import JobPair
from finetune.replay import ANSWER_TOKENS, COURTESIES, QUESTIONS, Exemplar
from finetune.run.context import RunContext
from finetune.run.prepare import Prepared
from finetune.run.serving import serving
from store.text import clean, normalise
from store.words import BASE


async def replayed(run: RunContext, prepared: Prepared) -> list[JobPair]:
    """The rows that are learned beside the desk's pairs: what the base answers to general questions, asked once and
    kept in the desk's cache; and courtesies, but for those that the desk has its own answers to. None where the recipe
    wants none, or the job is written. Raises :class:`bot.types.EngineError`."""
    if not run.recipe.replay or run.files.job.whole or run.files.job.trained:
        return []
    taught = {normalise(pair.instruction) for pair, _ in prepared.data.train}
    return [
        JobPair(one.question, (), one.answer, one.lang, replayed=True, ends=one.ends)
        for one in [*await _own_answers(run, prepared), *COURTESIES]
        if normalise(one.question) not in taught
    ]


async def _own_answers(run: RunContext, prepared: Prepared) -> list[Exemplar]:
    """What the bare base answers to the general questions."""
    asked = hashlib.sha256("\n".join([run.system, *QUESTIONS]).encode()).hexdigest()
    key = f"replay/{prepared.mark}/{ANSWER_TOKENS}/{asked}"
    if (kept := run.desk.answers.get(key)) is not None:
        return msgspec.json.decode(kept, type=list[Exemplar])
    phase = Phase("loading", f"Asking the base {len(QUESTIONS)} general questions, to keep what it knows. Only once.")
    prompts = [Prompt(run.system, (), question) for question in QUESTIONS]
    async with serving(run, prepared.spec, phase) as served:
        decoding = replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS)
        answers = await served.engine.batch(Ticket(BASE, Priority.GATE), prompts, decoding)
    found = [
        Exemplar(question, text, ends=answer.finish == "complete")
        for question, answer in zip(QUESTIONS, answers, strict=True)
        if (text := clean(answer.text))
    ]
    run.desk.answers.put_many({key: msgspec.json.encode(found).decode()})
    return found
