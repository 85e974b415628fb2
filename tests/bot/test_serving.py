"""Versions on one base: each answers as peft says it does, none disturbs another, and none unfit is let in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from bot.adapters import WEIGHTS_NAME, read_manifest, write_manifest
from bot.engines.torch import fast_lora
from bot.engines.torch.serving import ServingModel
from bot.kinds.lora import LoraKind
from bot.types import AdapterRef, BaseSpec, EngineError, ProbeResult
from store.words import BASE, Version
from tests import tiny as makers

IDS = torch.arange(10, 40)[None]


@torch.inference_mode()
def logits(serving: ServingModel) -> torch.Tensor:
    out: torch.Tensor = serving.base(input_ids=IDS, use_cache=False).logits.float()
    return out


@pytest.fixture
def published(tmp_path: Path) -> Callable[..., AdapterRef]:
    """Makes a published adapter for a base."""

    def make(base: Path, version: str, quantization: str = "fp32", **shape: Any) -> AdapterRef:
        folder = makers.make_adapter(base, tmp_path / version, **shape)
        makers.publish_adapter(folder, base, version, quantization)
        return AdapterRef(Version(version), str(folder))

    return make


def republish(ref: AdapterRef, base: Path, probe: ProbeResult | None = None) -> None:
    makers.publish_adapter(Path(ref.folder), base, ref.version)
    if probe is not None:
        write_manifest(Path(ref.folder), replace(read_manifest(ref.folder), probe=probe))


def edit(ref: AdapterRef, base: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    path = Path(ref.folder) / WEIGHTS_NAME
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})
    republish(ref, base)


def refused(serving: ServingModel, ref: AdapterRef, kind: str) -> str:
    with pytest.raises(EngineError) as caught:
        serving.ready(ref)
    assert caught.value.kind == kind
    return caught.value.sentence


# -- each family, each quantization ----------------------------------------------------------------
@pytest.mark.parametrize("quantization", ["fp32", "nf4"])
@pytest.mark.parametrize("family", makers.FAMILIES)
def test_the_short_forward_says_what_pefts_own_does(
    models: dict[str, Path], published: Callable[..., AdapterRef], family: str, quantization: str
) -> None:
    base = models[family]
    serving = ServingModel(BaseSpec(str(base), quantization))  # type: ignore[arg-type]
    bare = logits(serving)
    makers.serve(serving, published(base, "v1", quantization))
    kind = serving._kinds["LORA"]
    assert isinstance(kind, LoraKind)
    assert kind._plain[Version("v1")]
    short = logits(serving)
    fast_lora.uninstall(serving.base)
    assert "forward" not in {name for module in serving.base.modules() for name in vars(module)}
    own = logits(serving)
    assert (own - bare).abs().max() > 0.5
    # bf16 rounds at other places: far below what the adapter changes, or nothing would hold.
    assert (short - own).abs().max() < (1e-4 if quantization == "fp32" else 0.05 * (own - bare).abs().max())


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_versions_and_base_do_not_disturb_each_other(
    models: dict[str, Path], published: Callable[..., AdapterRef], family: str
) -> None:
    base = models[family]
    serving = ServingModel(BaseSpec(str(base), "fp32"))
    refs = [published(base, "v1", seed=1), published(base, "v10", seed=2, r=8)]
    alone = {BASE: logits(serving)}
    for ref in refs:
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        with torch.inference_mode():
            alone[ref.version] = PeftModel.from_pretrained(model, ref.folder).eval()(input_ids=IDS).logits
    for step in (*refs, None, *reversed(refs), refs[0], None):
        makers.serve(serving, step)
        name = BASE if step is None else step.version
        assert serving.serving == name
        torch.testing.assert_close(logits(serving), alone[name], rtol=1e-4, atol=1e-4)
    assert serving.versions == ("v1", "v10")


# -- the same name again ---------------------------------------------------------------------------
def test_new_files_under_a_known_name_are_the_ones_that_answer(
    tiny: Path, published: Callable[..., AdapterRef]
) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    other = published(tiny, "v2", seed=5)
    makers.serve(serving, other)
    first = published(tiny, "v1", seed=1)
    makers.serve(serving, first)
    before = logits(serving)
    shutil.rmtree(first.folder)
    makers.serve(serving, published(tiny, "v1", seed=9, r=8))
    assert (logits(serving) - before).abs().max() > 0.5
    fresh = ServingModel(BaseSpec(str(tiny), "fp32"))
    makers.serve(fresh, first)
    torch.testing.assert_close(logits(serving), logits(fresh), rtol=1e-4, atol=1e-4)


def test_candidates_are_probed_one_after_the_other_each_for_itself(
    tiny: Path, tmp_path: Path, published: Callable[..., AdapterRef]
) -> None:
    """They share a name, and the layers of the version in use stay while they come and go."""
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    makers.serve(serving, published(tiny, "v1"))
    answers = logits(serving)
    one = serving.probe(str(makers.make_adapter(tiny, tmp_path / "one", seed=2)))
    two = serving.probe(str(makers.make_adapter(tiny, tmp_path / "two", seed=3)))
    assert one.values != two.values
    assert serving.probe(str(tmp_path / "one")).values == one.values
    assert serving.versions == ("v1",)
    serving.serve(Version("v1"))
    assert torch.equal(logits(serving), answers)


def test_a_probe_on_the_bare_base_leaves_the_bare_base(tiny: Path, tmp_path: Path) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    answers = logits(serving)
    result = serving.probe(str(makers.make_adapter(tiny, tmp_path / "one")))
    assert result.finite
    assert result.difference > 0.5
    assert torch.equal(logits(serving), answers)
    assert serving.versions == ()


def test_what_a_candidate_measured_is_what_it_is_held_to(
    tiny: Path, tmp_path: Path, published: Callable[..., AdapterRef]
) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    ref = published(tiny, "v1")
    measured = serving.probe(ref.folder)
    republish(ref, tiny, measured)
    assert serving.ready(ref).probe.values == pytest.approx(measured.values, abs=1e-3)


def test_an_adapter_that_is_not_plain_lora_answers_by_pefts_own_forward(
    tiny: Path, tmp_path: Path, published: Callable[..., AdapterRef]
) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    plain = published(tiny, "v1")
    makers.serve(serving, plain)
    expected = logits(serving)
    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    dora = get_peft_model(model, LoraConfig(r=4, use_dora=True, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in dora.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    with torch.inference_mode():
        own = dora.eval()(input_ids=IDS).logits
    dora.save_pretrained(tmp_path / "v2")
    makers.publish_adapter(tmp_path / "v2", tiny, "v2")
    makers.serve(serving, AdapterRef(Version("v2"), str(tmp_path / "v2")))
    torch.testing.assert_close(logits(serving), own, rtol=1e-3, atol=1e-3)
    makers.serve(serving, plain)
    assert torch.equal(logits(serving), expected)


# -- refusals --------------------------------------------------------------------------------------
@pytest.fixture
def busy(tiny: Path, published: Callable[..., AdapterRef]) -> ServingModel:
    """A model on which v1 answers."""
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    makers.serve(serving, published(tiny, "v1", seed=1))
    return serving


def drop_one(tensors: dict[str, torch.Tensor]) -> None:
    tensors.pop(sorted(tensors)[0])


def add_one(tensors: dict[str, torch.Tensor]) -> None:
    tensors["base_model.model.model.layers.77.mlp.up_proj.lora_A.weight"] = torch.zeros(4, 64)


def resize(tensors: dict[str, torch.Tensor]) -> None:
    for name in tensors:
        tensors[name] = torch.ones(3, 3)


def not_a_number(tensors: dict[str, torch.Tensor]) -> None:
    next(iter(tensors.values()))[0, 0] = torch.nan


def nothing(tensors: dict[str, torch.Tensor]) -> None:
    for name in tensors:
        tensors[name] = torch.zeros_like(tensors[name])


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        (drop_one, "adapter-damaged", "do not fit"),
        (add_one, "adapter-damaged", "do not fit"),
        (resize, "adapter-damaged", "do not fit"),
        (not_a_number, "probe-failed", "NaN"),
        (nothing, "probe-failed", "does not change"),
    ],
)
@pytest.mark.parametrize("on_base", [False, True])
def test_an_unfit_adapter_is_refused_and_what_answered_still_answers(
    busy: ServingModel,
    tiny: Path,
    published: Callable[..., AdapterRef],
    change: Callable[[dict[str, torch.Tensor]], None],
    kind: str,
    word: str,
    on_base: bool,
) -> None:
    if on_base:
        busy = ServingModel(BaseSpec(str(tiny), "fp32"))
    before = logits(busy)
    version, versions = busy.serving, busy.versions
    ref = published(tiny, "v2", seed=2)
    edit(ref, tiny, change)
    assert word in refused(busy, ref, kind)
    assert busy.versions == versions
    busy.serve(version)
    assert torch.equal(logits(busy), before)
    shutil.rmtree(ref.folder)
    makers.serve(busy, published(tiny, "v2", seed=2))  # and mended it is taken
    assert busy.serving == "v2"


@pytest.mark.parametrize(
    "error", [KeyError("weight"), RuntimeError("size mismatch"), ZeroDivisionError(), AssertionError()]
)
def test_what_a_library_never_foresaw_is_the_adapters_fault_and_what_answered_still_answers(
    busy: ServingModel,
    tiny: Path,
    published: Callable[..., AdapterRef],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    before, ref = logits(busy), published(tiny, "v2", seed=2)

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("bot.engines.torch.serving.ServingModel._measure", fail)
        assert "v2 can't be put on this base" in refused(busy, ref, "adapter-damaged")
    busy.serve(Version("v1"))
    assert torch.equal(logits(busy), before)


def test_want_of_memory_is_not_the_adapters_fault(
    busy: ServingModel, tiny: Path, published: Callable[..., AdapterRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patched:
        patched.setattr("bot.engines.torch.serving.ServingModel._measure", fail)
        with pytest.raises(RuntimeError, match="allocate memory"):
            makers.serve(busy, published(tiny, "v2", seed=2))
    assert busy.versions == ("v1",)


def test_an_adapter_that_answers_otherwise_than_when_published_is_refused(
    busy: ServingModel, tiny: Path, published: Callable[..., AdapterRef]
) -> None:
    before = logits(busy)
    ref = published(tiny, "v2", seed=2)
    measured = busy.probe(ref.folder)
    republish(ref, tiny, replace(measured, values=tuple(v + 5 for v in measured.values)))
    assert "not answer as it did" in refused(busy, ref, "probe-failed")
    republish(ref, tiny, replace(measured, values=measured.values[:-1]))
    refused(busy, ref, "probe-failed")
    busy.serve(Version("v1"))
    assert torch.equal(logits(busy), before)


def test_a_damaged_folder_or_another_base_is_refused_before_anything_is_loaded(
    busy: ServingModel, tiny: Path, published: Callable[..., AdapterRef]
) -> None:
    ref = published(tiny, "v2", "nf4")
    refused(busy, ref, "base-changed")
    (Path(ref.folder) / WEIGHTS_NAME).write_bytes(b"x")
    refused(busy, ref, "adapter-damaged")
    assert busy.versions == ("v1",)


def test_a_name_that_peft_would_choke_on_is_refused(busy: ServingModel, published: Any, tiny: Path) -> None:
    ref = published(tiny, "v2.1")
    refused(busy, ref, "bad-request")
    assert busy.versions == ("v1",)
