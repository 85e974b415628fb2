"""What a training minimises: the formulas, one step in however many parts, resuming, and what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from bot.bases.base import load_tokenizer
from finetune.files import JobFiles
from finetune.job import JobPair
from finetune.methods import METHODS, Tuned
from finetune.objectives import objective_of
from finetune.objectives.answers import Batch
from finetune.objectives.edits import removed
from finetune.objectives.objective import Row
from finetune.recipe import OBJECTIVES, Recipe, RecipeError
from finetune.train.batches import Collator, Sorted
from finetune.train.fit import Interrupted, take_step
from finetune.train.rows import Renderer, learned_rows, longest_text
from finetune.train.setup import Material, Training, load_for_training, set_up
from finetune.train.taught import Asked
from finetune.train.validate import Watched
from tests.finetune.test_methods import SMALL, randomise, tuned_on
from tests.finetune.test_training import SYSTEM, files_in, spec_of, train_tiny

FROM_MISTAKES = [name for name in OBJECTIVES if name != "sft"]
WITH_REFERENCE = ["dpop", "kto"]
# corrected, approved, and (for kto) rejected
PAIRS = [
    *(
        JobPair(f"Question {n}?", (), f"Answer number {n}.", "en", 1 + n % 2, wrong=f"No idea {n}." + " x" * n)
        for n in range(6)
    ),
    *(JobPair(f"Another {n}?", (), f"Right, {n}.", "en") for n in range(4)),
]
REJECTED = [JobPair("And now?", (), "Nonsense.", "en", good=False)]
EXACT = {**SMALL, "batch_size": 4, "dropout": 0.0}


def recipe_of(objective: str, **values: Any) -> Recipe:
    return Recipe(**{**EXACT, "objective": objective, **values})


def pairs_for(objective: str) -> list[JobPair]:
    return PAIRS + (REJECTED if objective == "kto" else [])


def training_of(base: Path, files: JobFiles, recipe: Recipe, quantization: str = "nf4", warm: bool = False) -> Training:
    renderer = Renderer(load_tokenizer(str(base)), SYSTEM, recipe.max_length)
    rows, cuts = learned_rows(files, pairs_for(recipe.objective), renderer, objective_of(recipe))
    spec = spec_of(base, quantization)
    tuned, tokenizer = load_for_training(spec, recipe, SYSTEM, longest=longest_text(rows), unpack=True)
    return set_up(tuned, tokenizer, recipe, Material(rows, Watched(), files, cuts), warm=warm)


def log_probability(tuned: Tuned, ids: Sequence[int], start: int) -> torch.Tensor:
    """The logarithm of the probability of each token from *start* on, one text at a time, by the whole model."""
    with torch.no_grad():
        hidden = tuned.hidden(torch.tensor([list(ids)]))
        logs = tuned.base.get_output_embeddings()(hidden).float().log_softmax(-1)[0]
    return torch.stack([logs[place - 1, ids[place]] for place in range(start, len(ids))])


# -- rows ------------------------------------------------------------------------------------------
def test_what_was_taken_out_is_found_by_the_difference() -> None:
    assert removed([1, 2, 3, 9], [1, 2, 3, 9]) == []
    assert removed([1, 5, 3, 9], [1, 2, 3, 9]) == [1]
    assert removed([1, 3, 9], [1, 2, 3, 9]) == [1]
    assert removed([1, 2, 4, 3, 9], [1, 2, 3, 9]) == []  # something was added, nothing taken out
    assert removed([7, 9], [1, 2, 3, 9]) == [0, 1, 2]


def test_a_row_has_the_wrong_reply_after_the_same_question(tiny: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    renderer = Renderer(tokenizer, SYSTEM, 512)
    rows, _ = learned_rows(files_in(tmp_path / "job"), PAIRS, renderer, objective_of(recipe_of("orpo")))
    assert [row["weight"] for row in rows] == [pair.weight for pair in PAIRS]
    assert [bool(row["other_ids"]) for row in rows] == [bool(pair.wrong) for pair in PAIRS]
    row, pair = rows[0], PAIRS[0]
    start = row["answer_start"]
    assert row["other_ids"][:start] == row["input_ids"][:start]
    assert tokenizer.decode(row["other_ids"][start:-1]) == pair.wrong
    assert row["other_ids"][-1] == tokenizer.eos_token_id
    assert row["other_places"] == list(range(start, len(row["other_ids"])))
    assert longest_text(rows) == max(len(row["other_ids"]) for row in rows)


def test_a_long_wrong_reply_is_cut(tiny: Path, tmp_path: Path) -> None:
    pairs = [replace(PAIRS[0], wrong="word " * 300)]
    renderer = Renderer(load_tokenizer(str(tiny)), SYSTEM, 100)
    for objective in FROM_MISTAKES:
        files = files_in(tmp_path / objective)
        rows, cuts = learned_rows(files, pairs, renderer, objective_of(recipe_of(objective)))
        assert longest_text(rows) <= 100
        assert (cuts.output, cuts.dropped) == (0, 0)


def test_kto_makes_a_row_of_every_reply_and_says_which_are_good(tiny: Path, tmp_path: Path) -> None:
    renderer = Renderer(load_tokenizer(str(tiny)), SYSTEM, 512)
    pairs = [PAIRS[0], PAIRS[6], *REJECTED]
    rows, _ = learned_rows(files_in(tmp_path / "job"), pairs, renderer, objective_of(recipe_of("kto")))
    said = [renderer.tokenizer.decode(row["input_ids"][row["answer_start"] : -1]) for row in rows]
    assert said == ["Answer number 0.", PAIRS[0].wrong, "Right, 0.", "Nonsense."]
    assert list(rows["good"]) == [True, False, True, False]
    before = [renderer.tokenizer.decode(row["other_ids"][row["answer_start"] : -1]) for row in rows]
    assert before == ["", "", "Answer number 0.", "Right, 0."]  # another question's answer


def test_made_phrasings_have_the_wrong_reply_too_and_belong_to_their_row(tiny: Path, tmp_path: Path) -> None:
    renderer = Renderer(load_tokenizer(str(tiny)), SYSTEM, 512)
    pairs = [replace(PAIRS[0], phrasings=("Quest zero?", "Zero?")), PAIRS[1]]
    for objective, originals in (("orpo", [0, 0, 0, 3]), ("kto", [0, 0, 0, 3, 4, 5])):
        files = files_in(tmp_path / objective)
        rows, _ = learned_rows(files, pairs, renderer, objective_of(recipe_of(objective)))
        assert list(rows["original"]) == originals
        assert all(rows["other_ids"])
        good = [place for place, row in enumerate(rows) if row["good"]]
        assert set(Asked.of(rows, Sorted.of(rows)).rows) <= set(good)


def test_what_is_replayed_is_only_said(tiny: Path, tmp_path: Path) -> None:
    renderer = Renderer(load_tokenizer(str(tiny)), SYSTEM, 512)
    pairs = [PAIRS[0], JobPair("What is seven?", (), "A number.", "en", replayed=True)]
    rows, _ = learned_rows(files_in(tmp_path / "job"), pairs, renderer, objective_of(recipe_of("kto")))
    assert (rows[-1]["replayed"], rows[-1]["good"], rows[-1]["other_ids"]) == (True, True, [])


def test_a_job_of_before_holds_no_wrong_replies() -> None:
    line = b'{"instruction":"q","history":[],"output":"a","lang":"en","weight":2}'
    assert msgspec.json.decode(line, type=JobPair) == JobPair("q", (), "a", "en", 2, wrong="", good=True)


# -- the loss --------------------------------------------------------------------------------------
def by_hand(objective: str, now: dict[int, Any], rows: Sequence[Row]) -> float:
    """The loss of a step of *rows* by the papers' formulas, one row at a time; *now*: (own, other) logarithms."""
    log, exp, sigmoid = torch.log, torch.exp, torch.sigmoid
    good = [own for row, (own, _) in zip(rows, now.values(), strict=True) if row["good"]]
    loss: Any = -torch.cat(good).sum() / sum(len(own) for own in good)
    gains = [other.sum() - row["other_reference"] for row, (_, other) in zip(rows, now.values(), strict=True)
             if objective == "kto"]  # fmt: skip
    z = max(0.0, float(sum(gains)) / max(1, len(gains)))
    for row, (own, other) in zip(rows, now.values(), strict=True):
        if not row["other_ids"]:
            continue
        match objective:
            case "edits":
                term = -log(1 - exp(other)).mean() if len(other) else torch.tensor(0.0)
            case "orpo":
                right, wrong = exp(own.mean()), exp(other.mean())
                term = -0.1 * log(sigmoid(log(right / (1 - right)) - log(wrong / (1 - wrong))))
            case "dpop":
                gain = own.sum() - row["reference"]
                lost = other.sum() - row["other_reference"]
                term = -log(sigmoid(0.3 * (gain - lost - 50 * max(torch.tensor(0.0), -gain))))
            case _:
                gain = own.sum() - row["reference"] - z
                term = 1 - sigmoid(0.1 * (gain if row["good"] else -gain))
        loss = loss + term / len(rows)
    return float(loss)


