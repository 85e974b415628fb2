"""Answers to judge by: asked in batches of similar length, each question once, and kept in the desk's cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

from bot.engines.engine import Engine
from bot.renderer import FIRST
from bot.types import FAITHFUL, AdapterRef, Answer, BaseFacts, Decoding, Prompt
from finetune.gate import GateMargins
from finetune.run.publish import library_versions
from store.desk import Desk
from store.text import clean
from store.versions import BASE

Progress = Callable[[int, int, str], None]  # answers there are, answers wanted, the version that is asked
Limits = Mapping[Prompt, int]  # the most tokens of the answer to a prompt; without a word, as many as replies may have
CHUNK = 24  # questions a request: what is answered is kept, so that a cancelled run loses no more than this
_LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes")


async def version_answers(
    engine: Engine,
    desk: Desk,
    base: BaseFacts,
    name: str,
    prompts: Sequence[Prompt],
    decoding: Decoding,
    on_progress: Progress | None,
    limits: Limits = MappingProxyType({}),
) -> list[str]:
    """The answers of version *name* to *prompts*, from the cache where they are known. A version that has answered
    everything before is not even loaded. *limits*: the most tokens of the answer to a prompt."""
    adapter, digest = _reference(desk, name)

    def key(prompt: Prompt) -> str:
        """An answer is kept under the length it was allowed."""
        most = min(decoding.max_new_tokens, limits.get(prompt, decoding.max_new_tokens))
        return answer_key(base, digest, replace(decoding, max_new_tokens=most), prompt)

    def keep(new: Mapping[Prompt, Answer]) -> None:
        # One that came to its end by itself would have done so without a limit, too.
        whole = {answer_key(base, digest, decoding, p): a.text for p, a in new.items() if a.finish == "complete"}
        desk.answers.put_many(whole | {keys[prompt]: answer.text for prompt, answer in new.items()})

    keys = {prompt: key(prompt) for prompt in unique(prompts)}
    known = {prompt: text for prompt, key in keys.items() if (text := desk.answers.get(key)) is not None}
    missing = [prompt for prompt in keys if prompt not in known]
    tell(on_progress, len(known), len(keys), name)
    if missing:
        await engine.activate(adapter)
        cached = len(known)

        def progress(done: int, _: int) -> None:
            tell(on_progress, cached + done, len(keys), name)

        known |= await ask(engine, missing, decoding, progress, keep=keep, limits=limits)
    return [known[prompt] for prompt in prompts]


async def ask(
    engine: Engine,
    prompts: Sequence[Prompt],
    decoding: Decoding,
    progress: Callable[[int, int], None],
    keep: Callable[[Mapping[Prompt, Answer]], None] = lambda new: None,
    limits: Limits = MappingProxyType({}),
) -> dict[Prompt, str]:
    """Ask every prompt, in chunks of similar *limits* and length (a chunk takes as long as its longest answer), and
    *keep* each chunk as it is answered."""
    answers: dict[Prompt, str] = {}
    ordered = sorted(prompts, key=lambda prompt: (limits.get(prompt, 0), _length(prompt)))
    for begin in range(0, len(ordered), CHUNK):
        chunk = ordered[begin : begin + CHUNK]
        most = [limits.get(prompt, decoding.max_new_tokens) for prompt in chunk] if limits else None
        found = await engine.batch(chunk, decoding, partial(_further, progress, begin, len(ordered)), most)
        # As the chat would show it: the store cleans what the model writes.
        new = {prompt: replace(one, text=clean(one.text)) for prompt, one in zip(chunk, found, strict=True)}
        keep(new)
        answers |= {prompt: one.text for prompt, one in new.items()}
    return answers


async def limits_of(
    engine: Engine, prompts: Sequence[Prompt], references: Sequence[str], margins: GateMargins
) -> dict[Prompt, int]:
    """The most tokens of each answer, by its reference's length in the tokens of the base that *engine* has loaded: the
    same for every version. Of several references to one prompt the longest counts."""
    found: dict[Prompt, int] = {}
    if not prompts or not margins.answer_multiple:
        return found
    for prompt, tokens in zip(prompts, await engine.lengths(references), strict=True):
        found[prompt] = max(found.get(prompt, 0), margins.limit(tokens) or 0)
    return found


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


def unique(prompts: Sequence[Prompt]) -> list[Prompt]:
    """*prompts* without repetitions, in their order."""
    return list(dict.fromkeys(prompts))


def _length(prompt: Prompt) -> int:
    """Characters, which is near enough to tokens to bring similar lengths together."""
    return len(prompt.message) + sum(len(text) for exchange in prompt.history for text in exchange)


def _reference(desk: Desk, name: str) -> tuple[AdapterRef | None, str]:
    """What the engine activates for version *name* (None: the bare base), and the digest that stands for it in keys."""
    if name == BASE:
        return None, BASE
    row = desk.versions.get(name)
    return AdapterRef(name, str(Path(desk.home.adapters, row.folder).absolute())), row.manifest_sha256


def _further(progress: Callable[[int, int], None], before: int, wanted: int, done: int, _: int) -> None:
    progress(before + done, wanted)


def tell(on_progress: Progress | None, done: int, wanted: int, name: str) -> None:
    """Call *on_progress* if there is one."""
    if on_progress is not None:
        on_progress(done, wanted, name)


async def likelihoods(
    engine: Engine, desk: Desk, base: BaseFacts, name: str, texts: Sequence[tuple[Prompt, str]]
) -> list[float]:
    """How likely version *name* finds each answer (mean log-probability of its tokens); kept in the cache as well."""
    adapter, digest = _reference(desk, name)
    words = "".join(answer for _, answer in texts)
    mark = hashlib.sha256(words.encode()).hexdigest()
    keys = [answer_key(base, f"{digest}/likelihood/{mark}", FAITHFUL, prompt) for prompt, _ in texts]
    known = [desk.answers.get(key) for key in keys]
    if None in known:
        await engine.activate(adapter)
        values = await engine.likelihoods(texts)
        desk.answers.put_many({key: str(value) for key, value in zip(keys, values, strict=True)})
        return values
    return [float(value) for value in known if value is not None]
