"""Answers to judge by: asked in batches of similar length, each question once, and kept in the desk's cache."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache, partial
from pathlib import Path

from bot.interface import Engine
from bot.renderer import FIRST
from bot.types import FAITHFUL, AdapterRef, BaseFacts, Decoding, Prompt
from finetune.publish import library_versions
from store.desk import Desk
from store.text import clean
from store.versions import BASE

Progress = Callable[[int, int, str], None]  # answers there are, answers wanted, the version that is asked
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
) -> list[str]:
    """The answers of version *name* to *prompts*, from the cache where they are known. A version that has answered
    everything before is not even loaded."""
    adapter, digest = _reference(desk, name)
    keys = {prompt: answer_key(base, digest, decoding, prompt) for prompt in unique(prompts)}
    known = {prompt: text for prompt, key in keys.items() if (text := desk.answers.get(key)) is not None}
    missing = [prompt for prompt in keys if prompt not in known]
    tell(on_progress, len(known), len(keys), name)
    if missing:
        await engine.activate(adapter)
        cached = len(known)
        known |= await ask(
            engine,
            missing,
            decoding,
            lambda done, _: tell(on_progress, cached + done, len(keys), name),
            keep=lambda new: desk.answers.put_many({keys[prompt]: text for prompt, text in new.items()}),
        )
    return [known[prompt] for prompt in prompts]


async def ask(
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
        found = await engine.batch(chunk, decoding, partial(_further, progress, begin, len(ordered)))
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
