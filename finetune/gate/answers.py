"""Answers to judge by: asked as served and greedily, each question once, and kept in the desk's cache.

The only place of the gate that talks to an engine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

from bot.engines import Engine
from bot.renderer import FIRST
from bot.types import FAITHFUL, AdapterRef, Answer, BaseFacts, BaseSpec, Decoding, Priority, Prompt, Ticket
from finetune.gate.margins import GateMargins
from finetune.gate.questions import Question, Questions, prompt_of
from finetune.lengths import decoding_of
from finetune.libraries import library_versions
from store.desk import Desk
from store.settings import Settings
from store.text import clean
from store.versions.answers import KeptAnswer
from store.words import BASE, Version

OnAnswered = Callable[[int, int, Version], None]  # answers there are, answers wanted, the version that is asked
Keep = Callable[[Mapping[Prompt, Answer]], None]
CHUNK = 24  # questions a request: what is answered is kept, so that a cancelled run loses no more than this
DRAFTED_CHUNK = (
    4 * CHUNK
)  # of those whose answers are expected, which takes no longer; what parts is generated together
_LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes")


def nobody(done: int, wanted: int, version: Version) -> None:
    """An :data:`OnAnswered` for whom it is of no interest."""


def judging_decoding(settings: Settings, desk: Desk | None = None) -> Decoding:
    """How answers are generated to be judged: the desk's preset `faithful`, and greedily in any case. With a *desk*
    they may be as long as its replies."""
    made = replace(FAITHFUL, **settings.faithful) if desk is None else decoding_of(desk, settings, "faithful")
    return replace(made, do_sample=False, seed=None)


def margins_of(settings: Settings) -> GateMargins:
    """The gate's margins as the desk's settings have them."""
    return GateMargins.of(
        settings.gate_margin_bleu, settings.gate_large_drop, settings.gate_alpha, settings.gate_min_pairs
    )


@dataclass(frozen=True, slots=True)
class Asker:
    """How questions are asked: by which engine, with which system message, how answers are generated, and (of the
    ``margins``) how long they may be. What it asks may be cancelled at any moment: the engine stops."""

    engine: Engine
    system: str
    decoding: Decoding = FAITHFUL
    margins: GateMargins = GateMargins()  # noqa: RUF009  (frozen)

    @classmethod
    def of(cls, desk: Desk, engine: Engine, system: str | None = None) -> Asker:
        """One that asks as the settings of *desk* have it; *system* None: with the desk's system message."""
        settings = desk.settings.load()
        said = settings.system_message if system is None else system
        return cls(engine, said, judging_decoding(settings, desk), margins_of(settings))

    async def questions(self, asked: Sequence[Question]) -> Questions:
        """*asked* as prompts, each answer limited by its reference's length in tokens of the base: the same for every
        version. Of several references to one prompt the longest counts; the first is the draft."""
        prompts = [prompt_of(question, self.system) for question in asked]
        pairs = zip(prompts, asked, strict=True)
        drafts = {prompt: question.output for prompt, question in reversed([*pairs])}
        if not prompts or not self.margins.answer_multiple:
            return Questions(prompts, drafts=drafts)
        limits: dict[Prompt, int] = {}
        lengths = await self.engine.lengths([question.output for question in asked])
        for prompt, tokens in zip(prompts, lengths, strict=True):
            limits[prompt] = max(limits.get(prompt, 0), self.margins.limit(tokens) or 0)
        return Questions(prompts, limits, drafts)

    async def ask(
        self,
        version: Version,
        questions: Questions,
        on_progress: Callable[[int, int], None],
        keep: Keep = lambda new: None,
    ) -> dict[Prompt, str]:
        """Ask *version*, which is ready, whatever the cache knows; *keep* gets each chunk as it is answered."""
        answers: dict[Prompt, str] = {}
        ordered = questions.by_size()
        size = DRAFTED_CHUNK if questions.drafts else CHUNK
        for begin in range(0, len(ordered), size):
            chunk = ordered[begin : begin + size]
            ticket = Ticket(version, Priority.GATE)
            progress = _further(on_progress, begin, len(ordered))
            expected = questions.expected(chunk, self.decoding.max_new_tokens)
            found = await self.engine.batch(ticket, chunk, self.decoding, expected, progress)
            # As the chat would show it: the store cleans what the model writes.
            new = {prompt: replace(one, text=clean(one.text)) for prompt, one in zip(chunk, found, strict=True)}
            keep(new)
            answers |= {prompt: one.text for prompt, one in new.items()}
        return answers


