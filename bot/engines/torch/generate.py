"""Generation: one answer as a stream, with the cache of the conversation's earlier turns, or many in batches."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)
from transformers.generation.streamers import BaseStreamer

from bot import lines
from bot.bases.base import context_length
from bot.render import plain_ids, render, render_pair, stop_ids
from bot.types import Answer, Decoding, EngineError, Finish, Prompt

BATCH_SIZE = 24  # prompts answered together; beyond this 2 cores gain little and memory grows
SCORED_TOGETHER = 8  # texts whose likelihood is computed at once: their logits over the vocabulary take memory
LABEL_TOKENS = 24  # of a reply's end: the longest that the beginning of a customer's turn may take, generously
CONVERSATIONS_KEPT = 4  # caches kept at once, the least recently used goes first


class Answering(Protocol):
    """A model that can be asked: one that serves, or one that is being trained."""

    @property
    def base(self) -> Any:
        """The causal model, with what answers on it."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """A fresh cache for *batch* texts, and how many places it holds before them."""


class Stop(StoppingCriteria):
    """Ends a generation at the next token once its event is set; whoever set it clears it before the next."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.asked.is_set(), dtype=torch.bool, device=input_ids.device)


class RowEnds(StoppingCriteria):
    """Ends each row of a batch by itself: after as many tokens as *limits* allows it, or, with *text_ends* (bases
    without a template), once it has begun the customer's next turn."""

    def __init__(self, tokenizer: Any, width: int, limits: Sequence[int], *, text_ends: bool) -> None:
        self._tokenizer, self._width, self._text_ends = tokenizer, width, text_ends
        self._limits = torch.tensor(list(limits))

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        done = input_ids.shape[1] - self._width >= self._limits.to(input_ids.device)
        if self._text_ends:
            begin = max(self._width, input_ids.shape[1] - LABEL_TOKENS)
            texts = self._tokenizer.batch_decode(input_ids[:, begin:], skip_special_tokens=True)
            whole = begin == self._width
            ended = [lines.end_of_reply(text, whole=whole) is not None for text in texts]
            done = done | torch.tensor(ended, device=input_ids.device)
        return done


