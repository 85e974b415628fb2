"""A recipe's options in training: what each changes, and what it must not change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.bases.base import load_tokenizer
from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.types import FAITHFUL, AdapterRef, Prompt
from finetune.failures import RunFailure
from finetune.methods import METHODS
from finetune.objectives.answers import IGNORED, answer_loss
from finetune.objectives.objective import Row
from finetune.recipe import VIRTUAL, Recipe, RecipeError
from finetune.recipe_values import PRESETS, recipe_of
from finetune.train.batches import Collator, Order, Sorted
from finetune.train.fit import Interrupted
from finetune.train.openings import Openings
from finetune.train.validate import answers_bleu
from store.text import clean
from store.words import Version
from tests import tiny as makers
from tests.finetune.test_methods import randomise, tuned_on
from tests.finetune.test_training import PAIRS, SYSTEM, Recorder, a_batch, files_in, rows_of, spec_of, train_tiny


# -- packing ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize("method", ["lora", "adapter", "full"])
def test_packed_pairs_give_the_loss_and_gradients_of_padded_ones(
    models: dict[str, Path], family: str, method: str
) -> None:
    tokenizer = load_tokenizer(str(models[family]))
    rows = rows_of(tokenizer, PAIRS[:4])
    tuned = tuned_on(models[family], "fp32", method=method)
    randomise(tuned)
    found = []
    for packed in (False, True):
        tuned.model.zero_grad()
        total, learned = answer_loss(tuned, Collator(tokenizer.pad_token_id, packed=packed)(rows))
        total.backward()
        gradients = [p.grad.flatten() for p in tuned.model.parameters() if p.grad is not None]
        found.append((float(total.detach()), learned, torch.cat(gradients)))
    (padded_loss, padded_count, padded), (packed_loss, packed_count, packed_gradient) = found
    assert packed_count == padded_count
    assert packed_loss == pytest.approx(padded_loss, rel=1e-4)
    assert torch.nn.functional.cosine_similarity(padded, packed_gradient, dim=0) > 0.9999


def test_a_packed_batch_learns_the_same_tokens(tiny: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    rows = rows_of(tokenizer, PAIRS[:4])
    padded, packed = (Collator(tokenizer.pad_token_id, packed=flag)(rows)["labels"] for flag in (False, True))
    assert packed[packed != IGNORED].tolist() == padded[padded != IGNORED].tolist()
    assert packed.shape == (1, sum(row["length"] for row in rows))


@pytest.mark.parametrize("method", VIRTUAL)
def test_what_virtual_tokens_do_not_go_with_is_refused(method: str) -> None:
    for name in ("packing", "checkpointing"):
        with pytest.raises(RecipeError, match=name):
            recipe_of({"method": method, name: True})


# -- the order of pairs ------------------------------------------------------------------------------
def test_a_growing_run_begins_with_few_pairs_and_ends_with_all() -> None:
    rows: list[Row] = [{"input_ids": [n] * (1 + n % 7), "answer_start": 0, "length": 1 + n % 7} for n in range(40)]
    order = Order(Openings(rows, 0), Recipe(batch_size=4, seed=3, grow=2), Sorted.of(rows))
    seen = []
    for epoch in range(4):
        assert len(order.of_epoch(epoch)) == 40
        seen.append(set(order.of_epoch(epoch)))
    assert [len(pairs) for pairs in seen] == [10, 20, 40, 40]
    assert seen[0] < seen[1]


@pytest.mark.parametrize("options", [{"batch_size": 6, "gradient_accumulation": 1}, {"packing": True}])
def test_smaller_batches_take_the_same_steps(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Where the memory does not suffice, a run goes on in smaller parts; nothing else about it may change."""
    values = {"dropout": 0.0, "batch_size": 4, **options}
    smaller = Recipe(**{**values, "epochs": 2.0, "r": 4, "alpha": 8}).smaller()
    assert smaller is not None
    large = train_tiny(tiny, files_in(tmp_path / "large"), monkeypatch, **values)
    small = train_tiny(tiny, files_in(tmp_path / "small"), monkeypatch, **smaller.to_dict())
    left, right = (torch.cat([w[name].flatten() for name in sorted(w)]).double() for w in (large, small))
    assert torch.nn.functional.cosine_similarity(left, right, dim=0) > 0.99


