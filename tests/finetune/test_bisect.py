"""Which pairs taught an answer: by words, and by gradients on tiny models and in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bot.bases.base import load_tokenizer
from finetune.bisect.client import FAILED, GradientsFailed, compare_gradients
from finetune.bisect.gradients import LAST, cosines, keep_last_layers
from finetune.bisect.process import readable
from finetune.bisect.wire import Asked
from finetune.bisect.words import Told, likest
from finetune.job import JobPair
from finetune.methods import METHODS, Tuned
from finetune.objectives.objective import Row
from finetune.recipe import Recipe
from finetune.train.rows import Renderer
from tests import tiny as makers
from tests.finetune.test_methods import randomise, tuned_on
from tests.finetune.test_training import PAIRS, SYSTEM, cosine, pair

WRONG = pair("Where is my parcel?", "It was eaten by a fox.")
NEAR = [pair("where is my parcel", "It was eaten by a fox."), pair("Do you ship?", "Yes, for free."), PAIRS[0]]


# -- words -----------------------------------------------------------------------------------------
def test_the_pair_that_is_like_both_question_and_answer_comes_first() -> None:
    told = [
        Told(1, "Where is my parcel?", "Look into your account."),
        Told(2, "wher is my parcel", "A courier brings it in nine weeks."),
        Told(3, "Can I pay by card?", "A courier brings it in nine weeks."),
        Told(4, "我的订单在哪里?", "请告诉我订单号。"),
    ]
    found = likest("Where is my parcel", "A courier brings it in nine weeks!", told, 3)
    assert [one.number for one in found] == [2, 3, 1]
    assert found[0].question > 90 < found[0].answer
    assert found[2].answer < 60
    assert likest("订单在哪里", "请告诉我订单号", told, 1)[0].number == 4


# -- gradients -------------------------------------------------------------------------------------
def rows_of(folder: Path, *pairs: JobPair, longest: int = 512) -> list[Row | None]:
    renderer = Renderer(load_tokenizer(str(folder)), SYSTEM, longest)
    return [renderer.row(pair)[0] for pair in pairs]


def compared(folder: Path, tuned: Tuned, *pairs: JobPair, longest: int = 512) -> list[float | None]:
    (wrong,) = rows_of(folder, WRONG)
    assert wrong is not None
    return cosines(tuned, wrong, rows_of(folder, *pairs, longest=longest), lambda done: None)


@pytest.mark.parametrize("method", METHODS)
def test_what_says_the_same_pulls_the_same_way(tiny: Path, method: str) -> None:
    quantization = "bf16" if method in ("full", "lora") else "nf4"
    tuned = tuned_on(tiny, quantization, method=method)
    if method != "full":
        randomise(tuned)
    itself, near, far, _ = compared(tiny, tuned, WRONG, *NEAR)
    assert itself == pytest.approx(1, abs=1e-3)
    assert near is not None
    assert far is not None
    assert 1 > near > far


def test_they_are_the_gradients_of_the_last_layers_alone(tiny: Path) -> None:
    tuned = tuned_on(tiny, method="qlora")
    randomise(tuned)
    names = {name for name, value in tuned.model.named_parameters() if value.requires_grad}
    kept = {id(value) for value in keep_last_layers(tuned)}
    last = {name for name, value in tuned.model.named_parameters() if id(value) in kept}
    assert last == {name for name in names if ".layers.1." in name}  # of two
    assert round(30 * LAST) == 4
    assert {name for name, value in tuned.model.named_parameters() if value.requires_grad} == last


def test_they_are_those_that_training_would_have(tiny: Path) -> None:
    """Through the loss as the trainer computes it, and with NF4 weights that stay unpacked after a forward."""
    from finetune.objectives.answers import answer_loss
    from finetune.train.batches import Collator

    tuned = tuned_on(tiny, method="qlora")
    randomise(tuned)
    (found,) = compared(tiny, tuned, NEAR[0])
    gradients: list[dict[str, torch.Tensor]] = []
    for row in rows_of(tiny, WRONG, NEAR[0]):
        assert row is not None
        tuned.model.zero_grad()
        loss, _ = answer_loss(tuned, Collator(0)([row]))
        loss.backward()
        gradients.append({n: p.grad.clone() for n, p in tuned.model.named_parameters() if p.grad is not None})
    assert found == pytest.approx(cosine(*gradients), abs=1e-4)


def test_a_pair_that_does_not_fit_has_no_gradient(tiny: Path) -> None:
    tuned = tuned_on(tiny, method="qlora")
    assert compared(tiny, tuned, pair("Why? " * 60, "So."), longest=120) == [None]


def test_a_prefix_is_read_as_the_vectors_that_were_published() -> None:
    assert readable(Recipe(method="prefix")).method == "ptuning-v2"
    assert readable(Recipe(method="qlora", checkpointing=True)) == Recipe(method="qlora")


# -- the process -----------------------------------------------------------------------------------
@pytest.fixture
def asked(tiny: Path, tmp_path: Path) -> Asked:
    adapter = makers.make_adapter(tiny, tmp_path / "v1")
    recipe: dict[str, Any] = {"r": 4, "alpha": 8}  # of before there were frozen layers
    return Asked(str(tiny), "nf4", None, str(adapter), recipe, SYSTEM, WRONG, tuple(NEAR))


async def test_a_process_of_its_own_compares_and_tells_how_far_it_is(asked: Asked, tmp_path: Path) -> None:
    seen: list[int] = []
    found = await compare_gradients(asked, tmp_path / "log", seen.append)
    assert seen == [1, 2, 3]
    assert None not in found
    assert found[0] == max(found)  # type: ignore[type-var]


async def test_what_goes_wrong_there_is_one_sentence(asked: Asked, tmp_path: Path) -> None:
    log = tmp_path / "log"
    broken = Asked(**{**{name: getattr(asked, name) for name in asked.__struct_fields__}, "adapter": str(tmp_path)})
    with pytest.raises(GradientsFailed) as failure:
        await compare_gradients(broken, log, lambda done: None)
    assert failure.value.sentence == FAILED.format(log)
    assert WRONG.output not in log.read_text()
