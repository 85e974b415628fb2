"""What a run's memory goes into, and what would free some of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from finetune.memory import memory_plan, plan_words, savings
from finetune.recipe import METHODS, Recipe
from store.words import Method

GIB = 2**30


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The shape of a base of half a billion weights."""
    (tmp_path / "config.json").write_text(
        '{"hidden_size": 896, "num_hidden_layers": 24, "intermediate_size": 4864, "num_attention_heads": 14, '
        '"num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true}'
    )
    return tmp_path


@pytest.mark.parametrize("method", METHODS)
def test_every_saving_is_one(base: Path, method: Method) -> None:
    quantization = "nf4" if method == "qlora" else "bf16"
    recipe = Recipe(method=method, batch_size=8)
    found = savings(base, quantization, recipe)
    assert found
    assert [saving.frees for saving in found] == sorted((saving.frees for saving in found), reverse=True)
    total = sum(memory_plan(base, quantization, recipe).values())
    assert all(0 < saving.frees < total for saving in found)


def test_each_change_is_named_where_it_can_be_made(base: Path) -> None:
    def changes(quantization: str, recipe: Recipe) -> str:
        return " ".join(saving.change for saving in savings(base, quantization, recipe))

    assert "batch_size = 4 with gradient_accumulation = 2" in changes("nf4", Recipe(batch_size=8))
    assert "checkpointing" in changes("nf4", Recipe())
    assert "checkpointing" not in changes("nf4", Recipe(method="prefix"))
    assert "qlora" in changes("bf16", Recipe(method="lora"))
    assert "method = lora" in changes("bf16", Recipe(method="full"))
    assert savings(base, "nf4", Recipe(batch_size=1, checkpointing=True)) == []


def test_a_plan_names_its_largest_part_first(base: Path) -> None:
    plan = memory_plan(base, "bf16", Recipe(method="full"))
    assert plan_words(plan).startswith("gradients and moments 5.5")
    assert memory_plan(base, "nf4", Recipe())["weights"] < memory_plan(base, "bf16", Recipe(method="lora"))["weights"]
