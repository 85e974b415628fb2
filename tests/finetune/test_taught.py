"""Training until the bot is taught: what a pass holds, when it ends, and that no shortcut changes what is learned."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bot.bases.base import load_tokenizer
from bot.types import BaseSpec
from finetune.events import Event, Step, Taught, Trained
from finetune.files import JobFiles
from finetune.job import JobPair
from finetune.methods.layers import frozen_layers, learning
from finetune.objectives.answers import answer_loss
from finetune.objectives.objective import Row
from finetune.phrasings import phrasings
from finetune.recipe import BEFORE, Recipe
from finetune.recipe_values import recipe_of, recorded_recipe
from finetune.train.batches import Collator, Order, Sorted
from finetune.train.fit import Interrupted
from finetune.train.openings import Openings
from finetune.train.optimizers import UntilTaught
from finetune.train.plan import Plan, usual_epochs
from finetune.train.rows import Renderer, learned_rows
from finetune.train.setup import Material, load_for_training, set_up
from finetune.train.taught import Asked
from finetune.train.training import train
from finetune.train.validate import Watched
from store.owned import make_own

SYSTEM = "You are a support agent."
FROZEN: dict[str, Any] = {"frozen": 0.5, "dropout": 0.0}


def answers(count: int, said: int = 3) -> list[JobPair]:
    """*count* answers, each to *said* questions."""
    return [
        JobPair(f"Question {n} put {way}?", (), f"This is answer {n}, " + "and more " * (2 + n % 3) + "end.", "en")
        for n in range(count)
        for way in range(said)
    ]


SHORT = [
    JobPair(question, (), answer, "en") for question, answer in (("Red?", "Stop."), ("Go?", "Yes."), ("Why?", "No."))
]


def files_in(folder: Path) -> JobFiles:
    return JobFiles(make_own(folder, what="job"))


class Told:
    """Takes events, and asks for a stop after a given step."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.taught: list[Taught] = []
        self.steps: list[Step] = []
        self._stop_after = stop_after

    def __call__(self, event: Event) -> None:
        if isinstance(event, Taught):
            self.taught.append(event)
        if isinstance(event, Step):
            self.steps.append(event)

    def stop(self) -> bool:
        return self._stop_after is not None and bool(self.steps) and self.steps[-1].step >= self._stop_after


def train_on(
    base: Path, files: JobFiles, pairs: Sequence[JobPair], recipe: Recipe, told: Told, *, warm: bool = False
) -> tuple[dict[str, torch.Tensor], Trained]:
    """Train, or go on; returns what was published and the facts."""
    tokenizer = load_tokenizer(str(base))
    rows, cuts = learned_rows(files, pairs, Renderer(tokenizer, SYSTEM, recipe.max_length))
    tuned, _ = load_for_training(BaseSpec(str(base), "nf4"), recipe, SYSTEM, longest=max(rows["length"]), unpack=True)
    training = set_up(tuned, tokenizer, recipe, Material(rows, Watched(), files, cuts), warm=warm)
    facts = train(training, told, told.stop)
    return load_file(files.adapter / "adapter_model.safetensors"), facts


@pytest.fixture(autouse=True)
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.train.monitor.REPORT_EVERY", 0.0)


