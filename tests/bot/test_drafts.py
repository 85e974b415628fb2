"""Drafts: the same answers, their certainty and their ends as without, and the time to generate them saved."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.engines.torch import drafts as checking
from bot.engines.torch.drafts import Drafts
from bot.engines.torch.ending import RowEnds, end_of
from bot.engines.torch.generate import Generator
from bot.engines.torch.rows import Row
from bot.engines.torch.serving import ServingModel
from bot.render import end_of_turn, render, render_answer, render_pair
from bot.types import AdapterRef, Answer, BaseSpec, Decoding, Expected, Prompt
from store.words import Version
from tests import tiny as makers
from tests.bot.test_kinds import KINDS, make

SHORT = Decoding(max_new_tokens=12)
HISTORY = (("Where is my order?", "In your account."), ("And the other one, of last week?", "It is on its way."))
PROMPTS = [Prompt("Be kind.", HISTORY[: n % 3], f"Thing {'and thing ' * (n * 5 % 7)}?") for n in range(7)]
Tokens = Sequence[Sequence[int]]


def plain(generator: Generator, decoding: Decoding = SHORT) -> list[list[int]]:
    """The tokens of the answers to PROMPTS, generated."""
    rows = [Row(n, render(generator._tokenizer, p), 0, decoding.max_new_tokens) for n, p in enumerate(PROMPTS)]
    for _ in generator._answered(rows, decoding, [None] * len(rows), threading.Event()):
        pass
    return [row.new for row in rows]


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Answer]]:
    """Answers to PROMPTS with drafts given as tokens: the random models' own words are no text that tokenizes back."""

    def ask(
        generator: Generator,
        drafts: Tokens | None = None,
        limits: tuple[int, ...] | None = None,
        most: Decoding = SHORT,
    ) -> list[Answer]:
        monkeypatch.setattr("bot.engines.torch.generate.render_answer", lambda _, draft: [*(drafts or ())[int(draft)]])
        texts = None if drafts is None else tuple(str(place) for place in range(len(drafts)))
        found: dict[int, Answer] = {}
        generator.batch(PROMPTS, most, found.__setitem__, Expected(limits, texts))
        return [found[place] for place in range(len(PROMPTS))]

    return ask


def same(found: Sequence[Answer], expected: Sequence[Answer]) -> None:
    """Asserts that answers are the same in all but the time they took."""
    for one, other in zip(found, expected, strict=True):
        assert (one.text, one.new_tokens, one.finish) == (other.text, other.new_tokens, other.finish)
        assert one.certainty == pytest.approx(other.certainty, abs=1e-3)
        assert one.least == pytest.approx(other.least, abs=1e-3)


def some_right(said: Tokens) -> list[list[int]]:
    """Drafts of seven kinds: right, wrong from the middle on, wrong at once, of one token, too long, wrong at the end,
    too short."""
    whole = [[*tokens] for tokens in said]
    wrong = [other(token) for token in said[0]]
    return [
        whole[0],
        whole[1][:4] + wrong,
        [other(whole[2][0]), *wrong],
        [other(whole[3][0])],
        whole[4] + wrong * 3,
        whole[5][:-1] + wrong,
        whole[6][:5],
    ]


def other(token: int) -> int:
    """A token that is not *token*."""
    return token - 1 if token > 50 else token + 1


def never(*args: Any, **values: Any) -> Any:
    raise AssertionError("nothing was to be generated")


@pytest.fixture
def tiny_model(tiny: Path) -> ServingModel:
    return ServingModel(BaseSpec(str(tiny), "fp32"))


