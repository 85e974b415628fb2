"""Every kind of adapter on every family: answers as its own reference says, is exact in batches and with reused
caches, and goes without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from bot.adapters import WEIGHTS_NAME
from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.kinds.bottleneck import Bottlenecks
from bot.kinds.full import save_all
from bot.render import render_pair
from bot.types import AdapterRef, Answer, BaseSpec, Decoding, EngineError, Prompt
from store.words import Version
from tests import tiny as makers

IDS = torch.arange(10, 40)[None]
SHORT = Decoding(max_new_tokens=12)
KINDS = ("lora", "prefix", "ptuning-v2", "prompt", "bottleneck", "full")


def dense(base: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)


def make(kind: str, base: Path, folder: Path) -> Path:
    """Write an adapter of *kind* with weights that change what the base says."""
    torch.manual_seed(3)
    if kind == "lora":
        return makers.make_adapter(base, folder)
    if kind == "bottleneck":
        detours = Bottlenecks.for_base(dense(base), size=8, activation="gelu")
        for parameter in detours.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        detours.save(folder, "base")
    elif kind == "full":
        model = dense(base)
        for parameter in model.parameters():
            parameter.data.add_(torch.randn_like(parameter), alpha=0.05)
        save_all(model, folder, "base")
    else:
        config = {
            "prefix": PrefixTuningConfig(num_virtual_tokens=5, prefix_projection=True, task_type="CAUSAL_LM"),
            "ptuning-v2": PrefixTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
            "prompt": PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"),
        }[kind]
        model = get_peft_model(dense(base), config)
        for parameter in model.parameters():
            if parameter.requires_grad:
                torch.nn.init.normal_(parameter, std=0.7)
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
    return folder


@torch.inference_mode()
def reference(kind: str, base: Path, folder: Path) -> torch.Tensor:
    """The logits by another way than serving's."""
    model = dense(base)
    out: torch.Tensor
    if kind == "bottleneck":
        Bottlenecks.read(folder).attach(model)
        out = model(input_ids=IDS).logits
    elif kind == "full":
        model.load_state_dict(load_file(folder / WEIGHTS_NAME), strict=False)
        out = model(input_ids=IDS).logits
    else:
        out = PeftModel.from_pretrained(model, folder).eval()(input_ids=IDS).logits
    return out[:, -IDS.shape[1] :]


@torch.inference_mode()
def logits(serving: ServingModel) -> torch.Tensor:
    cache, _ = serving.new_cache()
    out: torch.Tensor = serving.base(input_ids=IDS, past_key_values=cache).logits.float()
    return out


@pytest.fixture
def published(tmp_path: Path) -> Callable[..., AdapterRef]:
    def publish(kind: str, base: Path, version: str, quantization: str = "fp32") -> AdapterRef:
        folder = make(kind, base, tmp_path / version)
        makers.publish_adapter(folder, base, version, quantization)
        return AdapterRef(Version(version), str(folder))

    return publish


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_from_kind_to_kind_and_back_each_answers_as_itself(
    models: dict[str, Path], published: Callable[..., AdapterRef], family: str
) -> None:
    base = models[family]
    serving = ServingModel(BaseSpec(str(base), "fp32"))
    bare = logits(serving)
    refs = {kind: published(kind, base, f"v{number}") for number, kind in enumerate(KINDS, 1)}
    expected = {kind: reference(kind, base, Path(ref.folder)) for kind, ref in refs.items()}
    for kind in (*KINDS, *reversed(KINDS), "bottleneck", "lora", "full", "prompt"):
        makers.serve(serving, refs[kind])
        torch.testing.assert_close(logits(serving), expected[kind], rtol=1e-3, atol=1e-3, msg=kind)
        assert (expected[kind] - bare).abs().max() > 0.1
    makers.serve(serving, None)
    assert torch.equal(logits(serving), bare)


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_a_batch_and_a_reused_cache_say_what_single_answers_say(
    tiny: Path, published: Callable[..., AdapterRef], kind: str
) -> None:
    """The trap: under peft, soft prompts are wrong in batches padded on the left, and with caches of earlier turns."""
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    makers.serve(serving, published(kind, tiny, "v1"))
    generator = Generator(serving)
    history = (("Where is my order?", "In your account."), ("And the other one, of last week?", "It is on its way."))
    prompts = [Prompt("", history[:number], f"Thing {'and thing ' * number * 3}?") for number in range(3)]
    single = [generator.stream(prompt, SHORT, lambda _: None).text for prompt in prompts]
    batched: dict[int, Answer] = {}
    generator.batch(prompts, SHORT, lambda index, answer: batched.update({index: answer}))
    assert [batched[index].text for index in range(3)] == single
    key = (serving.serving, "one")
    asked = (prompts[0], prompts[0], prompts[1])
    reused = [generator.stream(prompt, SHORT, lambda _: None, key) for prompt in asked]
    assert [answer.text for answer in reused] == [single[0], single[0], single[1]]
    assert reused[1].reused_tokens > 5