# -- layers that don't learn ---------------------------------------------------------------------------
@pytest.mark.parametrize("family", ["llama", "qwen2", "gpt_neox"])
@pytest.mark.parametrize("packed", [False, True])
def test_what_frozen_layers_made_once_gives_the_loss_and_gradients_of_the_whole(
    models: dict[str, Path], family: str, packed: bool, tmp_path: Path
) -> None:
    folder = models[family]
    recipe = Recipe(r=4, alpha=8, packing=packed, **FROZEN)
    tokenizer = load_tokenizer(str(folder))
    files = files_in(tmp_path / "job")
    rows, cuts = learned_rows(files, answers(3), Renderer(tokenizer, SYSTEM, 512))
    tuned, _ = load_for_training(BaseSpec(str(folder), "nf4"), recipe, SYSTEM, longest=96, unpack=True)
    assert frozen_layers(tuned.base, recipe) == 1
    training = set_up(tuned, tokenizer, recipe, Material(rows, Watched(), files, cuts), warm=False)
    for name, value in training.learned().items():
        torch.manual_seed(len(name))
        value.data.normal_(std=0.05)
    (batch,) = next(training.steps_after(0))
    assert "lower" in batch

    def gradients(batch: Any) -> list[torch.Tensor]:
        tuned.model.zero_grad()
        tuned.model.eval()
        answer_loss(tuned, batch)[0].backward()
        return [value.grad.clone() for value in training.learned().values() if value.grad is not None]

    short, whole = gradients(batch), gradients({name: part for name, part in batch.items() if name != "lower"})
    assert len(short) == len(whole) == len(training.learned())
    close = torch.nn.functional.cosine_similarity(
        torch.cat([g.flatten() for g in short]), torch.cat([g.flatten() for g in whole]), dim=0
    )
    assert float(close) > 0.999


def test_frozen_layers_get_no_adapter_and_stay_in_the_base(tiny: Path) -> None:
    for method in ("qlora", "adapter"):
        recipe = recipe_of({"method": method, **FROZEN})
        tuned, _ = load_for_training(BaseSpec(str(tiny), "nf4"), recipe, SYSTEM, longest=64, unpack=True)
        names = [name for name, value in tuned.model.named_parameters() if value.requires_grad]
        assert names
        assert not [name for name in names if "layers.0." in name]
        whole, _ = load_for_training(BaseSpec(str(tiny), "nf4"), Recipe(frozen=0.0), SYSTEM, longest=64, unpack=True)
        assert len(learning(whole.base, recipe)) < len(learning(whole.base, Recipe(frozen=0.0)))