# -- the same answers ------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["base", *KINDS])
def test_drafts_change_no_answer_whatever_serves(
    tiny_model: ServingModel, tiny: Path, tmp_path: Path, answered: Callable[..., list[Answer]], kind: str
) -> None:
    if kind != "base":
        folder = make(kind, tiny, tmp_path / "v1")
        makers.publish_adapter(folder, tiny, "v1")
        makers.serve(tiny_model, AdapterRef(Version("v1"), str(folder)))
    generator = Generator(tiny_model)
    expected = answered(generator)
    said = plain(generator)
    same(answered(generator, some_right(said)), expected)
    same(answered(generator, said), expected)


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_drafts_change_no_answer_in_any_family_nor_its_end(
    models: dict[str, Path], answered: Callable[..., list[Answer]], family: str
) -> None:
    generator = Generator(ServingModel(BaseSpec(str(models[family]), "fp32")))
    said = plain(generator)
    # The token that the fewest answers have ends them: one at least ends by itself then, others at their limits.
    rare = min({token for tokens in said for token in tokens}, key=lambda token: sum(token in one for one in said))
    generator._stops = sorted({*generator._stops, rare})
    limits = (12, 9, 12, 4, 12, 12, 7)
    for drafts in (some_right(said), said, said[::-1]):
        same(answered(generator, drafts, limits), answered(generator, None, limits))
    assert "complete" in {answer.finish for answer in answered(generator, said)}