def test_a_recipe_gets_smaller_down_to_one_pair_at_a_time() -> None:
    sizes, recipe = [], Recipe(batch_size=12)
    while (smaller := recipe.smaller()) is not None:
        recipe = smaller
        sizes.append((recipe.batch_size, recipe.gradient_accumulation, recipe.checkpointing))
    assert sizes == [(6, 2, False), (3, 4, False), (1, 12, False), (1, 12, True)]
    assert Recipe(method="prompt", batch_size=1).smaller() is None


# -- looks -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", [method for method in METHODS if method not in ("lora", "full")])
def test_looking_with_bleu_leaves_no_trace_in_the_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    values: dict[str, Any] = {"method": method, "virtual_tokens": 5, "adapter_size": 8, "epochs": 1.0}
    monkeypatch.setattr("finetune.train.validate.ANSWER_TOKENS", 8)
    recorder = Recorder()
    without = train_tiny(tiny, files_in(tmp_path / "without"), monkeypatch, heldout=0, **values)
    options: dict[str, Any] = {"evaluate_every": 2, "bleu_questions": 3}
    looked = train_tiny(tiny, files_in(tmp_path / "looked"), monkeypatch, recorder=recorder, **values, **options)
    assert all(torch.equal(without[name], looked[name]) for name in without)
    assert [event.step for event in recorder.evaluated] == [2, 4]
    assert all(event.bleu is not None and 0 <= event.bleu <= 100 for event in recorder.evaluated)


