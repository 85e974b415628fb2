"""The base: what makes two of them the same, how it is held, and the trap of its gradients."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, get_peft_model

from bot.adapters import sha256_of
from bot.bases import base as base_module
from bot.bases.base import fingerprint, keep_unpacked, load_base, load_tokenizer
from bot.types import BaseSpec, EngineError


def spec_of(folder: Path, quantization: str = "nf4") -> BaseSpec:
    return BaseSpec(str(folder), quantization)  # type: ignore[arg-type]


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may change."""
    return shutil.copytree(tiny, tmp_path / "own")


# -- fingerprint -----------------------------------------------------------------------------------
def test_each_quantization_is_a_base_of_its_own(own: Path) -> None:
    assert len({fingerprint(spec_of(own, kind)) for kind in ("nf4", "bf16", "fp32")}) == 3


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "chat_template.jinja", "tokenizer.json"])
def test_weights_config_template_and_tokenizer_change_the_fingerprint(own: Path, name: str) -> None:
    before = fingerprint(spec_of(own))
    with (own / name).open("ab") as file:
        file.write(b" ")
    assert fingerprint(spec_of(own)) != before


def test_what_decides_nothing_changes_nothing(own: Path) -> None:
    before = fingerprint(spec_of(own))
    (own / "README.md").write_text("hello")
    (own / "model.gguf").write_bytes(b"x")
    assert fingerprint(spec_of(own)) == before


def test_the_renderer_is_a_part_of_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(spec_of(own))
    monkeypatch.setattr(base_module, "renderer_mark", lambda folder: "another")
    assert fingerprint(spec_of(own)) != before


def hashed_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are hashed from now on."""
    hashed: list[str] = []

    def hash_and_note(path: Path) -> str:
        hashed.append(path.name)
        return sha256_of(path)

    monkeypatch.setattr(base_module, "sha256_of", hash_and_note)
    return hashed


def test_files_are_hashed_once_until_they_change(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = hashed_files(monkeypatch)
    first = fingerprint(spec_of(own))
    assert "model.safetensors" in hashed
    hashed.clear()
    assert fingerprint(spec_of(own, "bf16")) != first
    assert hashed == []
    os.utime(own / "config.json", (1, 1))
    assert fingerprint(spec_of(own)) == first
    assert hashed == ["config.json"]


def test_a_folder_that_cannot_be_written_is_hashed_once_in_a_process(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed = hashed_files(monkeypatch)
    monkeypatch.setattr(base_module, "_write_cache", lambda path, kept: None)
    first = fingerprint(spec_of(own))
    hashed.clear()
    assert fingerprint(spec_of(own)) == first
    assert hashed == []


def test_a_spoilt_cache_of_hashes_only_costs_time(own: Path) -> None:
    before = fingerprint(spec_of(own))
    (own / base_module._HASHES).write_text("[")
    assert fingerprint(spec_of(own)) == before


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer.json"])
def test_an_incomplete_base_is_named_before_anything_heavy(own: Path, missing: str) -> None:
    (own / missing).unlink()
    with pytest.raises(EngineError) as caught:
        fingerprint(spec_of(own))
    assert caught.value.kind == "base-missing"
    assert "deskloop setup" in caught.value.sentence


# -- loading ---------------------------------------------------------------------------------------
def test_a_penalty_of_the_bases_own_generation_config_does_not_leak(own: Path) -> None:
    (own / "generation_config.json").write_text(json.dumps({"repetition_penalty": 9.0, "do_sample": True}))
    model, _ = load_base(spec_of(own, "fp32"))
    assert model.generation_config.repetition_penalty in (None, 1.0)
    assert not model.generation_config.do_sample


def test_the_base_is_frozen_in_eval_mode_and_computes_in_bf16(own: Path) -> None:
    model, tokenizer = load_base(spec_of(own))
    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 2 * 7
    assert {layer.compute_dtype for layer in layers} == {torch.bfloat16}
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert tokenizer.pad_token_id is not None


@pytest.mark.parametrize(("kind", "dtype"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_dense_bases_are_held_as_asked(own: Path, kind: str, dtype: torch.dtype) -> None:
    model, _ = load_base(spec_of(own, kind))
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}


def test_weights_that_are_no_weights_are_a_missing_base(own: Path) -> None:
    (own / "config.json").write_text('{"model_type": "nonesuch"}')
    with pytest.raises(EngineError) as caught:
        load_base(spec_of(own))
    assert caught.value.kind == "base-missing"


def test_a_tokenizer_without_padding_pads_with_its_end_of_turn(own: Path) -> None:
    config = json.loads((own / "tokenizer_config.json").read_text())
    config.pop("pad_token")
    (own / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load_tokenizer(str(own))
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


# -- the trap --------------------------------------------------------------------------------------
def trainable(model: Any) -> Any:
    torch.manual_seed(3)
    wrapped = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return wrapped


def gradients(model: Any) -> torch.Tensor:
    model.zero_grad()
    ids = torch.arange(10, 60).reshape(2, 25)
    model(input_ids=ids, labels=ids).loss.backward()
    return torch.cat([p.grad.float().flatten() for n, p in model.named_parameters() if "lora_" in n])


def dequantized(folder: Path) -> Any:
    """The same base with every NF4 weight written out: what the gradients ought to be."""
    packed, _ = load_base(spec_of(folder), training=True)
    dense, _ = load_base(spec_of(folder, "bf16"), training=True)
    for name, module in packed.named_modules():
        if isinstance(module, Linear4bit):
            weight = dequantize_4bit(module.weight.data, module.weight.quant_state)
            dense.get_submodule(name).weight.data = weight.to(torch.bfloat16)
    return dense


def test_trap_nf4_on_a_cpu_keeps_its_gradients_after_an_eval_forward(tiny: Path) -> None:
    expected = gradients(trainable(dequantized(tiny)))
    model, _ = load_base(spec_of(tiny), training=True)
    model = trainable(model)
    for _ in range(2):  # before and after
        assert torch.cosine_similarity(gradients(model), expected, dim=0) > 0.98
        model.eval()
        with torch.no_grad():
            model(input_ids=torch.arange(10, 30)[None])
        model.train()


def test_keep_unpacked_reaches_every_layer(tiny: Path) -> None:
    model, _ = load_base(spec_of(tiny))
    keep_unpacked(model)
    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    assert layers
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers)