class Certainty(LogitsProcessor):
    """How sure the model was of the tokens it chose: of each, the natural logarithm of the probability it had before
    temperature and top-p, so that the presets can be compared. Costs one pass over the vocabulary a token."""

    def __init__(self) -> None:
        self._scores: torch.Tensor | None = None
        self._sum, self._count = 0.0, 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Called by ``generate`` before a token is chosen; changes nothing."""
        self._scores = scores[0]
        return scores

    def chose(self, token: int) -> None:
        """The token that was chosen from the scores of the moment."""
        if self._scores is not None:
            self._sum += float(self._scores[token].float() - torch.logsumexp(self._scores.float(), 0))
            self._count += 1

    @property
    def mean(self) -> float | None:
        """The mean over the tokens so far; None without any, or if one of them had no probability at all."""
        mean = self._sum / self._count if self._count else math.nan
        return mean if math.isfinite(mean) else None


class TextStream(BaseStreamer):
    """Turns tokens into text as they come, and holds back what is not a whole character yet and, with *text_ends*, what
    may be the customer's next turn. *chose* is told every token."""

    def __init__(
        self,
        tokenizer: Any,
        emit: Callable[[str], None],
        chose: Callable[[int], None] = lambda token: None,
        *,
        stops: Sequence[int] = (),
        text_ends: bool = False,
    ) -> None:
        self._tokenizer, self._emit, self._chose = tokenizer, emit, chose
        self._stops, self._text_ends = stops, text_ends
        self.ids: list[int] = []
        self.first_at: float | None = None
        self._from = self._read = 0
        self._begun = self._prompt_seen = self._over = False
        self._held = ""

    def put(self, value: torch.Tensor) -> None:
        """Called by ``generate``: once with the prompt, then with each new token."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        self.first_at = self.first_at or time.perf_counter()
        new = value.reshape(-1).tolist()
        for token in new:
            self._chose(token)
        self.ids += new
        before = self._decode(self.ids[self._from : self._read])
        text = self._decode(self.ids[self._from :])
        if len(text) > len(before) and not text.endswith("\ufffd"):
            self._hold(text[len(before) :])
            self._from, self._read = self._read, len(self.ids)

    def _hold(self, delta: str) -> None:
        if not self._text_ends:
            self._say(delta)
            return
        self._held += delta
        end = lines.end_of_reply(self._held, whole=not self._begun)
        ready = lines.sure(self._held) if end is None else end
        said, self._held = self._held[:ready], self._held[ready:]
        self._say(said)
        self._over = self._over or end is not None

    def _say(self, delta: str) -> None:
        if not self._begun:
            delta = delta.lstrip()
            self._begun = bool(delta)
        if delta and not self._over:
            self._emit(delta)

    def end(self) -> None:
        """Called by ``generate`` at its end: what was held back was the reply's own after all, or is dropped. The whole
        text is decoded by whoever asked for it."""
        if self._held.strip():
            self._say(self._held.rstrip())
        self._held = ""

    def _decode(self, ids: list[int]) -> str:
        return _decoded(self._tokenizer, ids, self._stops)

    @property
    def text(self) -> str:
        """Everything generated so far."""
        return self._decode(self.ids).strip()


class Generator:
    """Answers prompts with whatever version is active in *serving*."""

    def __init__(self, serving: Answering) -> None:
        self._serving = serving
        self._tokenizer = serving.tokenizer
        self._stops = stop_ids(serving.tokenizer, serving.base.config)
        self._text_ends = serving.tokenizer.chat_template is None
        self._context = context_length(serving.base.config)
        self._caches: dict[str, tuple[list[int], DynamicCache]] = {}
        self.stop = Stop()

    def drop_caches(self) -> None:
        """Forget every cache: they hold what another version thought of the text."""
        self._caches.clear()

    @torch.inference_mode()
    def stream(
        self, prompt: Prompt, decoding: Decoding, conversation: str | None, emit: Callable[[str], None]
    ) -> Answer:
        """Answer one prompt, handing text to *emit* as it comes. Raises :class:`EngineError`."""
        start = time.perf_counter()
        ids, dropped = self._fit(prompt, decoding)
        cache, held, reused = self._cache(conversation, ids)
        if decoding.seed is not None:
            torch.manual_seed(decoding.seed)
        certainty = Certainty()
        text = TextStream(self._tokenizer, emit, certainty.chose, stops=self._stops, text_ends=self._text_ends)
        watched = LogitsProcessorList([certainty])
        row = torch.tensor([self._placeholders(ids, held) + ids])
        ends = self._ends(row.shape[1], [decoding.max_new_tokens])
        self._generate(row, torch.ones_like(row), decoding, cache, ends, streamer=text, logits_processor=watched)
        self._keep_cache(conversation, ids + text.ids, cache)
        said, finish = self._read(text.ids)
        return Answer(
            text=said,
            new_tokens=len(text.ids),
            seconds=time.perf_counter() - start,
            first_token_seconds=None if text.first_at is None else text.first_at - start,
            finish=finish,
            reused_tokens=reused,
            dropped_exchanges=dropped,
            certainty=certainty.mean,
        )

    @torch.inference_mode()
    def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        progress: Callable[[int, Answer], None],
        limits: Sequence[int] | None = None,
    ) -> None:
        """Answer many prompts, sorted by length so that little is padded; *progress* gets (index, answer). *limits*: of
        each answer the most tokens, where that is less than *decoding* allows; a batch takes as long as its longest."""
        most = [min(decoding.max_new_tokens, limit) for limit in limits or [decoding.max_new_tokens] * len(prompts)]
        fitted = [self._fit(prompt, decoding) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda index: len(fitted[index][0]))
        pad = self._tokenizer.pad_token_id
        for begin in range(0, len(order), BATCH_SIZE):
            chosen = order[begin : begin + BATCH_SIZE]
            rows = [fitted[index][0] for index in chosen]
            width = max(map(len, rows))
            cache, held = self._serving.new_cache(len(rows))
            front = self._placeholders(rows[0], held)
            ids = torch.tensor([front + [pad] * (width - len(row)) + row for row in rows])
            mask = torch.tensor([[1] * held + [0] * (width - len(row)) + [1] * len(row) for row in rows])
            start = time.perf_counter()
            if decoding.seed is not None:
                torch.manual_seed(decoding.seed)
            ends = self._ends(held + width, [most[index] for index in chosen])
            longest = replace(decoding, max_new_tokens=max(most[index] for index in chosen))
            out = self._generate(ids, mask, longest, cache, ends)
            if self.stop.asked.is_set():
                return
            seconds = (time.perf_counter() - start) / len(chosen)
            for index, row in zip(chosen, out[:, held + width :].tolist(), strict=True):
                new = self._until_stop(row[: most[index]])
                text, finish = self._read(new)
                progress(index, Answer(text, len(new), seconds, None, finish, 0, fitted[index][1]))

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text is as an answer, its end included."""
        return [len(plain_ids(self._tokenizer, text)) + 1 for text in texts]

    @torch.inference_mode()
    def likelihoods(self, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """The mean log-probability of each answer's tokens; see :meth:`bot.engines.engine.Engine.likelihoods`."""
        rendered = [render_pair(self._tokenizer, prompt, answer) for prompt, answer in texts]
        order = sorted(range(len(texts)), key=lambda index: len(rendered[index][0]))
        found = [0.0] * len(texts)
        for begin in range(0, len(order), SCORED_TOGETHER):
            chosen = order[begin : begin + SCORED_TOGETHER]
            width = max(len(rendered[index][0]) for index in chosen)
            # Padded on the right: under a causal mask no token that counts looks at a pad.
            rows = [_padded(rendered[index][0], width) for index in chosen]
            masks = [_padded(rendered[index][1], width) for index in chosen]
            ids = torch.tensor(rows, device=self._serving.base.device)
            learned = torch.tensor(masks, dtype=torch.bool, device=ids.device)[:, 1:]
            cache, _ = self._serving.new_cache(len(chosen))
            hidden = self._serving.base.base_model(input_ids=ids, past_key_values=cache).last_hidden_state[:, :-1]
            logits = self._serving.base.get_output_embeddings()(hidden[learned]).float()
            each = iter(torch.log_softmax(logits, dim=-1).gather(1, ids[:, 1:][learned][:, None])[:, 0].tolist())
            for index in chosen:
                count = sum(rendered[index][1])
                found[index] = sum(islice(each, count)) / count
        return found

    # -- parts -------------------------------------------------------------------------------------
    @staticmethod
    def _placeholders(ids: list[int], count: int) -> list[int]:
        """Ids for the places that stand in the cache before the text. ``generate`` never computes them, but a
        repetition penalty counts them, hence an id that the prompt has anyway."""
        return ids[:1] * count

    def _ends(self, width: int, limits: Sequence[int]) -> RowEnds:
        return RowEnds(self._tokenizer, width, limits, text_ends=self._text_ends)

    def _generate(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        decoding: Decoding,
        cache: DynamicCache,
        ends: RowEnds,
        **more: Any,
    ) -> Any:
        device = self._serving.base.device
        sampling: dict[str, Any] = (
            {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
            if decoding.do_sample
            else {"do_sample": False}
        )
        config = GenerationConfig(
            max_new_tokens=decoding.max_new_tokens,
            repetition_penalty=decoding.repetition_penalty,
            eos_token_id=self._stops,
            pad_token_id=self._tokenizer.pad_token_id,
            use_cache=True,
            **sampling,
        )
        return self._serving.base.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            past_key_values=cache,
            generation_config=config,
            stopping_criteria=StoppingCriteriaList([self.stop, ends]),
            **more,
        )

    def _fit(self, prompt: Prompt, decoding: Decoding) -> tuple[list[int], int]:
        """The prompt's ids, without as many of the oldest exchanges as the context makes necessary."""
        room = self._context - min(decoding.max_new_tokens, self._context // 2)
        for dropped in range(len(prompt.history) + 1):
            ids = render(self._tokenizer, replace(prompt, history=prompt.history[dropped:]))
            if len(ids) <= room:
                return ids, dropped
        raise EngineError(
            "bad-request",
            f"The message is too long for this model ({len(ids)} tokens, {room} fit). Shorten it and send it again.",
        )

    def _cache(self, conversation: str | None, ids: list[int]) -> tuple[DynamicCache, int, int]:
        """The conversation's cache cut to what it shares with *ids*; how many places it holds before the text, and
        how many tokens of the text.

        Exact for every kind of adapter: what a token's keys and values are depends on the tokens up to it, on the
        weights, and on what stands before the text, and all are the same. The last token is always computed, since
        its logits are needed."""
        fresh, held = self._serving.new_cache()
        known, cache = self._caches.pop(conversation or "", ([], None))
        if cache is None:
            return fresh, held, 0
        length = cache.get_seq_length() - held
        shared = 0
        for old, new in zip(known[:length], ids[:-1], strict=False):
            if old != new:
                break
            shared += 1
        if shared == 0:
            return fresh, held, 0
        if surplus := length - shared:
            try:
                cache.crop(-surplus)
            except RuntimeError:  # a sliding-window cache that has forgotten the place to go back to
                return fresh, held, 0
        return cache, held, shared

    def _keep_cache(self, conversation: str | None, ids: list[int], cache: DynamicCache) -> None:
        if conversation is None:
            return
        self._caches[conversation] = (ids, cache)
        while len(self._caches) > CONVERSATIONS_KEPT:
            self._caches.pop(next(iter(self._caches)))

    def _read(self, new: list[int]) -> tuple[str, Finish]:
        """What the tokens *new* say, and how they ended."""
        text = _decoded(self._tokenizer, new, self._stops)
        if self._text_ends and (end := lines.end_of_reply(text)) is not None:
            return text[:end].strip(), "complete"
        if new and new[-1] in self._stops:
            return text.strip(), "complete"
        return text.strip(), "stopped" if self.stop.asked.is_set() else "length"

    def _until_stop(self, row: list[int]) -> list[int]:
        for place, token in enumerate(row):
            if token in self._stops:
                return row[: place + 1]
        return row


def _decoded(tokenizer: Any, ids: Sequence[int], stops: Sequence[int]) -> str:
    """*ids* as text, without what ends a turn: that need not be a special token."""
    return str(tokenizer.decode([token for token in ids if token not in stops], skip_special_tokens=True))


def _padded(values: list[int], width: int) -> list[int]:
    return values + [0] * (width - len(values))