@pytest.mark.parametrize("method", ["lora", "prefix", "prompt", "adapter"])
def test_answers_in_training_are_those_that_would_be_served(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    tuned = tuned_on(tiny, "fp32", method=method)
    randomise(tuned)
    tuned.save(tmp_path / "v1")
    makers.publish_adapter(tmp_path / "v1", tiny, "v1")
    serving = ServingModel(spec_of(tiny, "fp32"))
    makers.serve(serving, AdapterRef(Version("v1"), str(tmp_path / "v1")))
    served: dict[int, str] = {}
    prompts = [Prompt(SYSTEM, (), pair.instruction) for pair in PAIRS[:3]]
    decoding = replace(FAITHFUL, max_new_tokens=24)
    Generator(serving).batch(prompts, decoding, lambda place, answer: served.update({place: clean(answer.text)}))
    targets = [replace(pair, output=served[place]) for place, pair in enumerate(PAIRS[:3])]
    assert len(set(served.values())) == 3
    monkeypatch.setattr("finetune.train.validate.ANSWER_TOKENS", 24)
    assert answers_bleu(tuned, load_tokenizer(str(tiny)), targets, SYSTEM) > 99.9
    others = [replace(pair, output=served[(place + 1) % 3]) for place, pair in enumerate(PAIRS[:3])]
    assert answers_bleu(tuned, load_tokenizer(str(tiny)), others, SYSTEM) < 60


def losses(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Lets the looks of a run see *values*."""
    found = iter(values)
    monkeypatch.setattr("finetune.train.fit.heldout_loss", lambda *_: next(found))


def test_a_run_stops_when_nothing_gets_better(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses(monkeypatch, [3.0, 2.0, 2.5, 2.0, 1.0, 1.0, 1.0])
    recorder = Recorder()
    options: dict[str, Any] = {"validation": 0.2, "evaluate_every": 1, "early_stopping": 2}
    train_tiny(tiny, files_in(tmp_path / "run"), monkeypatch, recorder=recorder, **options)
    assert recorder.steps[-1].step == 4 < recorder.steps[-1].steps
    assert [event.step for event in recorder.evaluated] == [1, 2, 3, 4]
    assert any("Stopped after step 4" in note and "step 2" in note for note in recorder.notes)


def test_the_best_weights_are_kept_also_after_a_stop_and_a_resume(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"validation": 0.2, "evaluate_every": 2, "keep_best": True, "dropout": 0.0}
    losses(monkeypatch, [3.0, 1.0, 2.0, 2.0])
    whole = train_tiny(tiny, files_in(tmp_path / "whole"), monkeypatch, **options)
    files = files_in(tmp_path / "cut")
    losses(monkeypatch, [3.0, 1.0])
    with pytest.raises(Interrupted):
        train_tiny(tiny, files, monkeypatch, stop_after=6, **options)
    assert [path.name for path in files.checkpoints.glob("best-*")] == ["best-4.safetensors"]
    losses(monkeypatch, [2.0, 2.0])
    recorder = Recorder()
    resumed = train_tiny(tiny, files, monkeypatch, recorder=recorder, **options)
    assert [event.step for event in recorder.evaluated] == [6, 8]  # the look that the stop left out, too
    assert any("step 4" in note for note in recorder.notes)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    losses(monkeypatch, [2.0, 1.0])
    plain = train_tiny(tiny, files_in(tmp_path / "plain"), monkeypatch, dropout=0.0)
    assert not all(torch.equal(whole[name], plain[name]) for name in whole)


def test_a_run_takes_the_steps_it_is_told(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    train_tiny(tiny, files_in(tmp_path / "run"), monkeypatch, recorder=recorder, steps=3)
    assert [event.step for event in recorder.steps] == [1, 2, 3]
    assert all(event.gradient_norm is not None and event.gradient_norm > 0 for event in recorder.steps)


def test_checkpoints_come_every_so_many_steps(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    monkeypatch.setattr("finetune.train.fit.save_checkpoint", lambda _, progress: written.append(progress.step))
    train_tiny(tiny, files_in(tmp_path / "run"), monkeypatch, save_every=3)
    assert written == [3, 6]


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"early_stopping": 2}, "early_stopping"),
        ({"keep_best": True}, "keep_best"),
        ({"best_by": "bleu"}, "best_by"),
        ({"best_by": "luck"}, "best_by"),
        ({"validation": 0.9}, "validation"),
    ],
)
def test_what_can_not_be_decided_is_refused(values: dict[str, Any], name: str) -> None:
    with pytest.raises(RecipeError, match=name):
        recipe_of(values)


# -- layers ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize(
    ("layers", "named"),
    [
        ("qv", ({"q_proj", "v_proj"}, {"query_key_value"})),
        ("qkvo", ({"q_proj", "k_proj", "v_proj", "o_proj"}, {"query_key_value", "dense"})),
    ],
)
def test_a_set_of_layers_fits_every_family(
    models: dict[str, Path], family: str, layers: str, named: tuple[set[str], set[str]]
) -> None:
    tuned = tuned_on(models[family], target_modules=layers)
    found = {
        name.split(".lora_")[0].rpartition(".")[2] for name, _ in tuned.model.named_parameters() if "lora_" in name
    }
    assert found == named[family == "gpt_neox"]


@pytest.mark.parametrize("values", [{"target_modules": "q_proj"}, {"ranks": "v_proj=8"}])
def test_layers_that_a_base_does_not_have_are_refused(models: dict[str, Path], values: dict[str, Any]) -> None:
    with pytest.raises(RunFailure, match="query_key_value") as failure:
        tuned_on(models["gpt_neox"], **values)
    assert failure.value.kind == "no-such-layer"


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_the_presets_of_the_article_train_on_every_family(models: dict[str, Path], family: str) -> None:
    for name in PRESETS:
        values = {**PRESETS[name], "method": "qlora"}
        tuned = tuned_on(models[family], **values)
        total, _ = answer_loss(tuned, a_batch(models[family]))
        total.backward()
        assert any(p.grad is not None and bool(p.grad.any()) for p in tuned.model.parameters())
