"""Training on tiny models: the traps by name, and that what is fast is also right."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from bot.bases.base import load_base, load_tokenizer
from bot.render import render_pair
from bot.types import BaseSpec, Prompt
from finetune.events import Evaluated, Event, Note, Step, Trained
from finetune.failures import RunFailure, kind_of
from finetune.files import MARK, JobFiles
from finetune.job import JobPair
from finetune.methods.method import PeftTuned
from finetune.objectives import objective_of
from finetune.objectives.answers import IGNORED, Batch, answer_loss, learned_tokens
from finetune.objectives.objective import Row
from finetune.recipe import Recipe
from finetune.train.batches import Collator, Order, Sorted, StepSampler
from finetune.train.fit import Interrupted
from finetune.train.frozen import unpack_frozen
from finetune.train.lora_kernel import install
from finetune.train.openings import Openings
from finetune.train.plan import TIMES, Plan
from finetune.train.rows import Cuts, Renderer, learned_rows
from finetune.train.setup import Material, load_for_training, set_up
from finetune.train.training import train
from finetune.train.validate import Watched, heldout_loss
from store.owned import make_own
from tests import tiny as makers

SYSTEM = "You are a support agent."


def pair(instruction: str, output: str, history: tuple[tuple[str, str], ...] = (), weight: int = 1) -> JobPair:
    return JobPair(instruction, history, output, "en", weight)


PAIRS = [pair(f"Question {n}?" + " more" * (n % 5), f"Answer number {n}." + " so" * (n % 3)) for n in range(14)]


def rows_of(tokenizer: Any, pairs: Sequence[JobPair]) -> list[Row]:
    return Renderer(tokenizer, SYSTEM, 512).rows(pairs)


def lora_on(folder: Path, recipe: Recipe, *, unpack: bool = True) -> Any:
    """The peft model to be trained."""
    return load_for_training(spec_of(folder), recipe, SYSTEM, longest=64, unpack=unpack)[0].model


def spec_of(folder: Path, quantization: str = "nf4") -> BaseSpec:
    return BaseSpec(str(folder), quantization)  # type: ignore[arg-type]


# -- data ------------------------------------------------------------------------------------------
def test_only_output_and_end_of_turn_are_learned_though_pad_is_the_end_of_turn(tiny: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    rows = rows_of(tokenizer, PAIRS[:3])
    batch = Collator(tokenizer.pad_token_id)(rows)
    for labels, one in zip(batch["labels"], PAIRS[:3], strict=True):
        learned = labels[labels != IGNORED].tolist()
        assert learned[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(learned[:-1]) == one.output
    ids, mask = render_pair(tokenizer, Prompt(SYSTEM, (), PAIRS[0].instruction), PAIRS[0].output)
    assert rows[0]["input_ids"] == ids
    assert rows[0]["answer_start"] == mask.index(1)


def test_what_is_too_long_loses_old_history_first_and_is_counted(tiny: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    history = tuple((f"old question {n} " * 4, f"old answer {n} " * 4) for n in range(4))
    pairs = [pair("short?", "yes", history, weight=2), pair("short?", "word " * 300), pair("long " * 300, "x")]
    data, cuts = learned_rows(files_in(tmp_path / "job"), pairs, Renderer(tokenizer, SYSTEM, 100))
    assert cuts == Cuts(history=1, output=2, dropped=1)
    assert data["weight"] == [2, 1]
    assert Sorted.of(data).new == (0, 0, 1)  # each as often as its weight says
    assert all(length <= 100 for length in data["length"])
    # what was cut off is not taught as the answer's end
    assert data[0]["input_ids"][-1] == tokenizer.eos_token_id
    assert tokenizer.eos_token_id not in data[1]["input_ids"][data[1]["answer_start"] :]
    assert len(data[1]["input_ids"]) == 100


def test_rows_are_rendered_once_and_found_again(tiny: Path, tmp_path: Path) -> None:
    files, renderer = files_in(tmp_path / "job"), Renderer(load_tokenizer(str(tiny)), SYSTEM, 512)
    written, cuts = learned_rows(files, PAIRS, renderer)
    found, again = learned_rows(files, [], renderer)
    assert list(found) == list(written)
    assert [{**row, "original": place} for place, row in enumerate(renderer.rows(PAIRS))] == list(found)
    assert (again, len(found)) == (cuts, len(PAIRS))
    (files.rows / MARK).unlink()  # a kill left them half-written
    assert len(learned_rows(files, PAIRS[:2], renderer)[0]) == 2
    assert {path.stat().st_mode & 0o777 for path in files.rows.iterdir()} == {0o600}


def test_not_one_row_is_no_error(tiny: Path, tmp_path: Path) -> None:
    renderer = Renderer(load_tokenizer(str(tiny)), SYSTEM, 512)
    assert len(learned_rows(files_in(tmp_path / "job"), [], renderer)[0]) == 0


def test_no_pair_teaches_an_end_where_its_text_does_not_end(tiny: Path, shared_data: Path) -> None:
    tokenizer = load_tokenizer(str(tiny))
    text = (shared_data.parent / "cases" / "15b_long_answers_many.jsonl").read_text().splitlines()
    pairs = [pair(row["instruction"], row["output"]) for row in map(json.loads, text)]
    renderer = Renderer(tokenizer, SYSTEM, 256)
    whole = shortened = 0
    for one in pairs:
        row, cuts = renderer.row(one)
        assert row is not None
        learned = row["input_ids"][row["answer_start"] :]
        ended = learned[-1] == tokenizer.eos_token_id
        said = tokenizer.decode(learned[:-1] if ended else learned)
        assert ended == (said == one.output)
        whole, shortened = whole + ended, shortened + cuts.output
    assert whole == len(pairs) - shortened
    assert shortened > 0


def order_of(lengths: Sequence[int], recipe: Recipe) -> Order:
    """The order of rows that are so long, none of which is known."""
    rows: list[Row] = [
        {"input_ids": [n] * length, "answer_start": 0, "length": length} for n, length in enumerate(lengths)
    ]
    return Order(Openings(rows, 0), recipe, Sorted.of(rows))


def test_an_order_holds_every_row_once_and_repeats_for_a_seed_and_epoch() -> None:
    order = order_of([1 + n * 7 % 50 for n in range(103)], Recipe(batch_size=4, seed=1))
    first = [place for place, _ in order.of_epoch(0)]
    assert sorted(first) == list(range(103))
    assert [place for place, _ in order.of_epoch(0)] == first
    assert [place for place, _ in order.of_epoch(1)] != first
    apart = [abs(first[n] * 7 % 50 - first[n + 1] * 7 % 50) for n in range(0, 96, 4)]
    assert sum(apart) / len(apart) < 8  # neighbours of a batch are of similar length


def test_a_training_stands_where_its_step_is() -> None:
    recipe = Recipe(batch_size=2, gradient_accumulation=2, epochs=2.5)
    plan, order = Plan.of(recipe, 10, warm=False), order_of([1] * 10, recipe)
    steps = list(StepSampler(order, plan, 0))
    assert (plan.steps_per_epoch, len(steps)) == (3, 8)
    assert [len(step) for step in steps] == [4, 4, 2, 4, 4, 2, 4, 4]
    for epoch in (steps[:3], steps[3:6]):
        assert sorted(chain(*epoch)) == [(place, 1) for place in range(10)]
    for done in range(8):
        assert list(StepSampler(order, plan, done)) == steps[done:]


# -- arithmetic ------------------------------------------------------------------------------------
def gradients(model: Any, batch: Batch) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    causal = model.get_base_model()
    hidden = causal.base_model(input_ids=batch["input_ids"], use_cache=False).last_hidden_state
    targets = batch["labels"][:, 1:]
    logits = causal.get_output_embeddings()(hidden[:, :-1][targets != IGNORED]).float()
    functional.cross_entropy(logits, targets[targets != IGNORED]).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def cosine(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> float:
    assert left.keys() == right.keys()
    assert left
    a, b = (torch.cat([grads[name].flatten().double() for name in sorted(grads)]) for grads in (left, right))
    return float(functional.cosine_similarity(a, b, dim=0))


def randomise(model: Any) -> None:
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.1)


def a_batch(folder: Path) -> Batch:
    tokenizer = load_tokenizer(str(folder))
    return Collator(tokenizer.pad_token_id)(rows_of(tokenizer, PAIRS[:4]))


@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize("unpack", [False, True], ids=["packed-layers", "unpacked"])
def test_nf4_gradients_are_right_before_and_after_an_eval_forward(
    models: dict[str, Path], family: str, unpack: bool
) -> None:
    """The trap: on AVX512-BF16 CPUs bitsandbytes repacks at the first no-grad forward and gradients vanish."""
    folder = models[family]
    batch, recipe = a_batch(folder), Recipe(dropout=0.0, r=4, alpha=8)
    reference = lora_on(folder, recipe).float()
    model = lora_on(folder, recipe, unpack=unpack)
    randomise(reference)
    randomise(model)
    if unpack:
        assert install(model) is not None
    expected = gradients(reference, batch)
    assert cosine(gradients(model, batch), expected) > 0.99
    model.eval()
    with torch.no_grad():
        model(input_ids=batch["input_ids"])
    model.train()
    assert cosine(gradients(model, batch), expected) > 0.99
    heldout_loss(PeftTuned(model.get_base_model(), model), [batch])  # what a run does at the ends of epochs
    assert cosine(gradients(model, batch), expected) > 0.99


def test_unpacking_once_is_bit_equal_to_unpacking_at_every_step(tiny: Path) -> None:
    packed, _ = load_base(spec_of(tiny), training=True)
    dense, _ = load_base(spec_of(tiny), training=True)
    assert unpack_frozen(dense) == 14
    x = torch.randn(3, 64, dtype=torch.bfloat16)
    for (name, a), (_, b) in zip(packed.named_modules(), dense.named_modules(), strict=True):
        if name.endswith(("q_proj", "up_proj")):
            assert torch.equal(a(x), b(x))


def test_the_fused_forward_is_pefts_own(tiny: Path) -> None:
    batch = a_batch(tiny)
    recipe = Recipe(dropout=0.0, r=4, alpha=8)
    ours = lora_on(tiny, recipe).float()
    randomise(ours)
    theirs = copy.deepcopy(ours)
    assert install(ours) is not None
    with torch.no_grad():
        assert torch.allclose(ours(batch["input_ids"]).logits, theirs(batch["input_ids"]).logits, atol=1e-4)
    left, right = gradients(ours, batch), gradients(theirs, batch)
    assert cosine(left, right) > 0.99999
    for name, grad in left.items():
        assert torch.allclose(grad, right[name], atol=1e-4, rtol=1e-3), name


def test_dropout_drops_its_share_scales_the_rest_and_is_off_in_eval(tiny: Path) -> None:
    model = lora_on(tiny, Recipe(dropout=0.25))
    dropout = install(model)
    assert dropout is not None
    x = torch.ones(1, 400, 64)
    rows = x.reshape(-1, 64)
    dropped, keep = dropout(x, rows, True)
    assert keep is not None
    assert abs(float((dropped == 0).float().mean()) - 0.25) < 0.02
    assert abs(float(dropped.mean()) - 1.0) < 0.03
    assert dropout(x, rows, True)[0] is dropped  # layers that read the same input share the mask
    assert dropout(x, rows, False)[1] is None


def test_the_head_on_answers_alone_gives_the_loss_of_the_whole(tiny: Path) -> None:
    recipe = Recipe(method="lora", dropout=0.0)
    tuned, _ = load_for_training(spec_of(tiny, "fp32"), recipe, SYSTEM, longest=64, unpack=False)
    model: Any = tuned.model
    batch = a_batch(tiny)
    total, learned = answer_loss(tuned, batch)
    assert learned == learned_tokens([batch])
    everywhere = torch.ones_like(batch["labels"])
    full = model(input_ids=batch["input_ids"], attention_mask=everywhere, labels=batch["labels"]).loss
    assert float(total.detach()) / learned == pytest.approx(float(full.detach()), rel=1e-4)


# -- runs ------------------------------------------------------------------------------------------
class Recorder:
    """Takes events, and asks for a stop after a given step."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[Step] = []
        self.evaluated: list[Evaluated] = []
        self.notes: list[str] = []
        self.facts: Trained | None = None
        self._stop_after = stop_after

    def emit(self, event: Event) -> None:
        match event:
            case Step():
                self.steps.append(event)
            case Evaluated():
                self.evaluated.append(event)
            case Note(sentence):
                self.notes.append(sentence)

    def stop(self) -> bool:
        return self._stop_after is not None and bool(self.steps) and self.steps[-1].step >= self._stop_after


