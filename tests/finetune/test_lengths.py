"""What is too long to be learned, or to be said whole, is told before; replies may be as long as what was taught."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.lengths import counter, estimated_tokens
from finetune.gate.answers import judging_decoding
from finetune.lengths import decoding_of, long_answer_words
from finetune.preflight import preflight
from finetune.recipe import Recipe
from store.desk import Desk
from store.pairs import NewPair
from tests import tiny as makers


@pytest.fixture
def desk(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    shutil.copytree(tiny, tmp_path / "models" / "tiny")
    with Desk.open(tmp_path / "home") as opened:
        opened.settings.set("base", "tiny", "ann")
        news = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(8)]
        opened.pairs.add_many(news, "import", "ann")
        yield opened


def test_tokens_are_counted_as_the_base_counts_them(tiny: Path, tmp_path: Path) -> None:
    tokenizer = makers.make_tokenizer()
    for text in ("Where is my order?", "退货", ""):
        assert counter(tiny)(text) == len(tokenizer(text, add_special_tokens=False)["input_ids"])
    assert counter(tmp_path)("退货") == estimated_tokens("退货") == 4
    (tmp_path / "tokenizer.json").write_text("{")
    assert counter(tmp_path) is estimated_tokens


def test_the_preflight_says_what_will_not_fit_and_what_to_set(desk: Desk) -> None:
    assert preflight(desk, Recipe()).too_long == 0
    desk.pairs.add(NewPair("How?", "Step by step. " * 300, split="train"), "import", "ann")
    found = preflight(desk, Recipe())
    assert found.too_long == 1
    (said,) = [warning for warning in found.warnings if "max_length" in warning]
    assert said.startswith(
        "1 pair is longer than max_length = 1024 tokens: only the beginning of its answer is learned"
    )
    enough = int(said.partition("Set max_length = ")[2].split()[0])
    assert preflight(desk, Recipe(max_length=enough)).too_long == 0
    assert preflight(desk, Recipe(max_length=enough - 64)).too_long == 1


def test_replies_may_be_as_long_as_the_longest_taught_answer(desk: Desk) -> None:
    def most(preset: str = "faithful") -> int:
        return decoding_of(desk, desk.settings.load(), preset).max_new_tokens

    assert most() == most("natural") == 256
    long = "Step by step, as told. " * 60
    pair = desk.pairs.add(NewPair("How?", long, split="train"), "import", "ann")
    assert pair is not None
    needed = counter(desk.home.models / "tiny")(long)
    assert 256 < needed < most() < 1.5 * needed
    assert most("natural") == most() == judging_decoding(desk.settings.load(), desk).max_new_tokens
    desk.settings.set("faithful", {"max_new_tokens": 99}, "ann")  # who names a length means it
    assert (most(), most("natural") > needed) == (99, True)
    desk.settings.set("faithful", {}, "ann")
    desk.settings.set("reply_limit", "fixed", "ann")
    assert most() == 256


def test_an_editor_is_told_while_it_is_written(desk: Desk) -> None:
    def words(answer: str) -> str:
        return long_answer_words("How?", answer, Recipe(), desk.settings.load())

    assert words("Short.") == words("x " * 1000) == ""
    assert "max_length = 1024" in words("x " * 2000)
    desk.settings.set("reply_limit", "fixed", "ann")
    assert "replies end at 256" in words("x " * 1000)