def test_a_full_disk_costs_time_and_not_the_training(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(steps=3, r=4, replay=0.0, **FROZEN)
    plain, _ = train_on(tiny, files_in(tmp_path / "room"), answers(3), recipe, Told())

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("finetune.train.lower.os.posix_fallocate", full)
    files = files_in(tmp_path / "full")
    without, _ = train_on(tiny, files, answers(3), recipe, Told())
    assert not files.lower.exists()
    assert all(torch.equal(plain[name], without[name]) for name in plain)


# -- openings --------------------------------------------------------------------------------------------
def rows_of(answers: Sequence[Sequence[int]]) -> list[Row]:
    """Rows of one token of prompt and these answers."""
    return [{"input_ids": [0, *answer], "answer_start": 1, "length": 1 + len(answer)} for answer in answers]


def test_an_opening_reaches_past_where_answers_part() -> None:
    long, other = [1, 2, 3, *range(10, 40)], [1, 2, 3, *range(50, 80)]
    openings = Openings(rows_of([long, long, long, long, long, other]), 4)
    lengths = [openings.length(place, 0) for place in range(6)]
    assert lengths == [34, 34, 1 + 3 + 4, 1 + 3 + 4, 1 + 3 + 4, 34]


def test_every_phrasing_teaches_its_answer_whole_in_turns() -> None:
    openings = Openings(rows_of([list(range(1, 60))] * 7), 4)
    whole = [[place for place in range(7) if openings.length(place, epoch) == 60] for epoch in range(7)]
    assert all(len(places) == 2 for places in whole)
    assert {place for places in whole[:4] for place in places} == set(range(7))


def test_without_openings_every_row_is_whole() -> None:
    openings = Openings(rows_of([[1, 2, 3], [1, 2, 3]]), 0)
    assert [openings.length(place, epoch) for place in (0, 1) for epoch in (0, 1)] == [4] * 4


# -- what an epoch holds ---------------------------------------------------------------------------------
def test_what_the_parent_knows_is_rehearsed_in_turns_and_the_general_is_replayed_beside_it() -> None:
    rows = rows_of([[n + 1] for n in range(30)])
    for row in rows[:20]:
        row["known"] = True
    for row in rows[24:]:
        row["replayed"] = True
    rows[20]["weight"] = 3
    order = Order(Openings(rows, 0), Recipe(rehearsal=0.25, replay=0.25), Sorted.of(rows))
    assert order.rows_per_epoch == 6 + 5 + 3
    epochs = [[place for place, _ in order.of_epoch(epoch)] for epoch in range(4)]
    assert all(sorted(set(epoch) & {20, 21, 22, 23}) == [20, 21, 22, 23] for epoch in epochs)
    assert all(epoch.count(20) == 3 for epoch in epochs)
    assert {place for epoch in epochs for place in epoch if place < 20} == set(range(20))
    assert all(sum(place >= 24 for place in epoch) == 3 for epoch in epochs)


def test_where_nothing_is_new_all_that_is_known_is_learned() -> None:
    rows = rows_of([[n + 1] for n in range(8)])
    for row in rows:
        row["known"] = True
    order = Order(Openings(rows, 0), Recipe(), Sorted.of(rows))
    assert sorted(place for place, _ in order.of_epoch(0)) == list(range(8))


def test_made_phrasings_take_turns_with_the_desks_own_from_the_second_epoch_on(tiny: Path, tmp_path: Path) -> None:
    pairs = [JobPair("How are you?", (), "Fine.", "en", 1, phrasings=("how are you", "Hi, How are you?"))] * 8
    files = files_in(tmp_path / "job")
    rows, _ = learned_rows(files, pairs, Renderer(load_tokenizer(str(tiny)), SYSTEM, 512))
    kinds = Sorted.of(rows)
    assert len(rows) == 24
    assert kinds.made == {place: [place + 1, place + 2] for place in range(0, 24, 3)}
    order = Order(Openings(rows, 0), Recipe(), kinds)
    assert sorted(place for place, _ in order.of_epoch(0)) == list(range(0, 24, 3))
    later = [place for epoch in range(1, 20) for place, _ in order.of_epoch(epoch)]
    assert len(later) == 19 * 8
    assert 0.25 < sum(place % 3 > 0 for place in later) / len(later) < 0.55
    assert Asked.of(rows, kinds).rows == (0,)  # one text, asked once, in the desk's own words


def test_phrasings_are_new_few_and_the_same_for_a_seed() -> None:
    others = ["when will my parcel arrive", "delivery time please"]
    for lang in ("en", "zh", "xx"):
        made = phrasings("How long does delivery take?", others, lang, 4, random.Random(1))
        assert made == phrasings("How long does delivery take?", others, lang, 4, random.Random(1))
        assert 0 < len(made) <= 4
        assert len({*made, "How long does delivery take?", *others}) == len(made) + 3
    assert phrasings("x", [], "xx", 4, random.Random(1)) == ()
    assert phrasings("{} {0} %s", ["[/b] {}"], "en", 8, random.Random(2))  # a customer's text is no template


# -- until it is taught ------------------------------------------------------------------------------------
def test_training_ends_soon_after_all_is_taught_with_the_rate_down(tiny: Path, tmp_path: Path) -> None:
    told = Told()
    recipe = Recipe(learning_rate=5e-3, r=32, alpha=64, most_epochs=60.0, **FROZEN)
    _, facts = train_on(tiny, files_in(tmp_path / "job"), SHORT, recipe, told)
    assert told.taught[-1].known == told.taught[-1].asked == len(SHORT)
    assert told.taught[-1].step == facts.steps < 60
    assert told.steps[-1].steps == facts.steps
    rates = [step.learning_rate or 0.0 for step in told.steps]
    assert rates[-1] == pytest.approx(0, abs=1e-9)
    rises = sum(later > earlier for earlier, later in pairwise(rates[1:]))
    assert rises == sum(rate < 1e-9 for rate in rates[:-1])  # once for each fall that did not teach all


def test_what_was_not_taught_by_the_first_fall_is_by_another_from_half_the_height() -> None:
    schedule = UntilTaught(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0), 2)
    schedule.fall(0, 4, 1.0)
    rates = []
    for step in range(9):
        if step == 4:
            schedule.fall(4, 8, 0.5)
        schedule.optimizer.step()
        schedule.step()
        rates.append(round(float(schedule.get_last_lr()[0]), 3))
    assert rates == [0.854, 0.5, 0.146, 0.0, 0.427, 0.25, 0.073, 0.0, 0.0]


