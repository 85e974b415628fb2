"""Judging: the same questions to the active version and to the candidate, as served, and the gate's word on it.

The engine is the one that serves chat (a fresh process in the run), so what is measured is what goes live. Answers are
greedy, asked in batches of similar length, each question once however many pairs share it, and kept in the desk's cache
under everything they depend on: the active version's answers of one run are the candidate's of the run before.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from bot.interface import Engine
from bot.render import renderer_version
from bot.types import FAITHFUL, AdapterRef, BaseFacts, Decoding, Exchange, Prompt
from finetune.gate import GateItem, GateMargins, GateReport, Scores, judge, language_of, score, tokenizer_for, total
from store.desk import Desk
from store.settings import Settings
from store.text import clean
from store.versions import BASE

Progress = Callable[[int, int, str], None]  # answers there are, answers wanted, the version that is asked
CHUNK = 24  # questions a request: what is answered is kept, so that a cancelled run loses no more than this
_LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes")


class Question(Protocol):
    """What is asked and what should be said: a pair of the store, or a row of a file."""

    @property
    def instruction(self) -> str: ...
    @property
    def history(self) -> tuple[Exchange, ...]: ...
    @property
    def output(self) -> str: ...
    @property
    def lang(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A question that is in no store. ``lang`` None: told by the script of the answer."""

    instruction: str
    output: str
    history: tuple[Exchange, ...] = ()
    lang: str | None = None


def judging_decoding(settings: Settings) -> Decoding:
    """How answers are generated to be judged: the desk's preset `faithful`, and greedily in any case."""
    return replace(FAITHFUL, **{**settings.faithful, "do_sample": False, "seed": None})


async def evaluate_versions(
    engine: Engine,
    desk: Desk,
    base: BaseFacts,
    active: str,
    candidate: str,
    heldout: Sequence[Question],
    corrections: Sequence[Question],
    system: str | None = None,
    on_progress: Progress | None = None,
    *,
    decoding: Decoding | None = None,
    margins: GateMargins | None = None,
) -> GateReport:
    """Ask *active* and *candidate* ("base" or "vN") everything and judge.

    *base* is what ``engine.load`` returned. *system*, *decoding* and *margins* default to the desk's settings.
    *heldout* and *corrections* are pairs of the store, known in the report by their ids. May be cancelled at any
    moment: the engine stops, and the answers there are stay in the cache. A version whose answers are all in the cache
    is not activated. Raises :class:`bot.types.EngineError` (a
    version that can't be activated, an engine that died) and :class:`LookupError` (no such version).
    """
    settings = desk.settings.load()
    system = settings.system_message if system is None else system
    decoding = decoding or judging_decoding(settings)
    margins = margins or GateMargins.with_margin(settings.gate_margin_bleu)
    questions = [*heldout, *corrections]
    prompts = [_prompt(question, system) for question in questions]
    answers = {}
    for name in (active, candidate):
        answers[name] = await _answers(engine, desk, base, name, prompts, decoding, on_progress)
    items = [
        GateItem(_pair_id(question), question.lang or "", clean(question.output), before, after)
        for question, before, after in zip(questions, answers[active], answers[candidate], strict=True)
    ]
    return await asyncio.to_thread(  # seconds of arithmetic for a thousand pairs; a cancel need not wait for it
        judge,
        items[: len(heldout)],
        items[len(heldout) :],
        margins,
        active="the bare base" if active == BASE else active,
        candidate="the bare base" if candidate == BASE else candidate,
    )