def train_tiny(
    folder: Path,
    files: JobFiles,
    monkeypatch: pytest.MonkeyPatch,
    stop_after: int | None = None,
    recorder: Recorder | None = None,
    heldout: int = 6,
    pairs: Sequence[JobPair] = PAIRS,
    **changes: Any,
) -> dict[str, torch.Tensor]:
    monkeypatch.setattr("finetune.train.monitor.REPORT_EVERY", 0.0)
    recipe = Recipe(**{"epochs": 2.0, "r": 4, "alpha": 8, **changes})
    recorder = recorder or Recorder(stop_after)
    renderer = Renderer(load_tokenizer(str(folder)), SYSTEM, recipe.max_length)
    data, cuts = learned_rows(files, pairs, renderer, objective_of(recipe))
    quantization = "bf16" if recipe.method in ("lora", "full") else "nf4"
    tuned, tokenizer = load_for_training(spec_of(folder, quantization), recipe, SYSTEM, longest=64, unpack=True)
    watched = Watched(list(data)[:heldout], PAIRS[: recipe.bleu_questions], SYSTEM)
    training = set_up(tuned, tokenizer, recipe, Material(data, watched, files, cuts), warm=False)
    recorder.facts = train(training, recorder.emit, recorder.stop)
    if not recipe.early_stopping:
        assert recorder.steps[-1].step == recorder.steps[-1].steps
    return load_file(files.adapter / "adapter_model.safetensors")


