"""Base and version as one model: plain transformers loads it, it answers as the version does, or it is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from bot.adapters import sha256_of
from bot.bases.base import fingerprint
from bot.engines.torch.generate import Generator
from bot.engines.torch.serving import ServingModel
from bot.types import FAITHFUL, AdapterRef, BaseSpec, Prompt
from finetune.merging import NotMerged, export_merged, merge
from store.desk import Desk
from store.pairs import NewPair
from store.records import AdapterVersion
from store.versions import NewVersion
from store.words import Method, Version
from tests import tiny as makers

IDS = torch.arange(10, 40)[None]


@pytest.fixture
def desk(tmp_path: Path, tiny: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path / "home") as opened:
        opened.settings.set("faithful", {"max_new_tokens": 8}, "tester")
        opened.settings.set("system_message", "", "tester")
        yield opened


def published(desk: Desk, base: Path, spec: BaseSpec, method: Method = "qlora") -> AdapterVersion:
    folder = makers.make_adapter(base, desk.home.adapters / "v1", scale=0.2)
    makers.publish_adapter(folder, base, "v1", spec.quantization)
    return desk.versions.add(NewVersion(1, sha256_of(folder / "manifest.json"), fingerprint(spec), method, {}, None))


@pytest.mark.parametrize("quantization", ["nf4", "bf16"])
def test_the_merged_model_is_the_base_the_adapter_was_trained_on_and_the_adapter(
    tiny: Path, tmp_path: Path, quantization: str
) -> None:
    """The trap: merging into packed 4-bit weights destroys the adapter, and merging into the weights they were
    quantized from is another model."""
    spec = BaseSpec(str(tiny), quantization)  # type: ignore[arg-type]
    folder = makers.make_adapter(tiny, tmp_path / "v1")
    makers.publish_adapter(folder, tiny, "v1", quantization)
    serving = ServingModel(spec)
    with torch.inference_mode():
        bare = serving.base(input_ids=IDS).logits.float()
        makers.serve(serving, AdapterRef(Version("v1"), str(folder)))
        served = serving.base(input_ids=IDS).logits.float()
    merge(spec, folder, tmp_path / "whole")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")
    assert model.dtype == torch.bfloat16
    with torch.inference_mode():
        whole = model(input_ids=IDS).logits.float()
    assert (whole - served).abs().max() < 0.1 * (served - bare).abs().max()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "whole")
    assert tokenizer.chat_template == serving.tokenizer.chat_template
    assert tokenizer.eos_token_id in model.generation_config.eos_token_id


async def test_a_merged_version_is_judged_beside_itself(desk: Desk, tiny: Path, tmp_path: Path) -> None:
    spec = BaseSpec(str(tiny), "bf16")
    version = published(desk, tiny, spec, "lora")
    serving = ServingModel(spec)
    makers.serve(serving, AdapterRef(Version("v1"), str(desk.home.adapters / "v1")))
    generator = Generator(serving)
    for number in range(4):
        question = f"Where is {number}?"
        said = generator.stream(Prompt("", (), question), FAITHFUL, lambda _: None).text
        desk.pairs.add(NewPair(question, said or "nothing", split="heldout"), "import", "tester")
    report = await export_merged(desk, spec, version, tmp_path / "whole")
    assert report.verdict == "inconclusive"  # four pairs are too few to say more
    assert (tmp_path / "whole" / "model.safetensors").is_file()
    with pytest.raises(NotMerged, match="already exists"):
        await export_merged(desk, spec, version, tmp_path / "whole")


async def test_what_can_not_be_merged_is_said_and_leaves_nothing(desk: Desk, tiny: Path, tmp_path: Path) -> None:
    spec = BaseSpec(str(tiny), "nf4")
    version = published(desk, tiny, spec, "prefix")
    with pytest.raises(NotMerged, match="changes no weight"):
        await export_merged(desk, spec, version, tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"home"}  # noqa: ASYNC240