@dataclass(frozen=True, slots=True)
class Judge:
    """Who asks versions: their answers are kept in the cache of ``desk``, where they have their rows and folders.

    ``base``: what loading it into the engine returned. Whatever asks may be cancelled at any moment, and the answers
    there are stay in the cache. It raises :class:`bot.types.EngineError` (a version that does not load, an engine that
    died) and :class:`LookupError` (no such version)."""

    asker: Asker
    desk: Desk
    base: BaseFacts
    on_answered: OnAnswered = nobody

    async def on(self, spec: BaseSpec) -> Judge:
        """The same on another base, which its engine loads."""
        return replace(self, base=await self.asker.engine.load(spec))

    async def answers(self, version: Version, questions: Questions) -> list[str]:
        """What *version* answers, from the cache where that is known. A version that has answered everything before is
        not even loaded."""
        digest = _digest(self.desk, version)
        keys = {prompt: self._key(digest, prompt, questions) for prompt in questions.unique}
        known = {prompt: text for prompt, key in keys.items() if (text := self.desk.answers.get(key)) is not None}
        missing = [prompt for prompt in keys if prompt not in known]
        self.on_answered(len(known), len(keys), version)
        if missing:

            def keep(new: Mapping[Prompt, Answer]) -> None:
                # One that came to its end by itself would have done so without a limit, too.
                ended = [one for one in new.items() if one[1].finish in ("complete", "repeated")]
                whole = {
                    answer_key(self.base, digest, self.asker.decoding, prompt): _kept(answer)
                    for prompt, answer in ended
                }
                self.desk.answers.put_many(whole | {keys[prompt]: _kept(answer) for prompt, answer in new.items()})

            cached = len(known)
            known |= await self.asker.ask(
                await self._ready(version),
                questions.only(missing),
                lambda done, _: self.on_answered(cached + done, len(keys), version),
                keep,
            )
        return [known[prompt] for prompt in questions.prompts]

    async def certain(self, version: Version, questions: Questions) -> list[KeptAnswer]:
        """What *version* answers, as :meth:`answers`, and how certain it was of each. Answers that were kept before
        anybody measured that are looked through once more."""
        texts = await self.answers(version, questions)
        digest = _digest(self.desk, version)
        found = [self.desk.answers.kept(self._key(digest, prompt, questions)) for prompt in questions.prompts]
        sure = [one or KeptAnswer(text) for one, text in zip(found, texts, strict=True)]
        lacking = [place for place, one in enumerate(sure) if one.certainty is None and one.text]
        if lacking:
            read = [(questions.prompts[place], sure[place].text) for place in lacking]
            for place, value in zip(lacking, await self.likelihoods(version, read), strict=True):
                sure[place] = replace(sure[place], certainty=value)
        return sure

    async def likelihoods(self, version: Version, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """How likely *version* finds each answer (mean log-probability of its tokens); kept in the cache as well."""
        digest = _digest(self.desk, version)
        keys = [
            answer_key(
                self.base, f"{digest}/likelihood/{hashlib.sha256(answer.encode()).hexdigest()}", FAITHFUL, prompt
            )
            for prompt, answer in texts
        ]
        known = [self.desk.answers.get(key) for key in keys]
        if None in known:
            ticket = Ticket(await self._ready(version), Priority.GATE)
            values = await self.asker.engine.likelihoods(ticket, texts)
            self.desk.answers.put_many({key: str(value) for key, value in zip(keys, values, strict=True)})
            return values
        return [float(value) for value in known if value is not None]

    async def _ready(self, version: Version) -> Version:
        """Make *version* ready in the engine, which the bare base always is."""
        if version != BASE:
            await self.asker.engine.ready(AdapterRef(version, _folder(self.desk, version)))
        return version

    def _key(self, digest: str, prompt: Prompt, questions: Questions) -> str:
        """An answer is kept under the length it was allowed."""
        most = min(self.asker.decoding.max_new_tokens, questions.limits.get(prompt, self.asker.decoding.max_new_tokens))
        return answer_key(self.base, digest, replace(self.asker.decoding, max_new_tokens=most), prompt)


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
        "renderer": FIRST,  # by now the fingerprint says it; as it was, so that what is in the cache stays known
        "libraries": _libraries(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@lru_cache
def _libraries() -> dict[str, str]:
    found = library_versions(_LIBRARIES)
    return {name: found.get(name, "none") for name in _LIBRARIES}


def _kept(answer: Answer) -> KeptAnswer:
    return KeptAnswer(answer.text, answer.certainty, answer.least)


def _folder(desk: Desk, version: Version) -> str:
    return str(Path(desk.home.adapters, desk.versions.get(version).folder).absolute())


def _digest(desk: Desk, version: Version) -> str:
    """What stands for *version* in keys."""
    return BASE if version == BASE else desk.versions.get(version).manifest_sha256


def _further(on_progress: Callable[[int, int], None], before: int, wanted: int) -> Callable[[int, int], None]:
    return lambda done, _: on_progress(before + done, wanted)