async def evaluate_file(
    engine: Engine,
    rows: Sequence[Question],
    *,
    version: str,
    system: str,
    decoding: Decoding = FAITHFUL,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Ask what is active in *engine* every question of *rows* and score the answers.

    Returns ``{"version", "bleu", "chrf", "exact", "n", "signature", "seconds"}``: BLEU and chrF from 0 to 100, exact
    from 0 to 1, seconds of wall time. With several languages each is scored by its own tokenizer, the numbers are the
    mean weighted by rows, ``signature`` lists each, and ``languages`` holds them one by one. ``notes`` is there where
    something must be known about the numbers. *version* is only repeated. Raises :class:`ValueError` if there are no
    rows.
    """
    if not rows:
        raise ValueError("The file holds no pair to evaluate.")
    start = time.perf_counter()
    prompts = [_prompt(row, system) for row in rows]
    found = await _ask(engine, _unique(prompts), decoding, lambda done, all_: _tell(on_progress, done, all_, version))
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for row, prompt in zip(rows, prompts, strict=True):
        target = clean(row.output)
        references, hypotheses = groups.setdefault(language_of(row.lang, target), ([], []))
        references.append(target)
        hypotheses.append(found[prompt])
    scores = {lang: await asyncio.to_thread(score, *group, lang) for lang, group in sorted(groups.items())}
    result: dict[str, Any] = {
        "version": version,
        **{name: total(list(scores.values()), name) for name in ("bleu", "chrf", "exact")},
        "n": len(rows),
        "signature": _signature(scores),
        "seconds": round(time.perf_counter() - start, 3),
    }
    if len(scores) > 1:
        result["languages"] = {lang: values.to_dict() for lang, values in scores.items()}
    notes = [note for lang in scores if (note := tokenizer_for(lang).note)]
    return result | ({"notes": notes} if notes else {})


# -- answers ---------------------------------------------------------------------------------------
async def _answers(
    engine: Engine,
    desk: Desk,
    base: BaseFacts,
    name: str,
    prompts: Sequence[Prompt],
    decoding: Decoding,
    on_progress: Progress | None,
) -> list[str]:
    """The answers of version *name* to *prompts*, from the cache where they are known. A version that has answered
    everything before is not even loaded."""
    row = None if name == BASE else desk.versions.get(name)
    digest = BASE if row is None else row.manifest_sha256
    keys = {prompt: answer_key(base, digest, decoding, prompt) for prompt in _unique(prompts)}
    known = {prompt: text for prompt, key in keys.items() if (text := desk.answers.get(key)) is not None}
    missing = [prompt for prompt in keys if prompt not in known]
    _tell(on_progress, len(known), len(keys), name)
    if missing:
        adapter = None if row is None else AdapterRef(name, _folder(desk, row.folder))
        await engine.activate(adapter)
        cached = len(known)
        known |= await _ask(
            engine,
            missing,
            decoding,
            lambda done, _: _tell(on_progress, cached + done, len(keys), name),
            keep=lambda new: desk.answers.put_many({keys[prompt]: text for prompt, text in new.items()}),
        )
    return [known[prompt] for prompt in prompts]


async def _ask(
    engine: Engine,
    prompts: Sequence[Prompt],
    decoding: Decoding,
    progress: Callable[[int, int], None],
    keep: Callable[[Mapping[Prompt, str]], None] = lambda new: None,
) -> dict[Prompt, str]:
    """Ask every prompt in chunks of similar length, and *keep* each chunk as it is answered."""
    answers: dict[Prompt, str] = {}
    ordered = sorted(prompts, key=_length)
    for begin in range(0, len(ordered), CHUNK):
        chunk = ordered[begin : begin + CHUNK]
        found = await engine.batch(chunk, decoding, partial(_tell_further, progress, begin, len(ordered)))
        # As the chat would show it: the store cleans what the model writes.
        new = {prompt: clean(answer.text) for prompt, answer in zip(chunk, found, strict=True)}
        keep(new)
        answers |= new
    return answers


def answer_key(base: BaseFacts, adapter: str, decoding: Decoding, prompt: Prompt) -> str:
    """The cache's key: a hash of all that a greedy answer depends on.

    *adapter* is the sha256 of the version's manifest, or "base". The base's fingerprint covers its weights, tokenizer,
    template and quantization; the device and the libraries are in the key because they decide how numbers are rounded.
    What remains is the company in a batch, whose padding can tip a token that was a coin's toss anyway.
    """
    parts = {
        "base": base.fingerprint,
        "quantization": base.quantization,
        "device": base.device,
        "adapter": adapter,
        "decoding": asdict(decoding),
        "system": prompt.system,
        "history": prompt.history,
        "message": prompt.message,
        "renderer": renderer_version(),
        "libraries": _libraries(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@lru_cache
def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


# -- small parts -----------------------------------------------------------------------------------
def _prompt(question: Question, system: str) -> Prompt:
    history = tuple((customer, bot) for customer, bot in question.history)
    return Prompt(system, history, question.instruction)


def _unique(prompts: Sequence[Prompt]) -> list[Prompt]:
    return list(dict.fromkeys(prompts))


def _length(prompt: Prompt) -> int:
    """Characters, which is near enough to tokens to bring similar lengths together."""
    return len(prompt.message) + sum(len(text) for exchange in prompt.history for text in exchange)


def _folder(desk: Desk, name: str) -> str:
    return str(Path(desk.home.adapters, name).absolute())


def _pair_id(question: Question) -> int:
    return int(getattr(question, "id", 0))


def _signature(scores: Mapping[str, Scores]) -> str:
    if len(scores) == 1:
        return next(iter(scores.values())).signature
    return "; ".join(f"{lang}: {values.signature}" for lang, values in scores.items())


def _tell_further(progress: Callable[[int, int], None], before: int, wanted: int, done: int, _: int) -> None:
    progress(before + done, wanted)


def _tell(on_progress: Progress | None, done: int, wanted: int, name: str) -> None:
    if on_progress is not None:
        on_progress(done, wanted, name)