def files_in(path: Path) -> JobFiles:
    return JobFiles(make_own(path))


def test_a_run_that_was_interrupted_and_resumed_gives_the_weights_of_one_that_was_not(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_tiny(tiny, files_in(tmp_path / "whole"), monkeypatch)
    files = files_in(tmp_path / "cut")
    with pytest.raises(Interrupted):
        train_tiny(tiny, files, monkeypatch, stop_after=5)
    assert files.last_checkpoint() is not None
    assert not files.trained
    again = train_tiny(tiny, files, monkeypatch)
    assert files.trained
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_measuring_the_held_out_loss_leaves_no_trace_in_the_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    without = train_tiny(tiny, files_in(tmp_path / "without"), monkeypatch, heldout=0, dropout=0.05)
    measured = train_tiny(tiny, files_in(tmp_path / "measured"), monkeypatch, recorder=recorder, dropout=0.05)
    assert all(torch.equal(without[name], measured[name]) for name in without)
    assert [(event.step, event.examples) for event in recorder.evaluated] == [(4, 6), (8, 6)]
    assert recorder.evaluated[0].loss != recorder.evaluated[1].loss


def test_a_training_is_validated_a_few_times() -> None:
    for epochs in (0.3, 1.0, 3.0, 4.0, 7.5, 100.0):
        plan = Plan.of(Recipe(epochs=epochs), 40, warm=False)
        due = [step for step in range(plan.steps + 1) if plan.validates_after(step)]
        assert 1 <= len(due) <= TIMES + 1
        assert due[-1] == plan.steps
    plan = Plan.of(Recipe(evaluate_every=3, warm_epochs=1.0), 40, warm=True)
    assert [step for step in range(plan.steps + 1) if plan.validates_after(step)] == [3, 6, 9, 10]


def test_a_checkpoint_without_its_mark_is_not_resumed_from(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_in(tmp_path / "cut")
    with pytest.raises(Interrupted):
        train_tiny(tiny, files, monkeypatch, stop_after=5)
    checkpoint = files.last_checkpoint()
    assert checkpoint is not None
    shutil.copytree(checkpoint, checkpoint.with_name("checkpoint-99"))
    (checkpoint.with_name("checkpoint-99") / MARK).unlink()
    assert files.last_checkpoint() == checkpoint


def test_an_infinite_loss_is_a_failure_of_its_own(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "finetune.objectives.answers.functional.cross_entropy", lambda *a, **k: torch.tensor(float("nan"))
    )
    with pytest.raises(RunFailure) as failure:
        train_tiny(tiny, files_in(tmp_path / "nan"), monkeypatch)
    assert failure.value.kind == "diverged"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "out-of-memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out-of-memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "out-of-memory"),
        (OSError(28, "No space left on device"), "disk-full"),
        (
            RuntimeError("[enforce fail] . PytorchStreamWriter failed writing file: No space left on device"),
            "disk-full",
        ),
        (ValueError("x"), "failed"),
        (RunFailure("nothing-to-learn"), "nothing-to-learn"),
    ],
)
def test_failures_are_told_apart(error: BaseException, kind: str) -> None:
    assert kind_of(error) == kind


def test_warm_start_begins_with_the_published_weights(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = files_in(tmp_path / "first")
    trained = train_tiny(tiny, files, monkeypatch, epochs=1.0)
    tuned, _ = load_for_training(spec_of(tiny), Recipe(r=4, alpha=8), SYSTEM, longest=64, unpack=True)
    tuned.warm_start(files.adapter)
    state = {name.replace(".default", ""): p for name, p in tuned.model.named_parameters() if p.requires_grad}
    assert state.keys() == trained.keys()
    assert all(torch.equal(state[name].detach(), trained[name]) for name in trained)