@pytest.mark.parametrize("kind", ["base", "lora", "prompt"])
def test_likelihoods_are_those_of_a_plain_forward(tiny: Path, published: Callable[..., AdapterRef], kind: str) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "fp32"))
    if kind != "base":
        makers.serve(serving, published(kind, tiny, "v1"))
    texts = [(Prompt("", (), "Where?" + " now" * number), "In your account." + " Yes." * number) for number in range(3)]
    found = Generator(serving).likelihoods(texts)
    for (prompt, answer), value in zip(texts, found, strict=True):
        ids, learned = render_pair(serving.tokenizer, prompt, answer)
        with torch.inference_mode():
            out = serving.base(input_ids=torch.tensor([ids]), past_key_values=serving.new_cache()[0]).logits[0]
        each = [out[place - 1].log_softmax(-1)[ids[place]] for place in range(len(ids)) if learned[place]]
        assert value == pytest.approx(float(torch.stack(each).mean()), abs=1e-3)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "full"])
def test_each_kind_serves_on_a_4_bit_base(tiny: Path, published: Callable[..., AdapterRef], kind: str) -> None:
    serving = ServingModel(BaseSpec(str(tiny), "nf4"))
    logits(serving)  # packs the weights
    bare = logits(serving)
    makers.serve(serving, published(kind, tiny, "v1", "nf4"))
    assert (logits(serving) - bare).abs().max() > 0.1
    makers.serve(serving, None)
    assert torch.equal(logits(serving), bare)


def test_fresh_bottlenecks_change_nothing(models: dict[str, Path]) -> None:
    for base in models.values():
        model = dense(base)
        with torch.inference_mode():
            before = model(input_ids=IDS).logits
            Bottlenecks.for_base(model, size=8, activation="gelu").attach(model)
            assert torch.equal(model(input_ids=IDS).logits, before)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_another_shape_are_refused_and_what_answered_goes_on(
    models: dict[str, Path], published: Callable[..., AdapterRef], kind: str
) -> None:
    base = models["llama"]
    serving = ServingModel(BaseSpec(str(base), "fp32"))
    good = published("bottleneck", base, "v1")
    makers.serve(serving, good)
    before = logits(serving)
    bad = published(kind, base, "v2")
    path = Path(bad.folder) / WEIGHTS_NAME
    tensors = load_file(path)
    save_file({name: value[..., : value.shape[-1] // 2].contiguous() for name, value in tensors.items()}, path)
    makers.publish_adapter(Path(bad.folder), base, "v2")
    with pytest.raises(EngineError) as caught:
        makers.serve(serving, bad)
    assert caught.value.kind in ("adapter-damaged", "probe-failed")
    assert serving.versions == ("v1",)
    makers.serve(serving, good)
    assert torch.equal(logits(serving), before)
