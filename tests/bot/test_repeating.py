"""A reply that repeats itself is ended, the same way wherever it is generated, and what was said once stays."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.repeating import LEAST, LONGEST, SEEN, TIMES, repeats, said_once
from bot.types import Answer, BaseSpec, Decoding, Prompt

PIECE = list(range(100, 120))


@pytest.mark.parametrize(
    ("new", "once"),
    [
        ([], None),
        (PIECE, None),
        (PIECE * 2, None),
        (PIECE * 3, 20),
        ([1, 2, 3, *PIECE, *PIECE, *PIECE], 23),
        ([1, 2, 3, *PIECE * 3, 100], 23),  # and once more begun
        ([*PIECE * 3, 9], None),  # it went on to something else
        ([7] * (LEAST - 1), None),
        ([7] * LEAST, 1),
        ([5, 6] * (LEAST // 2), 2),
        (list(range(LONGEST)) * TIMES, LONGEST),
        (list(range(LONGEST + 1)) * TIMES, None),
    ],
)
def test_what_is_said_three_times_is_said_once(new: list[int], once: int | None) -> None:
    assert said_once(new) == once
    assert repeats(new) == (once is not None)
    assert repeats(new[-SEEN:]) == repeats(new)


@given(st.lists(st.integers(0, 3), max_size=300))
def test_what_stays_holds_all_that_was_said(new: list[int]) -> None:
    once = said_once(new)
    if once is not None:
        assert len(new) - once >= LEAST * (TIMES - 1) // TIMES
        size = next(size for size in range(1, LONGEST + 1) if new[once : once + size] == new[once - size : once])
        assert all(new[place] == new[place - size] for place in range(once, len(new)))


def test_a_base_that_loops_ends_alike_served_and_judged(tiny: Path) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    word = serving.tokenizer("order", add_special_tokens=False)["input_ids"][-1]
    serving.base.base_model.norm.register_forward_hook(lambda module, given, out: torch.ones_like(out))
    with torch.no_grad():
        serving.base.lm_head.weight[word] = 1.0  # it says one word for ever
    generator, heard = Generator(serving), list[str]()
    prompts = [Prompt("", (), text) for text in ("Hello", "Where is my order?")]
    decoding = Decoding(max_new_tokens=200)
    judged: dict[int, Answer] = {}
    generator.batch(prompts, decoding, judged.__setitem__)
    for index, prompt in enumerate(prompts):
        served = generator.stream(prompt, decoding, heard.append)
        assert (served.text, served.finish) == (judged[index].text, judged[index].finish)
        assert (served.finish, served.new_tokens) == ("repeated", LEAST)
        assert served.text == serving.tokenizer.decode([word]).strip()
