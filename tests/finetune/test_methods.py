"""Every method on tiny models of every family: right gradients on a 4-bit base, weights that survive a stop, and served
as they were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModelForCausalLM

from bot.adapters import WEIGHTS_NAME
from bot.engines.torch.serving import ServingModel
from bot.kinds.bottleneck import Bottlenecks
from bot.types import AdapterRef
from finetune.failures import RunFailure
from finetune.methods import METHODS, Tuned
from finetune.objectives.answers import IGNORED
from finetune.recipe import Recipe
from finetune.recipe_values import PRESETS, recipe_of
from finetune.train.fit import Interrupted
from finetune.train.setup import load_for_training
from store.words import Version
from tests import tiny as makers
from tests.finetune.test_training import SYSTEM, a_batch, cosine, files_in, spec_of, train_tiny

LIGHT = [method for method in METHODS if method not in ("lora", "full")]  # those that train on a 4-bit base
SMALL: dict[str, Any] = {"r": 4, "alpha": 8, "dropout": 0.0, "virtual_tokens": 5, "adapter_size": 8}


def tuned_on(folder: Path, quantization: str = "nf4", *, unpack: bool = False, **values: Any) -> Tuned:
    recipe = Recipe(**{**SMALL, **values})
    return load_for_training(spec_of(folder, quantization), recipe, SYSTEM, longest=64, unpack=unpack)[0]


def randomise(tuned: Tuned) -> None:
    """Weights at which every gradient is there: a LoRA matrix of zeros would hide the other."""
    torch.manual_seed(7)
    for parameter in tuned.model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.05)


def gradients(tuned: Tuned, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    tuned.model.zero_grad()
    hidden = tuned.hidden(batch["input_ids"])
    logits = tuned.base.get_output_embeddings()(hidden[:, :-1]).float()
    targets = batch["labels"][:, 1:]
    functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED).backward()
    return {n: p.grad.float().clone() for n, p in tuned.model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize("method", LIGHT)
def test_gradients_on_a_4_bit_base_are_those_on_the_dense_one(
    models: dict[str, Path], family: str, method: str
) -> None:
    """The trap: after a no-grad forward bitsandbytes takes a path without gradients."""
    folder = models[family]
    batch = a_batch(folder)
    reference, tuned = tuned_on(folder, unpack=True, method=method), tuned_on(folder, method=method)
    reference.base.float()
    randomise(reference)
    randomise(tuned)
    expected = gradients(reference, batch)
    assert expected
    assert cosine(gradients(tuned, batch), expected) > 0.98
    tuned.base.eval()
    with torch.no_grad():
        tuned.hidden(batch["input_ids"])
    assert cosine(gradients(tuned, batch), expected) > 0.98


@pytest.mark.parametrize("method", [method for method in METHODS if method != "qlora"])
def test_a_stop_and_a_resume_give_the_weights_of_a_whole_run(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    values = {**SMALL, "method": method, "learning_rate": 1e-3, "dropout": 0.05}
    whole = train_tiny(tiny, files_in(tmp_path / "whole"), monkeypatch, **values)
    files = files_in(tmp_path / "cut")
    with pytest.raises(Interrupted):
        train_tiny(tiny, files, monkeypatch, stop_after=3, **values)
    resumed = train_tiny(tiny, files, monkeypatch, **values)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("family", makers.FAMILIES)
@pytest.mark.parametrize("method", [*LIGHT, "full"])
def test_what_was_trained_is_what_is_served(models: dict[str, Path], tmp_path: Path, family: str, method: str) -> None:
    folder = models[family]
    quantization = "bf16" if method == "full" else "nf4"
    tuned = tuned_on(folder, quantization, unpack=True, method=method)
    tuned.save(tmp_path / "fresh")
    torch.manual_seed(1)
    for parameter in tuned.model.parameters():
        if parameter.requires_grad:
            parameter.data.add_(torch.randn_like(parameter), alpha=0.1)
    tuned.save(tmp_path / "v1")
    makers.publish_adapter(tmp_path / "v1", folder, "v1", quantization)
    ids = a_batch(folder)["input_ids"][:1, :20]
    with torch.no_grad():
        trained = tuned.base.get_output_embeddings()(tuned.hidden(ids).to(torch.bfloat16)).float()
    serving = ServingModel(spec_of(folder, quantization))
    with torch.inference_mode():
        bare = serving.base(input_ids=ids).logits.float()
        makers.serve(serving, AdapterRef(Version("v1"), str(tmp_path / "v1")))
        served = serving.base(input_ids=ids, past_key_values=serving.new_cache()[0]).logits.float()
    changed = (trained - bare).abs().max()
    assert changed > 0.1
    assert (trained - served).abs().max() < 0.15 * changed  # bf16 on packed and on unpacked weights


@pytest.mark.parametrize("method", [method for method in METHODS if method != "prefix"])
def test_a_warm_start_begins_with_the_published_weights(tiny: Path, tmp_path: Path, method: str) -> None:
    quantization = "bf16" if method in ("full", "lora") else "nf4"
    first = tuned_on(tiny, quantization, method=method)
    randomise(first)
    first.save(tmp_path / "v1")
    second = tuned_on(tiny, quantization, method=method, seed=5)
    second.warm_start(tmp_path / "v1")
    learned = {name: value for name, value in second.model.named_parameters() if value.requires_grad}
    assert learned
    for name, value in first.model.named_parameters():
        if name in learned:
            assert torch.equal(learned[name].to(value.dtype), value), name
    other = tuned_on(tiny, method="adapter" if method != "adapter" else "ptuning-v2")
    with pytest.raises(RunFailure):
        other.warm_start(tmp_path / "v1")


def test_a_prefix_never_goes_on_from_another() -> None:
    """The trap: the network that made a published prefix is gone; peft raises."""
    recipe = Recipe(method="prefix")
    assert not recipe.can_go_on_from(recipe.to_dict())
    assert Recipe(method="ptuning-v2").can_go_on_from(Recipe(method="ptuning-v2").to_dict())
    assert not Recipe(method="ptuning-v2", virtual_tokens=9).can_go_on_from(Recipe(method="ptuning-v2").to_dict())


def test_ranks_of_single_layers_are_in_the_saved_weights(tiny: Path, tmp_path: Path) -> None:
    tuned = tuned_on(tiny, target_modules="q_proj,v_proj", ranks="q_proj=6:12,v_proj=2")
    tuned.save(tmp_path)
    ranks = {
        ("q" if "q_proj" in n else "v"): v.shape[0] for n, v in load_file(tmp_path / WEIGHTS_NAME).items() if "A" in n
    }
    assert ranks == {"q": 6, "v": 2}


@pytest.mark.parametrize(
    "option", [{"rslora": True}, {"dora": True}, {"bias": "lora"}, {"lora_plus": 8.0}, {"ranks": "q_proj=2"}]
)
def test_every_option_of_lora_trains_and_loads_in_plain_peft(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: dict[str, Any]
) -> None:
    files = files_in(tmp_path / "run")
    plain = train_tiny(tiny, files_in(tmp_path / "plain"), monkeypatch, **SMALL)
    weights = train_tiny(tiny, files, monkeypatch, **{**SMALL, **option})
    same = [name for name in plain if name in weights and plain[name].shape == weights[name].shape]
    assert not all(torch.equal(plain[name], weights[name]) for name in same) or plain.keys() != weights.keys()
    base = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.bfloat16)
    PeftModel.from_pretrained(base, str(files.adapter))
    makers.publish_adapter(files.adapter, tiny, "v1", "nf4")


def test_a_base_without_known_layers_is_refused_by_adapters() -> None:
    with pytest.raises(ValueError, match="known name"):
        Bottlenecks.for_base(torch.nn.Linear(2, 2), 4, "gelu")


# -- options of training ---------------------------------------------------------------------------
def test_accumulated_batches_make_the_step_of_a_large_one(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trap: the mean of means weighs tokens of short batches more."""
    same = {**SMALL, "bucketing": False, "epochs": 1.0, "learning_rate": 1e-3, "method": "lora"}
    large = train_tiny(tiny, files_in(tmp_path / "a"), monkeypatch, **same, batch_size=8)
    small = train_tiny(tiny, files_in(tmp_path / "b"), monkeypatch, **same, batch_size=2, gradient_accumulation=4)
    moved = max(float(value.abs().max()) for name, value in large.items() if "lora_B" in name)
    assert moved > 1e-3
    for name, value in large.items():
        assert (value - small[name]).abs().max() < 0.05 * moved, name