def test_small_groups_and_cut_drafts_change_no_answer(
    tiny_model: ServingModel, answered: Callable[..., list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator(tiny_model)
    said, expected = plain(generator), answered(generator)
    sizes: list[tuple[int, int]] = []
    forward = tiny_model.base.forward

    def sized(*args: Any, **values: Any) -> Any:
        out = forward(*args, **values)
        sizes.append((values["input_ids"].numel(), out.logits.numel()))
        return out

    monkeypatch.setattr(tiny_model.base, "forward", sized)
    monkeypatch.setattr(checking, "TOKENS", 150)
    monkeypatch.setattr(checking, "LOGITS", 5 * tiny_model.base.config.vocab_size)  # five places at once
    monkeypatch.setattr(tiny_model.base, "generate", never)
    same(answered(generator, said), expected)
    assert len(sizes) == 7 + 7 + 4  # five tokens of twelve, five more, and the last two of two rows at once
    assert max(logits for _, logits in sizes) <= checking.LOGITS
    assert max(tokens for tokens, _ in sizes) <= max(150, *(len(render(generator._tokenizer, p)) + 5 for p in PROMPTS))


# -- the time saved --------------------------------------------------------------------------------
def test_what_is_drafted_right_takes_one_pass(
    tiny_model: ServingModel, answered: Callable[..., list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator(tiny_model)
    said, expected = plain(generator), answered(generator)
    passes: list[int] = []
    forward = tiny_model.base.forward

    def counted(*args: Any, **values: Any) -> Any:
        passes.append(1)
        return forward(*args, **values)

    monkeypatch.setattr(tiny_model.base, "forward", counted)
    monkeypatch.setattr(checking, "TOKENS", 10_000)
    monkeypatch.setattr(tiny_model.base, "generate", never)
    same(answered(generator, said), expected)
    assert len(passes) == 1


def test_the_answer_to_another_question_is_found_among_the_drafts(
    tiny_model: ServingModel, answered: Callable[..., list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator(tiny_model)
    said, expected = plain(generator), answered(generator)
    monkeypatch.setattr(tiny_model.base, "generate", never)
    same(answered(generator, said[1:] + said[:1]), expected)


def test_what_parts_goes_on_from_where_it_parted(
    tiny_model: ServingModel, answered: Callable[..., list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator(tiny_model)
    said, expected = plain(generator), answered(generator)
    lengths: list[int] = []
    forward = tiny_model.base.forward

    @functools.wraps(forward)  # transformers looks at what it takes
    def noted(*args: Any, **values: Any) -> Any:
        lengths.append(values["input_ids"].shape[1])
        return forward(*args, **values)

    monkeypatch.setattr(tiny_model.base, "forward", noted)
    monkeypatch.setattr(checking, "TOKENS", 10_000)
    same(answered(generator, [[*tokens[:6], other(tokens[6])] for tokens in said]), expected)
    assert lengths[1:] == [1] * (SHORT.max_new_tokens - 7)  # the token that was said instead is known, too


@pytest.mark.parametrize("livelier", [{"do_sample": True, "seed": 1}, {"repetition_penalty": 1.3}])
def test_drafts_are_for_answers_of_the_likeliest_tokens(
    tiny_model: ServingModel,
    answered: Callable[..., list[Answer]],
    monkeypatch: pytest.MonkeyPatch,
    livelier: dict[str, Any],
) -> None:
    generator, decoding = Generator(tiny_model), Decoding(max_new_tokens=6, **livelier)
    said = plain(generator)
    monkeypatch.setattr(Drafts, "_check", never)
    same(answered(generator, said, most=decoding), answered(generator, most=decoding))


def test_a_stop_ends_it_before_the_next_pass(
    tiny_model: ServingModel, answered: Callable[..., list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator, stop, heard = Generator(tiny_model), threading.Event(), list[int]()
    monkeypatch.setattr(checking, "TOKENS", 1)  # each alone

    def hear(index: int, answer: Answer) -> None:
        heard.append(index)
        stop.set()

    texts = tuple("Hello" for _ in PROMPTS)
    monkeypatch.setattr(tiny_model.base, "generate", never)
    generator.batch(PROMPTS, Decoding(max_new_tokens=1), hear, Expected(drafts=texts), stop)
    assert len(heard) == 1


# -- text and tokens -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["In your account.", "", "订单在路上。", "a <|im_end|> b", "Hi\nCustomer: no", "  spaced"]
)
@pytest.mark.parametrize("template", [True, False])
def test_a_draft_is_what_training_teaches(text: str, template: bool) -> None:
    tokenizer = makers.make_tokenizer(template=template)
    ids, mask = render_pair(tokenizer, PROMPTS[1], text)
    answer = render_answer(tokenizer, text)
    assert answer == [token for token, learned in zip(ids, mask, strict=True) if learned]
    assert answer.index(end_of_turn(tokenizer)) == len(answer) - 1


def test_texts_are_drafts_in_any_language(tiny_model: ServingModel) -> None:
    generator, texts = Generator(tiny_model), ("订单在路上。", "Hello there.", "", "नमस्ते", "<|im_end|>", "x" * 99, "\n")
    found, expected = dict[int, Answer](), dict[int, Answer]()
    generator.batch(PROMPTS, SHORT, expected.__setitem__)
    generator.batch(PROMPTS, SHORT, found.__setitem__, Expected(drafts=texts))
    same([found[n] for n in range(7)], [expected[n] for n in range(7)])


def test_prompts_without_a_draft_are_answered_beside_those_that_have_one(tiny_model: ServingModel) -> None:
    generator, texts = Generator(tiny_model), (None, "Hello", None, "", None, None, "Bye")
    found, expected = dict[int, Answer](), dict[int, Answer]()
    generator.batch(PROMPTS, SHORT, expected.__setitem__)
    generator.batch(PROMPTS, SHORT, found.__setitem__, Expected(drafts=texts))
    same([found[n] for n in range(7)], [expected[n] for n in range(7)])


@pytest.mark.parametrize(
    "reply", [" We open at nine.\nCustomer: And?\nAgent: No.", " One.\nCustomers like it", "Customer: hm", " A" * 40]
)
def test_a_draft_ends_where_a_generated_answer_would(reply: str) -> None:
    tokenizer = makers.make_tokenizer(template=False)
    ids = tokenizer(reply, add_special_tokens=False)["input_ids"]
    ends = RowEnds(tokenizer, [0], [999], text_ends=True)
    generated = next((n for n in range(1, len(ids) + 1) if ends(torch.tensor([ids[:n]]), None).item()), None)
    assert end_of(tokenizer, ids, [], text_ends=True) == generated
    assert end_of(tokenizer, ids, [ids[2]], text_ends=False) == ids.index(ids[2]) + 1