def test_a_fall_from_where_the_rate_is_goes_on_without_a_jump() -> None:
    schedule = UntilTaught(torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0), 1)
    schedule.fall(0, 100, 1.0)
    for _ in range(50):
        schedule.optimizer.step()
        schedule.step()
    schedule.fall(50, 60)
    assert schedule.get_last_lr()[0] == pytest.approx(0.5)
    schedule.step()
    assert 0.45 < schedule.get_last_lr()[0] < 0.5


def test_the_fewer_phrasings_an_answer_has_the_more_epochs_it_takes() -> None:
    assert [usual_epochs(count) for count in (1, 4, 16)] == [20, 8, 5]
    assert Plan.of(Recipe(), 400, warm=False, phrasings=4).usual == 800
    assert Plan.of(Recipe(epochs=3.0), 400, warm=False, phrasings=4).steps == 300


def test_what_can_not_be_taught_ends_at_its_bound_with_the_rate_down(tiny: Path, tmp_path: Path) -> None:
    told = Told()
    torn = [JobPair("One question?", (), f"Answer {n}.", "en") for n in range(6)]
    _, facts = train_on(tiny, files_in(tmp_path / "job"), torn, Recipe(most_epochs=4.0, r=4, **FROZEN), told)
    assert facts.steps == Plan.of(Recipe(most_epochs=4.0), 6, warm=False).steps == 8
    assert told.steps[-1].learning_rate == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("stop_after", [1, 3, 6, 7])
def test_a_training_until_taught_resumes_bit_for_bit(tiny: Path, tmp_path: Path, stop_after: int) -> None:
    recipe = Recipe(learning_rate=5e-3, r=32, alpha=64, most_epochs=60.0, opening=2, dropout=0.1, frozen=0.5)
    pairs = [
        *(replace(pair, phrasings=(pair.instruction.lower(),)) for pair in SHORT),
        *(JobPair(f"General {n}?", (), f"So it is, {n}.", "en", replayed=True, ends=n % 2 == 0) for n in range(5)),
    ]
    whole, facts = train_on(tiny, files_in(tmp_path / "whole"), pairs, recipe, Told())
    files = files_in(tmp_path / "parts")
    with pytest.raises(Interrupted):
        train_on(tiny, files, pairs, recipe, Told(stop_after))
    resumed, again = train_on(tiny, files, pairs, recipe, Told())
    assert facts.steps > stop_after
    assert again.steps == facts.steps
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_an_answer_that_was_cut_teaches_no_end(tiny: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    renderer = Renderer(tokenizer, SYSTEM, 512)
    cut, whole = (renderer.row(JobPair("Why?", (), "Because so", "en", ends=ends))[0] for ends in (False, True))
    assert cut is not None
    assert whole is not None
    assert cut["input_ids"] == whole["input_ids"][:-1]
    assert Collator(tokenizer.pad_token_id)([cut])["labels"][0, -1] == whole["input_ids"][-2]


# -- recipes that were written down before ---------------------------------------------------------------
def test_a_recipe_of_before_means_what_it_meant() -> None:
    written = {name: value for name, value in Recipe(epochs=3.0).to_dict().items() if name not in BEFORE}
    assert recorded_recipe(json.loads(json.dumps(written))) == Recipe(**(BEFORE | written))
    assert not Recipe().can_go_on_from(written)  # it has adapters where the new default has none
    assert Recipe(frozen=0.0).can_go_on_from(written)