@pytest.mark.parametrize("method", ["qlora", "lora", "adapter"])
def test_computing_activations_again_changes_no_gradient(tiny: Path, method: str) -> None:
    quantization = "bf16" if method == "lora" else "nf4"
    batch = a_batch(tiny)
    plain = tuned_on(tiny, quantization, method=method)
    again = tuned_on(tiny, quantization, method=method, checkpointing=True)
    randomise(plain)
    randomise(again)
    assert again.base.is_gradient_checkpointing
    assert cosine(gradients(again, batch), gradients(plain, batch)) > 0.999


def test_what_needs_a_gpu_is_refused_without_one(tiny: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    wishes: tuple[dict[str, Any], ...] = ({"precision": "fp16"}, {"optimizer": "adamw_8bit"})
    for wish in wishes:
        with pytest.raises(RunFailure) as caught:
            tuned_on(tiny, **wish)
        assert caught.value.kind == "needs-gpu"


def test_the_presets_are_the_articles_settings() -> None:
    article = recipe_of(PRESETS["article"])
    assert (article.r, article.alpha, article.dropout, article.learning_rate, article.epochs) == (16, 32, 0.05, 1e-3, 5)
    assert article.batch_size * article.gradient_accumulation == 16
    assert article.targets == "qkvo"
    assert (recipe_of(PRESETS["article-7b"]).r, recipe_of(PRESETS["article-7b"]).targets) == (32, "all-linear")
