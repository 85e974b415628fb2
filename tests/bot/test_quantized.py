"""The quantized copy beside a base: it saves time, and is otherwise as if it were not there."""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit

from bot.bases import base as base_module
from bot.bases import quantized
from bot.bases.base import fingerprint, load_base
from bot.types import BaseSpec
from tests import tiny as makers


@pytest.fixture
def own(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model in which nothing was quantized yet."""
    return shutil.copytree(tiny, tmp_path / "own", ignore=shutil.ignore_patterns(quantized.FOLDER))


def load(folder: Path, **options: Any) -> Any:
    return load_base(BaseSpec(str(folder), "nf4"), **options)[0]


def copies(folder: Path) -> list[Path]:
    return sorted((folder / quantized.FOLDER).iterdir()) if (folder / quantized.FOLDER).exists() else []


def weights(model: Any) -> dict[str, torch.Tensor]:
    """Every weight as the forward sees it."""
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, Linear4bit):
            found[name] = dequantize_4bit(module.weight.data, module.weight.quant_state)
    dense = {name: p.data for name, p in model.named_parameters() if name.removesuffix(".weight") not in found}
    return found | dense


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that models are loaded from."""
    seen: list[Path] = []
    real = base_module._load

    def spy(folder: Path | str, options: dict[str, Any]) -> Any:
        seen.append(Path(folder))
        return real(folder, options)

    monkeypatch.setattr(base_module, "_load", spy)
    return seen


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_the_copy_holds_bit_for_bit_what_quantizing_gives(
    models: dict[str, Path], tmp_path: Path, loads: list[Path], family: str
) -> None:
    own = shutil.copytree(models[family], tmp_path / "own", ignore=shutil.ignore_patterns(quantized.FOLDER))
    mark = fingerprint(BaseSpec(str(own), "nf4"))
    fresh = load(own)
    (copy,) = copies(own)
    again = load(own)
    assert loads == [own, copy]
    expected, found = weights(fresh), weights(again)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    layers = [(a, b) for a, b in zip(fresh.modules(), again.modules(), strict=True) if isinstance(a, Linear4bit)]
    assert layers
    for one, other in layers:
        assert torch.equal(one.weight.data, other.weight.data)
        assert other.compute_dtype == one.compute_dtype == torch.bfloat16
    ids = torch.arange(10, 30)[None]
    with torch.inference_mode():
        assert torch.equal(fresh(input_ids=ids).logits, again(input_ids=ids).logits)
    assert fingerprint(BaseSpec(str(own), "nf4")) == mark
    assert again.config._name_or_path == str(own)


def test_training_loads_the_same_copy_unpacked(own: Path, loads: list[Path]) -> None:
    load(own)
    model = load(own, training=True)
    assert loads[1] == copies(own)[0]
    assert not any(m.support_avx512bf16_for_cpu for m in model.modules() if isinstance(m, Linear4bit))
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_dense_bases_have_no_copy(own: Path) -> None:
    load_base(BaseSpec(str(own), "bf16"))
    assert copies(own) == []


@pytest.mark.parametrize("harm", ["changed", "missing", "added", "unsealed"])
def test_a_copy_that_is_not_as_it_was_written_is_made_again(own: Path, loads: list[Path], harm: str) -> None:
    load(own)
    (copy,) = copies(own)
    if harm == "changed":
        raw = bytearray((copy / "model.safetensors").read_bytes())
        raw[-1] ^= 1
        (copy / "model.safetensors").write_bytes(raw)
    elif harm == "added":
        (copy / "pytorch_model.bin").write_bytes(b"x")
    else:
        (copy / ("config.json" if harm == "missing" else quantized.SEAL)).unlink()
    load(own)
    assert loads == [own, own]
    assert quantized.is_whole(copy)
    load(own)
    assert loads[-1] == copy


def test_other_weights_or_another_bitsandbytes_get_a_copy_of_their_own(
    own: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load(own)
    (first,) = copies(own)
    makers.make(own, "llama", seed=8)
    load(own)
    (second,) = copies(own)
    assert second != first
    real = importlib.metadata.version
    monkeypatch.setattr("bot.bases.quantized.version", lambda name: "0.0" if name == "bitsandbytes" else real(name))
    load(own)
    assert copies(own) not in ([first], [second])
    assert loads == [own, own, own]


def test_a_folder_that_can_not_be_written_to_is_quantized_each_time(
    own: Path, loads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("store.owned.tempfile.mkdtemp", refuse)
    load(own)
    load(own)
    assert loads == [own, own]
    assert copies(own) == []


def test_a_disk_that_fills_up_leaves_nothing_behind(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(copy: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(quantized, "sha256_of", full)
    assert load(own) is not None
    assert copies(own) == []


def test_loading_draws_nothing_into_the_log(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load(own)
    load(own)
    assert "%|" not in capfd.readouterr().err
