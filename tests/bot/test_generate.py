"""Answers: the cache of earlier turns changes nothing, a swap forgets it, batches say what single answers say."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.engines.torch.caches import KEPT
from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.engines.torch.streaming import TextStream
from bot.render import render
from bot.types import AdapterRef, Answer, BaseSpec, Decoding, EngineError, Expected, Prompt
from store.words import BASE, Version
from tests import tiny as makers

SHORT = Decoding(max_new_tokens=16)
SYSTEM = "You are a support agent."


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> AdapterRef:
    folder = makers.make_adapter(tiny, tmp_path_factory.mktemp("adapters") / "v1")
    makers.publish_adapter(folder, tiny, "v1")
    return AdapterRef(Version("v1"), str(folder))


@pytest.fixture(scope="module")
def serving(tiny: Path) -> ServingModel:
    return ServingModel(BaseSpec(str(tiny), "fp32"))


@pytest.fixture
def generator(serving: ServingModel) -> Generator:
    makers.serve(serving, None)
    return Generator(serving)


def say(
    generator: Generator,
    prompt: Prompt,
    decoding: Decoding = SHORT,
    conversation: str | None = None,
    version: Version = BASE,
) -> tuple[Answer, str]:
    deltas: list[str] = []
    key = None if conversation is None else (version, conversation)
    answer = generator.stream(prompt, decoding, deltas.append, key)
    return answer, "".join(deltas)


def talk(generator: Generator, conversation: str | None, version: Version, turns: int = 3) -> list[Answer]:
    history: tuple[tuple[str, str], ...] = ()
    answers = []
    for number in range(turns):
        message = f"Where is order {number}?"
        answer, _ = say(generator, Prompt(SYSTEM, history, message), SHORT, conversation, version)
        answers.append(answer)
        history = (*history, (message, answer.text))
    return answers


class Spy:
    """Keeps the logits from which each token was chosen."""

    def __init__(self, serving: ServingModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.logits: list[torch.Tensor] = []
        real = serving.base.forward

        def forward(*args: Any, **kwargs: Any) -> Any:
            out = real(*args, **kwargs)
            self.logits.append(out.logits[:, -1].clone())
            return out

        monkeypatch.setattr(serving.base, "forward", forward)


# -- the cache -------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", [BASE, Version("v1")])
def test_reusing_a_conversations_cache_changes_neither_text_nor_logits(
    generator: Generator,
    serving: ServingModel,
    adapter: AdapterRef,
    version: Version,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers.serve(serving, adapter if version == "v1" else None)
    spy = Spy(serving, monkeypatch)
    reused = talk(generator, "7", version)
    with_cache, spy.logits = spy.logits, []
    fresh = talk(generator, None, version)
    assert [answer.reused_tokens for answer in fresh] == [0, 0, 0]
    assert reused[0].reused_tokens == 0
    assert min(answer.reused_tokens for answer in reused[1:]) > 20
    assert [answer.text for answer in reused] == [answer.text for answer in fresh]
    for one, other in zip(with_cache, spy.logits, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)


def test_an_edited_history_is_computed_from_where_it_differs(generator: Generator) -> None:
    first, _ = say(generator, Prompt(SYSTEM, (), "Hello"), conversation="7")
    corrected = Prompt(SYSTEM, (("Hello", "Something else entirely."),), "Thanks")
    reused, _ = say(generator, corrected, conversation="7")
    fresh, _ = say(generator, corrected)
    assert 0 < reused.reused_tokens < len(render(generator._tokenizer, corrected))
    assert reused.text == fresh.text
    assert first.reused_tokens == 0


def test_the_very_same_prompt_again_is_answered_the_same(generator: Generator) -> None:
    prompt = Prompt(SYSTEM, (), "Hello")
    first, _ = say(generator, prompt, conversation="7")
    again, _ = say(generator, prompt, conversation="7")
    assert again.text == first.text
    assert again.reused_tokens == len(render(generator._tokenizer, prompt)) - 1


def test_conversations_do_not_share_caches_and_few_are_kept(generator: Generator) -> None:
    for number in range(KEPT + 2):
        answer, _ = say(generator, Prompt(SYSTEM, (), "Hello"), conversation=str(number))
        assert answer.reused_tokens == 0
    found = [say(generator, Prompt(SYSTEM, (), "Hello"), conversation=str(n))[0] for n in range(KEPT + 1, 1, -1)]
    assert all(answer.reused_tokens for answer in found)
    assert not say(generator, Prompt(SYSTEM, (), "Hello"), conversation="1")[0].reused_tokens


def test_after_a_swap_the_first_token_is_that_of_a_fresh_computation(
    generator: Generator, serving: ServingModel, adapter: AdapterRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = Prompt(SYSTEM, (("Hello", "Hi."),), "Where is it?")
    say(generator, prompt, conversation="7")
    makers.serve(serving, adapter)
    spy = Spy(serving, monkeypatch)
    swapped, _ = say(generator, prompt, SHORT, "7", adapter.version)
    first = spy.logits[0]
    spy.logits = []
    fresh, _ = say(generator, prompt)
    assert swapped.reused_tokens == 0
    assert torch.equal(first, spy.logits[0])
    assert swapped.text == fresh.text


def test_a_failed_generation_leaves_no_half_written_cache(
    generator: Generator, serving: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = Prompt(SYSTEM, (), "Hello")
    expected, _ = say(generator, prompt, conversation="7")

    def burst(text: str) -> None:
        raise OSError("the pipe is gone")

    with pytest.raises(OSError, match="pipe"):
        generator.stream(prompt, SHORT, burst, (BASE, "7"))
    again, _ = say(generator, prompt, conversation="7")
    assert again.reused_tokens == 0
    assert again.text == expected.text


# -- stopping --------------------------------------------------------------------------------------
class Looked:
    """Stops at the look of this number; ``looks``: how many there were."""

    def __init__(self, number: int) -> None:
        self.number, self.looks = number, 0

    def is_set(self) -> bool:
        self.looks += 1
        return self.looks >= self.number


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_a_batch_gives_way_between_two_layers_and_leaves_nothing_behind(models: dict[str, Path], family: str) -> None:
    serving = ServingModel(BaseSpec(str(models[family]), "fp32"))
    generator = Generator(serving)
    prompts = [Prompt(SYSTEM, (), "Where? " * size) for size in range(1, 7)]

    def answers(stop: Any = None) -> list[str]:
        found: dict[int, str] = {}
        generator.batch(prompts, SHORT, lambda index, answer: found.update({index: answer.text}), stop=stop)
        return [found[place] for place in sorted(found)]

    whole = answers()
    assert len(whole) == len(prompts)
    for number in (2, 3, 20):  # before the first layer, between the first two, and a few tokens on
        stop = Looked(number)
        assert answers(stop) == []
        assert stop.looks == number
    assert answers() == whole
    assert answers(Looked(10**9)) == whole


def test_a_batch_that_gave_way_with_a_version_leaves_it_as_it_was(generator: Generator, adapter: AdapterRef) -> None:
    makers.serve(generator._serving, adapter)  # type: ignore[arg-type]
    before, _ = say(generator, Prompt(SYSTEM, (), "Hello"))
    generator.batch([Prompt(SYSTEM, (), "Hello")] * 3, SHORT, lambda index, answer: None, stop=Looked(3))
    assert say(generator, Prompt(SYSTEM, (), "Hello"))[0].text == before.text


def test_a_stop_acts_within_a_token_and_the_answer_says_so(generator: Generator) -> None:
    seen: list[str] = []
    stop = threading.Event()

    def emit(delta: str) -> None:
        seen.append(delta)
        if len(seen) == 3:
            stop.set()

    answer = generator.stream(Prompt(SYSTEM, (), "Hello"), Decoding(max_new_tokens=100), emit, (BASE, "7"), stop)
    assert answer.finish == "stopped"
    assert len(seen) <= 4
    assert answer.text == "".join(seen).strip()
    prompt = Prompt(SYSTEM, (("Hello", answer.text),), "Go on")
    assert say(generator, prompt, conversation="7")[0].text == say(generator, prompt)[0].text


def test_length_and_completeness_are_told_apart(generator: Generator) -> None:
    prompt = Prompt(SYSTEM, (), "Hello")
    cut, _ = say(generator, prompt, Decoding(max_new_tokens=3))
    assert (cut.finish, cut.new_tokens) == ("length", 3)
    say(generator, prompt, Decoding(max_new_tokens=6), "7")
    second = generator._caches._kept[BASE, "7"][0][-5]
    generator._stops = sorted({*generator._stops, second})
    complete, _ = say(generator, prompt, Decoding(max_new_tokens=6))
    assert complete.finish == "complete"
    assert complete.new_tokens <= 2


# -- batches ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("family", makers.FAMILIES)
def test_a_batch_says_what_single_answers_say(models: dict[str, Path], family: str) -> None:
    generator = Generator(ServingModel(BaseSpec(str(models[family]), "fp32")))
    prompts = [Prompt(SYSTEM, (), "Hello" + " and more" * (7 * n % 5)) for n in range(6)]
    batch: dict[int, Answer] = {}
    generator.batch(prompts, SHORT, batch.__setitem__)
    for index, prompt in enumerate(prompts):
        single, _ = say(generator, prompt)
        assert (batch[index].text, batch[index].new_tokens, batch[index].finish) == (
            single.text,
            single.new_tokens,
            single.finish,
        )


def test_a_large_batch_goes_in_parts_and_tells_of_each_answer(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.engines.torch.generate.BATCH_SIZE", 2)
    told: list[int] = []
    generator.batch([Prompt("", (), "Hello" * n) for n in (3, 1, 2)], SHORT, lambda index, answer: told.append(index))
    assert told == [1, 2, 0]  # by length


def test_each_answer_of_a_batch_ends_at_its_own_limit(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    free: dict[int, Answer] = {}
    prompts = [Prompt("", (), f"Order {n}?") for n in range(3)]
    generator.batch(prompts, Decoding(max_new_tokens=40), free.__setitem__)
    assert all(answer.new_tokens > 9 for answer in free.values())
    steps: list[int] = []
    forward = generator._serving.base.forward

    def counted(*args: Any, **values: Any) -> Any:
        steps.append(1)
        return forward(*args, **values)

    monkeypatch.setattr(generator._serving.base, "forward", counted)
    cut: dict[int, Answer] = {}
    generator.batch(prompts, Decoding(max_new_tokens=40), cut.__setitem__, Expected(limits=(9, 3, 6)))
    assert [cut[place].new_tokens for place in range(3)] == [9, 3, 6]
    assert {answer.finish for answer in cut.values()} == {"length"}
    assert all(free[place].text.startswith(cut[place].text.rstrip("\ufffd")) for place in range(3))
    assert len(steps) == 9  # and the time is saved


def test_lengths_count_the_end_of_the_turn(generator: Generator) -> None:
    ids = generator._tokenizer("Hello there", add_special_tokens=False)["input_ids"]
    assert generator.lengths(["Hello there", ""]) == [len(ids) + 1, 1]


# -- text ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["订单丢了，怎么办？", "ok 🙂👍🏽 né", "a\u200db", "Mixed 退货 and words", "  led by spaces"]
)
def test_streaming_never_emits_half_a_character(text: str) -> None:
    tokenizer = makers.make_tokenizer()
    deltas: list[str] = []
    stream = TextStream(tokenizer, deltas.append)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) > len(text) // 2
    stream.put(torch.tensor([[1, 2, 3]]))  # the prompt
    for token in ids:
        stream.put(torch.tensor([token]))
    assert "\ufffd" not in "".join(deltas)
    assert "".join(deltas) == text.lstrip()
    assert stream.text == text.strip()


def test_what_was_streamed_is_what_the_answer_holds(generator: Generator) -> None:
    for message in ("Hello", "我想退货", "🙂"):
        answer, streamed = say(generator, Prompt(SYSTEM, (), message), Decoding(max_new_tokens=40))
        assert answer.text.startswith(streamed.strip())
        assert len(answer.text) - len(streamed.strip()) <= 4  # an unfinished character at the very end


def test_control_tokens_never_reach_the_text(generator: Generator) -> None:
    tokenizer = generator._tokenizer
    deltas: list[str] = []
    stream = TextStream(tokenizer, deltas.append)
    stream.put(torch.tensor([[1]]))
    for token in [*tokenizer("Hi", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]:
        stream.put(torch.tensor([token]))
    assert "".join(deltas) == stream.text == "Hi"


# -- context ---------------------------------------------------------------------------------------
def test_too_long_a_conversation_loses_its_oldest_exchanges_first(generator: Generator) -> None:
    history = tuple((f"question {n} " + "x" * 40, f"answer {n} " + "y" * 40) for n in range(12))
    answer, _ = say(generator, Prompt(SYSTEM, history, "Still there?"))
    assert 0 < answer.dropped_exchanges < 12
    shown = Prompt(SYSTEM, history[answer.dropped_exchanges :], "Still there?")
    direct, _ = say(generator, shown)
    assert direct.dropped_exchanges == 0
    assert direct.text == answer.text


def test_too_long_a_message_is_refused_in_words(generator: Generator) -> None:
    with pytest.raises(EngineError) as caught:
        say(generator, Prompt(SYSTEM, (("a", "b"),), "long " * 600))
    assert caught.value.kind == "bad-request"
    assert "too long" in caught.value.sentence


# -- decoding --------------------------------------------------------------------------------------
def test_a_seed_makes_sampling_repeatable(generator: Generator) -> None:
    def sample(seed: int) -> str:
        return say(generator, Prompt(SYSTEM, (), "Hello"), Decoding(True, 1.5, 1.0, 1.0, 24, seed))[0].text

    assert sample(1) == sample(1)
    assert len({sample(seed) for seed in range(4)}) > 1


def test_a_repetition_penalty_acts_when_asked_for_and_only_then(generator: Generator) -> None:
    prompt = Prompt(SYSTEM, (), "Hello")
    plain, _ = say(generator, prompt, Decoding(max_new_tokens=40))
    penalised, _ = say(generator, prompt, Decoding(max_new_tokens=40, repetition_penalty=2.0))
    assert plain.text != penalised.text
    assert plain.text == say(generator, prompt, Decoding(max_new_tokens=40))[0].text


@pytest.mark.parametrize(
    "make", [lambda: Decoding(temperature=0), lambda: Decoding(top_p=2), lambda: Decoding(max_new_tokens=0)]
)
def test_nonsense_is_refused_by_name(make: Callable[[], Decoding]) -> None:
    with pytest.raises(ValueError, match="must be between"):
        make()


# -- certainty -------------------------------------------------------------------------------------
def test_certainty_is_the_mean_logarithm_of_the_chosen_tokens_probabilities(
    generator: Generator, serving: ServingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy(serving, monkeypatch)
    answer, _ = say(generator, Prompt(SYSTEM, (), "Where is my order?"))
    highest = [float(logits.float().log_softmax(-1).max()) for logits in spy.logits]
    assert len(highest) == answer.new_tokens
    assert answer.certainty == pytest.approx(sum(highest) / len(highest), abs=1e-4)


def test_certainty_leaves_temperature_out(generator: Generator) -> None:
    prompt = Prompt(SYSTEM, (), "Where is my order?")
    sure = Decoding(do_sample=True, temperature=0.01, max_new_tokens=SHORT.max_new_tokens)
    assert say(generator, prompt, sure)[0].certainty == pytest.approx(say(generator, prompt)[0].certainty, abs=1e-4)


def test_a_batch_is_as_certain_as_its_answers_one_by_one(generator: Generator) -> None:
    prompts = [Prompt(SYSTEM, (), text) for text in ("Where is my order?", "Hello", "May I return a lamp?")]
    found: dict[int, Answer] = {}
    generator.batch(prompts, SHORT, found.__setitem__)
    for place, prompt in enumerate(prompts):
        alone, _ = say(generator, prompt)
        assert found[place].certainty == pytest.approx(alone.certainty, abs=1e-3)
        assert found[place].least == pytest.approx(alone.least, abs=1e-3)
        assert alone.certainty is not None
        assert alone.least is not None
        assert alone.least <= alone.certainty <= 0
