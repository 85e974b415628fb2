"""Generation: one answer as a stream, with the cache of the conversation's earlier turns, or many in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from bot import lines
from bot.bases.base import context_length
from bot.engines.torch.caches import CacheKey, ConversationCaches
from bot.engines.torch.drafts import Drafts, usable
from bot.engines.torch.ending import RowEnds, Stop, Stopping, end_of
from bot.engines.torch.pausing import Pausing
from bot.engines.torch.rows import Answering, Row, in_parts, together
from bot.engines.torch.streaming import Certainty, TextStream, decoded, mean_and_least
from bot.render import plain_ids, render, render_answer, render_pair, stop_ids
from bot.repeating import said_once
from bot.types import NOTHING, Answer, Decoding, EngineError, Expected, Finish, Prompt
from store.words import Version

BATCH_SIZE = 24  # prompts answered together; beyond this 2 cores gain little and memory grows
DRAFTED_TOGETHER = 4 * BATCH_SIZE  # what is computed of those that part from their drafts is kept until all are seen
SCORED_TOGETHER = 8  # texts whose likelihood is computed at once: their logits over the vocabulary take memory


class Generator:
    """Answers prompts with the version that *serving* serves at the moment."""

    def __init__(self, serving: Answering) -> None:
        self._serving = serving
        self._tokenizer = serving.tokenizer
        self._stops = stop_ids(serving.tokenizer, serving.base.config)
        self._text_ends = serving.tokenizer.chat_template is None
        self._context = context_length(serving.base.config)
        self._caches = ConversationCaches()
        self._pausing = Pausing(serving.base)

    @property
    def context(self) -> int:
        """How many tokens the model takes."""
        return self._context

    def forget(self, version: Version) -> None:
        """Drop the caches of *version*."""
        self._caches.drop(version)

    @torch.inference_mode()
    def stream(
        self,
        prompt: Prompt,
        decoding: Decoding,
        emit: Callable[[str], None],
        key: CacheKey | None = None,
        stop: Stopping | None = None,
    ) -> Answer:
        """Answer one prompt, handing text to *emit* as it comes, until *stop* is set. Prompts of one *key* share a
        cache. Raises :class:`EngineError`."""
        start, stop = time.perf_counter(), stop or threading.Event()
        ids, dropped = self._fit(prompt, decoding)
        fresh, held = self._serving.new_cache()
        cache, reused = self._caches.take(key, ids, held) or (fresh, 0)
        if decoding.seed is not None:
            torch.manual_seed(decoding.seed)
        certainty = Certainty()
        text = TextStream(self._tokenizer, emit, stops=self._stops, text_ends=self._text_ends)
        watched = LogitsProcessorList([certainty])
        row = torch.tensor([self._placeholders(ids, held) + ids])
        ends = [Stop(stop), self._ends([row.shape[1]], [decoding.max_new_tokens])]
        more: dict[str, Any] = {"streamer": text, "logits_processor": watched}
        out = self._generate(row, torch.ones_like(row), decoding, cache, ends, **more)
        mean, least = mean_and_least(certainty.of(out, 0, len(text.ids)))
        self._caches.keep(key, ids + text.ids, cache)
        said, finish = self._read(text.ids, stopped=stop.is_set())
        return Answer(
            text=said,
            new_tokens=len(text.ids),
            seconds=time.perf_counter() - start,
            first_token_seconds=None if text.first_at is None else text.first_at - start,
            finish=finish,
            reused_tokens=reused,
            dropped_exchanges=dropped,
            certainty=mean,
            least=least,
        )

    @torch.inference_mode()
    def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        progress: Callable[[int, Answer], None],
        expected: Expected = NOTHING,
        stop: Stopping | None = None,
    ) -> None:
        """Answer many prompts; *expected*: what is known of the answers; *progress* gets (index, answer), until *stop*
        is set."""
        limits = expected.limits or [decoding.max_new_tokens] * len(prompts)
        rows = []
        for index, (prompt, limit) in enumerate(zip(prompts, limits, strict=True)):
            ids, dropped = self._fit(prompt, decoding)
            rows.append(Row(index, ids, dropped, min(decoding.max_new_tokens, limit)))
        stop, drafts = stop or threading.Event(), expected.drafts or [None] * len(rows)
        with self._pausing.until(stop):
            for row in self._answered(rows, decoding, drafts, stop):
                text, finish = self._read(row.new, stopped=False)
                sure = mean_and_least(row.sure)
                progress(row.index, Answer(text, len(row.new), row.seconds, None, finish, 0, row.dropped, *sure))

    def _answered(
        self, rows: Sequence[Row], decoding: Decoding, drafts: Sequence[str | None], stop: Stopping
    ) -> Iterator[Row]:
        """*rows* as they are done, those with drafts first; all that are generated together are of similar length, so
        that little is padded."""
        known = drafts if usable(decoding) else [None] * len(rows)
        drafted = {
            row.index: render_answer(self._tokenizer, draft)
            for row, draft in zip(rows, known, strict=True)
            if draft is not None
        }
        checker = Drafts(self._serving, list(drafted.values()), self._end)
        for part in in_parts([row for row in rows if row.index in drafted], DRAFTED_TOGETHER):
            yield from checker.take(part, [drafted[row.index] for row in part], stop.is_set)
            yield from self._generated([row for row in part if not row.done], decoding, stop)
        yield from self._generated([row for row in rows if row.index not in drafted], decoding, stop)

    def _generated(self, rows: Sequence[Row], decoding: Decoding, stop: Stopping) -> Iterator[Row]:
        for chosen in in_parts(sorted(rows, key=lambda row: len(row.prompt) + len(row.new)), BATCH_SIZE):
            if stop.is_set():
                return
            start = time.perf_counter()
            if decoding.seed is not None:
                torch.manual_seed(decoding.seed)
            asked = together(self._serving, chosen)
            starts = [asked.width - len(row.new) for row in chosen]
            ends = [Stop(stop), self._ends(starts, [row.most for row in chosen])]
            longest = replace(decoding, max_new_tokens=max(row.most - len(row.new) for row in chosen))
            certainty = Certainty()
            watched = LogitsProcessorList([certainty])
            out = self._generate(asked.ids, asked.mask, longest, asked.cache, ends, logits_processor=watched)
            if stop.is_set():
                return
            seconds = (time.perf_counter() - start) / len(chosen)
            for place, row in enumerate(chosen):
                begun, new = len(row.new), out[place, starts[place] :].tolist()[: row.most]
                row.new = new[: self._end(new)]
                row.sure += certainty.of(out, place, len(row.new) - begun)
                row.seconds, row.layers, row.done = row.seconds + seconds, None, True
                yield row

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

    def _ends(self, starts: Sequence[int], limits: Sequence[int]) -> RowEnds:
        return RowEnds(self._tokenizer, starts, limits, text_ends=self._text_ends)

    def _end(self, new: Sequence[int]) -> int | None:
        return end_of(self._tokenizer, new, self._stops, text_ends=self._text_ends)

    def _generate(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        decoding: Decoding,
        cache: DynamicCache,
        ends: Sequence[StoppingCriteria],
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
            stopping_criteria=StoppingCriteriaList(ends),
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

    def _read(self, new: list[int], *, stopped: bool) -> tuple[str, Finish]:
        """What the tokens *new* say, and how they ended."""
        text = decoded(self._tokenizer, new, self._stops)
        if self._text_ends and (end := lines.end_of_reply(text)) is not None:
            return text[:end].strip(), "complete"
        if new and new[-1] in self._stops:
            return text.strip(), "complete"
        if (once := said_once(new)) is not None:
            return decoded(self._tokenizer, new[:once], self._stops).strip(), "repeated"
        return text.strip(), "stopped" if stopped else "length"


def _padded(values: list[int], width: int) -> list[int]:
    return values + [0] * (width - len(values))
