"""The four troubles: found where they are, with the change that mends them, and not where they are not."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from finetune.events import Step, Trained
from finetune.recipe import Recipe
from finetune.run.troubles import Course, diverged, troubles_of
from finetune.train.speed import ceiling, learned_share, padding_share
from store.records import JudgedAnswer
from tests.finetune.test_methods import tuned_on

GOOD = Trained(
    tokens_per_second=300.0, ceiling_tokens_per_second=900.0, padding_share=0.05, cpu_share=0.95,
    looking_seconds=1.0, train_seconds=60.0, examples=100, unpacked=True,
)  # fmt: skip


def curve(*losses: float, norm: float = 0.8, rate: float = 1e-3) -> list[Step]:
    """The steps of a run whose loss goes evenly from one of *losses* to the next."""
    steps: list[Step] = []
    for first, last in pairwise(losses):
        for place in range(20):
            loss = first + (last - first) * place / 20
            steps.append(Step(len(steps) + 1, loss=loss, gradient_norm=norm, learning_rate=rate))
    return steps


def found(steps: list[Step], recipe: Recipe | None = None, **facts: Any) -> dict[str, str]:
    troubles = troubles_of(Course(recipe or Recipe(), steps, replace(GOOD, **facts)))
    return {trouble.kind: trouble.sentence for trouble in troubles}


def test_a_sound_run_has_no_trouble() -> None:
    assert found(curve(2.0, 0.4)) == {}
    assert found(curve(0.3, 0.3)) == {}  # a warm start, with nothing left to learn
    assert found(curve(2.0, 2.0)[:5]) == {}  # too short to say anything


@pytest.mark.parametrize(
    ("steps", "facts", "says"),
    [
        (curve(2.0, 1.98, rate=1e-5), {}, "learning_rate = 3e-05"),
        (curve(2.0, 2.6, rate=1e-1), {}, "learning_rate = 0.02"),
        (curve(2.0, 1.95, norm=40.0, rate=1e-2), {}, "learning_rate = 0.002"),
        (curve(2.0, 2.0, norm=0.0), {}, "No gradient reaches"),
        (curve(2.0, 1.95), {"cuts": (0, 30, 5)}, "max_length = 2048"),
    ],
)
def test_a_loss_that_does_not_fall_is_told_with_its_cause(steps: list[Step], facts: dict[str, Any], says: str) -> None:
    assert says in found(steps, **facts)["loss"]


def test_a_loss_that_is_no_number_is_told_with_the_rate_that_made_it() -> None:
    trouble = diverged(Recipe(), curve(2.0, 9.0, norm=1e4, rate=0.5))
    assert "after 20 steps" in trouble.finding
    assert "learning_rate = 0.1" in trouble.advice
    assert "0 steps" in diverged(Recipe(), []).finding


@pytest.mark.parametrize(
    ("recipe", "facts", "says"),
    [
        (Recipe(), {"cpu_share": 0.4}, "40% of the processor"),
        (Recipe(bucketing=False), {"padding_share": 0.5}, "Set bucketing = true"),
        (Recipe(), {"padding_share": 0.5}, "Set packing = true"),
        (Recipe(checkpointing=True), {}, "Set checkpointing = false"),
        (Recipe(dora=True), {}, "Set dora = false"),
        (Recipe(), {"unpacked": False}, "unpacked at every step"),
        (Recipe(), {"looking_seconds": 30.0}, "evaluate_every"),
        (Recipe(), {}, "A smaller base"),
    ],
)
def test_slow_training_is_told_with_what_limits_it(recipe: Recipe, facts: dict[str, Any], says: str) -> None:
    assert says in found(curve(2.0, 0.4), recipe, tokens_per_second=90.0, **facts)["slow"]


def test_looks_that_take_long_are_told_of_a_fast_run_too() -> None:
    assert "of the time went into evaluation" in found(curve(2.0, 0.4), looking_seconds=30.0)["slow"]


def test_too_little_memory_is_told_with_the_recipe_that_fits() -> None:
    (trouble,) = troubles_of(Course(Recipe(batch_size=4), curve(2.0, 0.4), GOOD, fitted=True))
    assert trouble.kind == "memory"
    assert "batch_size = 2, gradient_accumulation = 2" in trouble.advice
    (trouble,) = troubles_of(Course(Recipe(batch_size=1), curve(2.0, 0.4), GOOD, fitted=True))
    assert "checkpointing = true" in trouble.advice


def answers(same: int, other: int) -> list[JudgedAnswer]:
    texts = [("yes", "yes")] * same + [("yes", "no")] * other
    return [JudgedAnswer(n, "heldout", before, after, "target", None) for n, (before, after) in enumerate(texts)]


@pytest.mark.parametrize(
    ("difference", "compared", "steps", "says"),
    [
        (0.01, answers(0, 5), curve(2.0, 0.4), "no logit"),
        (3.0, answers(20, 0), curve(2.0, 0.4, rate=1e-6), "all 20 questions word for word as v1"),
        (3.0, answers(20, 0), curve(2.0, 0.4)[:8], "8 steps only"),
    ],
)
def test_an_adapter_that_does_nothing_is_told(
    difference: float, compared: list[JudgedAnswer], steps: list[Step], says: str
) -> None:
    troubles = troubles_of(Course(Recipe(), steps, GOOD, difference=difference, answers=compared, before="v1"))
    assert says in " ".join(trouble.sentence for trouble in troubles if trouble.kind == "no-effect")


def test_one_that_does_something_is_not() -> None:
    assert not troubles_of(Course(Recipe(), curve(2.0, 0.4), GOOD, difference=3.0, answers=answers(19, 1)))
    assert not troubles_of(Course(Recipe(), curve(2.0, 0.4), GOOD, difference=3.0, answers=answers(3, 0)))


# -- what speed is held against ----------------------------------------------------------------------
def test_padding_is_what_no_token_fills() -> None:
    assert padding_share([10, 10, 10, 10], 2) == 0
    assert padding_share([10, 5, 10, 5], 2) == pytest.approx(0.25)
    assert padding_share([], 2) == 0
    assert learned_share({"length": [10, 10], "answer_start": [5, 10]}) == pytest.approx(0.25)


def test_the_ceiling_is_lower_where_weights_train_and_where_more_is_learned(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune.train.speed._operations_a_second", lambda _: 1e9)
    lora, full = tuned_on(tiny, "bf16", method="lora"), tuned_on(tiny, "bf16", method="full")
    assert ceiling(lora, 0.2) > ceiling(lora, 0.9)
    assert ceiling(lora, 0.2) > ceiling(full, 0.2)


def test_the_ceiling_is_measured(tiny: Path) -> None:
    assert ceiling(tuned_on(tiny, "bf16", method="lora"), 0.2) > 1000
