"""What a judge can be asked: is a candidate worse than the active version, is a merged model what it was made of, how
well does a version answer the questions of a file, and how far has it gone from its base."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot.types import FAITHFUL, BaseSpec, Prompt
from finetune.gate.answers import Asker, Judge, OnAnswered, nobody
from finetune.gate.general import ANSWER_TOKENS, QUESTIONS, Drift
from finetune.gate.measures import Scores
from finetune.gate.questions import Question, Questions, prompt_of
from finetune.gate.recall import with_recall
from finetune.gate.report import GateItem, GateReport, total
from finetune.gate.scores import score_by_language, tokenizer_for
from finetune.gate.sentences import Names
from finetune.gate.taught import Lesson, Said, Taught, recall_of
from finetune.gate.verdict import judge as verdict_on
from store.text import clean
from store.words import BASE, Version


@dataclass(frozen=True, slots=True)
class Exam:
    """What two versions are judged by: ``heldout`` and ``corrections`` are pairs of the store, known in the report by
    their ids; ``lesson`` is what the second version was taught."""

    heldout: Sequence[Question]
    corrections: Sequence[Question] = ()
    lesson: Lesson = Lesson()  # noqa: RUF009  (frozen)


async def evaluate_versions(judge: Judge, active: Version, candidate: Version, exam: Exam) -> GateReport:
    """Ask *active* and *candidate* ("base" or "vN") everything and judge. Taught questions are asked of the candidate,
    and of the active version where it was taught them as well. Raises as every question of a :class:`Judge` does."""
    compared, lesson = [*exam.heldout, *exam.corrections], exam.lesson
    shared = [one for one in lesson.asked if one.known_to_active]
    questions = await judge.asker.questions([*compared, *_each(lesson.asked)])
    known = [prompt_of(question, judge.asker.system) for question in (*compared, *_each(shared))]
    before = await _said(judge, active, questions.only(known))
    after = await _said(judge, candidate, questions)
    names = Names(_called(active), _called(candidate))
    margins = judge.asker.margins

    def found() -> GateReport:
        prompts = questions.prompts[: len(compared)]
        items = _items(compared, [before[prompt] for prompt in prompts], [after[prompt] for prompt in prompts])
        held_out, corrected = items[: len(exam.heldout)], items[len(exam.heldout) :]
        report = verdict_on(held_out, corrected, margins, active=names.active, candidate=names.candidate)
        asked = [(one, prompt_of(one.question, judge.asker.system)) for one in lesson.asked]
        said = [Said(one, before.get(prompt), after[prompt]) for one, prompt in asked]
        recall, failed = recall_of(said, lesson.of, margins)
        return with_recall(replace(report, answers=(*report.answers, *failed)), recall, names)

    return await asyncio.to_thread(found)  # seconds of arithmetic for a thousand pairs; a cancel need not wait for it


async def judge_merged(judge: Judge, version: Version, merged: Path) -> GateReport:
    """Whether the whole model in the folder *merged* answers the held-out questions as well as *version* does on its
    own base. The judge's engine is loaded with one after the other."""
    heldout = judge.desk.pairs.heldout_set()
    questions = await judge.asker.questions(heldout)
    before = await judge.answers(version, questions)
    whole = await judge.on(BaseSpec(str(merged), "bf16"))
    drafts = dict(zip(questions.prompts, before, strict=True))
    after = await whole.answers(BASE, replace(questions, drafts=drafts))
    items = _items(heldout, before, after)
    return await asyncio.to_thread(
        verdict_on, items, [], judge.asker.margins, active=version, candidate=f"{version}, merged,"
    )


async def drift_of(judge: Judge, version: Version) -> Drift:
    """How far *version* has gone from the bare base; see :mod:`finetune.gate.general`.

    The base's answers, and how likely it finds them, are made once and kept in the desk's cache."""
    prompts = [Prompt(judge.asker.system, (), question) for question in QUESTIONS]
    short = replace(judge.asker, decoding=replace(FAITHFUL, max_new_tokens=ANSWER_TOKENS))
    answers = await replace(judge, asker=short, on_answered=nobody).answers(BASE, Questions(prompts))
    texts = [(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True) if answer]
    before = await judge.likelihoods(BASE, texts)
    after = await judge.likelihoods(version, texts)
    lost = [known - kept for known, kept in zip(before, after, strict=True)]
    return Drift(round(sum(lost) / len(lost), 3) if lost else 0.0, len(lost))


async def evaluate_file(
    asker: Asker, version: Version, asked: Sequence[Question], on_answered: OnAnswered = nobody
) -> dict[str, Any]:
    """Ask *version*, which is ready in the asker's engine, all that is *asked*, and score the answers.

    Returns ``{"version", "bleu", "chrf", "exact", "n", "signature", "seconds"}``: BLEU and chrF from 0 to 100, exact
    from 0 to 1, seconds of wall time. With several languages each is scored by its own tokenizer, the numbers are the
    mean weighted by questions, ``signature`` lists each, and ``languages`` holds them one by one. ``notes`` is there
    where something must be known about the numbers. Raises :class:`ValueError` if nothing is asked.
    """
    if not asked:
        raise ValueError("The file holds no pair to evaluate.")
    start = time.perf_counter()
    questions = await asker.questions(asked)
    found = await asker.ask(version, questions.to(version), lambda done, wanted: on_answered(done, wanted, version))
    answers = [
        (question.lang, clean(question.output), found[prompt])
        for question, prompt in zip(asked, questions.prompts, strict=True)
    ]
    scores = await asyncio.to_thread(score_by_language, answers)
    result: dict[str, Any] = {
        "version": version,
        **{name: total(list(scores.values()), name) for name in ("bleu", "chrf", "exact")},
        "n": len(asked),
        "signature": _signature(scores),
        "seconds": round(time.perf_counter() - start, 3),
    }
    if len(scores) > 1:
        result["languages"] = {lang: values.to_dict() for lang, values in scores.items()}
    notes = [note for lang in scores if (note := tokenizer_for(lang).note)]
    return result | ({"notes": notes} if notes else {})


# -- small parts -----------------------------------------------------------------------------------
async def _said(judge: Judge, version: Version, questions: Questions) -> dict[Prompt, str]:
    """What *version* answers to each of *questions*."""
    return dict(zip(questions.prompts, await judge.answers(version, questions.to(version)), strict=True))


def _each(taught: Sequence[Taught]) -> Iterator[Question]:
    """Taught questions as they are asked, once with each answer."""
    return (question for one in taught for question in one.questions())


def _called(version: Version) -> str:
    return "the bare base" if version == BASE else version


def _items(asked: Sequence[Question], before: Sequence[str], after: Sequence[str]) -> list[GateItem]:
    return [
        GateItem(_pair_id(question), question.lang or "", clean(question.output), old, new)
        for question, old, new in zip(asked, before, after, strict=True)
    ]


def _pair_id(question: Question) -> int:
    return int(getattr(question, "id", 0))


def _signature(scores: Mapping[str, Scores]) -> str:
    if len(scores) == 1:
        return next(iter(scores.values())).signature
    return "; ".join(f"{lang}: {values.signature}" for lang, values in scores.items())