@pytest.mark.parametrize("objective", FROM_MISTAKES)
def test_the_loss_is_that_of_the_paper(tiny: Path, tmp_path: Path, objective: str) -> None:
    training = training_of(tiny, files_in(tmp_path / "job"), recipe_of(objective, method="lora"), "fp32")
    randomise(training.tuned)
    rows = [training.material.rows[place] for place in (0, 1, 5, 9)]
    now = {}
    for place, row in enumerate(rows):
        own = log_probability(training.tuned, row["input_ids"], row["answer_start"])
        other = log_probability(training.tuned, row["other_ids"], row["answer_start"]) if row["other_ids"] else own[:0]
        chosen = [spot - row["answer_start"] for spot in row["other_places"]]
        now[place] = (own, other[chosen])
    batch = Collator(training.tokenizer.pad_token_id, objective=training.objective)(rows)
    part = training.objective.step(training.tuned, [batch])
    assert float(part(batch).detach()) == pytest.approx(by_hand(objective, now, rows), rel=1e-3)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_step_is_the_same_in_however_many_parts(tiny: Path, tmp_path: Path, objective: str) -> None:
    """What the ladder does when memory runs out."""
    training = training_of(tiny, files_in(tmp_path / "job"), recipe_of(objective, method="lora"), "fp32")
    randomise(training.tuned)
    rows = [training.material.rows[place] for place in (0, 7, 2, len(training.material.rows) - 1)]
    collator = Collator(training.tokenizer.pad_token_id, objective=training.objective)
    found = []
    for size in (4, 2, 1):
        training.tuned.model.zero_grad()
        batches: list[Batch] = collator.parts(rows, size)
        part = training.objective.step(training.tuned, batches)
        losses = [part(batch) for batch in batches]
        for loss in losses:
            loss.backward()
        gradients = [p.grad.flatten() for p in training.tuned.model.parameters() if p.grad is not None]
        found.append((sum(float(loss.detach()) for loss in losses), torch.cat(gradients)))
    for total, gradient in found[1:]:
        assert total == pytest.approx(found[0][0], rel=1e-4)
        assert torch.allclose(gradient, found[0][1], rtol=1e-3, atol=1e-5 * float(found[0][1].abs().max()) + 1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("objective", ["edits", "kto"])
def test_every_method_takes_a_step(tiny: Path, tmp_path: Path, objective: str, method: str) -> None:
    quantization = "bf16" if method in ("lora", "full") else "nf4"
    training = training_of(tiny, files_in(tmp_path / "job"), recipe_of(objective, method=method), quantization)
    taken = take_step(training, next(training.steps_after(0)))
    assert taken.loss > 0
    assert 0 < taken.gradient_norm < float("inf")


def test_packed_rows_are_refused() -> None:
    for objective in FROM_MISTAKES:
        with pytest.raises(RecipeError, match=f"packing does not go with the objective {objective}"):
            Recipe(objective=objective, packing=True)


# -- the reference -----------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["qlora", "ptuning-v2"])
def test_the_reference_of_a_training_from_the_base_is_the_base_alone(tiny: Path, tmp_path: Path, method: str) -> None:
    training = training_of(tiny, files_in(tmp_path / "job"), recipe_of("dpop", method=method))
    base = tuned_on(tiny, unpack=True)  # LoRA that has learned nothing
    row = training.material.rows[0]
    assert row["reference"] == pytest.approx(
        float(log_probability(base, row["input_ids"], row["answer_start"]).sum()), rel=0.01
    )
    assert row["other_reference"] == pytest.approx(
        float(log_probability(base, row["other_ids"], row["answer_start"]).sum()), rel=0.01
    )
    assert training.material.rows[len(training.material.rows) - 1]["reference"] == 0  # nothing to compare with


def test_the_reference_of_a_training_from_a_version_is_that_version(tiny: Path, tmp_path: Path) -> None:
    recipe = recipe_of("dpop", method="ptuning-v2")
    version = tuned_on(tiny, unpack=True, method="ptuning-v2", seed=recipe.seed)  # what set_up begins with
    training = training_of(tiny, files_in(tmp_path / "job"), recipe, warm=True)
    row = training.material.rows[0]
    assert row["reference"] == pytest.approx(
        float(log_probability(version, row["input_ids"], row["answer_start"]).sum()), rel=0.01
    )


def test_the_reference_is_computed_once_and_kept_with_the_job(tiny: Path, tmp_path: Path) -> None:
    files = files_in(tmp_path / "job")
    first = training_of(tiny, files, recipe_of("kto"))
    assert files.reference.stat().st_mode & 0o777 == 0o600
    written = files.reference.stat().st_mtime_ns
    again = training_of(tiny, files, recipe_of("kto", batch_size=2, gradient_accumulation=2))
    assert files.reference.stat().st_mtime_ns == written
    assert list(first.material.rows["reference"]) == list(again.material.rows["reference"])
    kept = load_file(files.reference)
    assert len(kept["reference"]) == len(first.material.rows)


# -- runs --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("objective", FROM_MISTAKES)
def test_a_stop_and_a_resume_give_the_weights_of_a_whole_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objective: str
) -> None:
    values: dict[str, Any] = {**SMALL, "objective": objective, "dropout": 0.05, "pairs": pairs_for(objective)}
    whole = train_tiny(tiny, files_in(tmp_path / "whole"), monkeypatch, **values)
    files = files_in(tmp_path / "cut")
    with pytest.raises(Interrupted):
        train_tiny(tiny, files, monkeypatch, stop_after=3, **values)
    resumed = train_tiny(tiny, files, monkeypatch, **values)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("objective", FROM_MISTAKES)
def test_a_wrong_reply_becomes_less_likely_than_by_learning_right_answers_alone(
    tiny: Path, tmp_path: Path, objective: str
) -> None:
    """Taught the same, in as many passes: what was wrong must be further away."""
    lost = {}
    for name in ("sft", objective):
        training = training_of(tiny, files_in(tmp_path / name), recipe_of(name, learning_rate=5e-3, epochs=6.0))
        for batches in training.steps_after(0):
            take_step(training, batches)
        renderer = Renderer(training.tokenizer, SYSTEM, 512)
        margins = []
        for pair in PAIRS[:6]:
            row, wrong = renderer.row(pair)[0], renderer.row(replace(pair, output=pair.wrong))[0]
            assert row is not None
            assert wrong is not None
            right = log_probability(training.tuned, row["input_ids"], row["answer_start"]).mean()
            margins.append(right - log_probability(training.tuned, wrong["input_ids"], wrong["answer_start"]).mean())
        lost[name] = float(sum(margins)) / len(margins)
    assert lost[objective] > lost["sft"]
