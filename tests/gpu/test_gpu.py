"""What only a GPU can show; `make gpu` runs it, and everywhere else it is skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState
from datasets import Dataset

from bot.bases.base import load_base, load_tokenizer
from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.types import FAITHFUL, AdapterRef, Answer, Prompt
from finetune.failures import RunFailure
from finetune.files import JobFiles
from finetune.methods import METHODS, Tuned
from finetune.recipe import Recipe
from finetune.train.frozen import unpack_frozen
from finetune.train.setup import Material, load_for_training, set_up
from finetune.train.training import train
from finetune.train.validate import Watched
from store.words import Version
from tests import tiny as makers
from tests.finetune.test_methods import LIGHT, SMALL, gradients, randomise
from tests.finetune.test_training import PAIRS, SYSTEM, Recorder, a_batch, cosine, files_in, rows_of, spec_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that torch can use")


def on_gpu(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.cuda() for name, value in batch.items()}


def dequantized(folder: Path, recipe: Recipe) -> Tuned:
    """The method on the same weights, unpacked and in fp32."""
    base, tokenizer = load_base(spec_of(folder), training=True)
    assert unpack_frozen(base)
    torch.manual_seed(recipe.seed)
    return METHODS[recipe.method](base.float(), tokenizer, recipe, SYSTEM)


def train_on_gpu(folder: Path, files: JobFiles, recorder: Recorder, **changes: Any) -> Tuned:
    AcceleratorState._reset_state(reset_partial_state=True)  # a process has one precision; these tests share one
    recipe = Recipe(**{"epochs": 2.0, **SMALL, **changes})
    data = Dataset.from_list(rows_of(load_tokenizer(str(folder)), PAIRS))
    quantization = "bf16" if recipe.method in ("lora", "full") else "nf4"
    tuned, tokenizer = load_for_training(spec_of(folder, quantization), recipe, SYSTEM, longest=64, unpack=False)
    watched = Watched(list(data)[:4], PAIRS[: recipe.bleu_questions], SYSTEM)
    training = set_up(tuned, tokenizer, recipe, Material(data, watched, files), warm=False)
    train(training, recorder.emit, lambda: False)
    return tuned


@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize("method", LIGHT)
def test_gradients_on_a_4_bit_base_are_those_on_the_dense_one(
    models: dict[str, Path], family: str, method: str
) -> None:
    recipe = Recipe(**{**SMALL, "method": method})
    tuned, _ = load_for_training(spec_of(models[family]), recipe, SYSTEM, longest=64, unpack=False)
    reference = dequantized(models[family], recipe)
    assert tuned.base.device.type == "cuda"
    randomise(tuned)
    randomise(reference)
    batch = on_gpu(a_batch(models[family]))
    expected = gradients(reference, batch)
    assert cosine(gradients(tuned, batch), expected) > 0.98
    tuned.base.eval()
    with torch.no_grad():
        tuned.hidden(batch["input_ids"])
    assert cosine(gradients(tuned, batch), expected) > 0.98


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_serves(tiny: Path, tmp_path: Path, method: str) -> None:
    recorder = Recorder()
    files = files_in(tmp_path / "run")
    train_on_gpu(tiny, files, recorder, method=method, evaluate_every=2, bleu_questions=2)
    assert all(step.loss is not None and step.loss > 0 for step in recorder.steps)
    quantization = "bf16" if method in ("lora", "full") else "nf4"
    makers.publish_adapter(files.adapter, tiny, "v1", quantization)
    serving = ServingModel(spec_of(tiny, quantization))
    makers.serve(serving, AdapterRef(Version("v1"), str(files.adapter)))
    answers: list[Answer] = []
    Generator(serving).batch([Prompt(SYSTEM, (), "Question 1?")], FAITHFUL, lambda _, answer: answers.append(answer))
    assert answers[0].new_tokens > 0


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("optimizer", ["adamw", "adamw_8bit", "paged_adamw_8bit"])
def test_precisions_and_optimizers_of_a_gpu(tiny: Path, tmp_path: Path, precision: str, optimizer: str) -> None:
    recorder = Recorder()
    values = {"precision": precision, "optimizer": optimizer, "learning_rate": 5e-3, "epochs": 6.0}
    train_on_gpu(tiny, files_in(tmp_path / "run"), recorder, **values)
    assert recorder.evaluated[-1].loss < recorder.evaluated[0].loss


def test_too_large_a_batch_is_out_of_memory_and_nothing_else(tiny: Path, tmp_path: Path) -> None:
    torch.cuda.set_per_process_memory_fraction(1e-4)
    try:
        with pytest.raises((torch.OutOfMemoryError, RunFailure)) as failure:
            train_on_gpu(tiny, files_in(tmp_path / "run"), Recorder(), batch_size=14)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    from finetune.failures import kind_of

    assert kind_of(failure.value) == "out-of-memory"
