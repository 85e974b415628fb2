"""Tiny random models with a tokenizer of their own, made in a second, offline: for logic, not for quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.words import BASE

if TYPE_CHECKING:
    from bot.engines.torch.serving import ServingModel
    from bot.types import AdapterRef, Readiness

FAMILIES = ("llama", "qwen2", "gpt_neox")
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# As Qwen3 has it: it thinks aloud unless told not to.
THINKING = TEMPLATE.replace(
    "assistant\n' }}{% endif %}",
    "assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}"
    "{% endif %}{% endif %}",
)
# As Llama 3.1 has it: the day is told in every prompt.
DATED = "{{ '<|im_start|>system\nToday: ' + strftime_now('%d %b %Y') + '<|im_end|>\n' }}" + TEMPLATE
TEXT = [
    "Hello, where is my order? You can track your order in your account.",
    "How do I return an item? Send it back within thirty days.",
    "我想退货，请问怎么办？您可以在三十天内退货。",
]


def make(
    folder: Path, family: str = "llama", *, template: bool | str = True, seed: int = 0, tokenizer: Any = None
) -> Path:
    """Write a model of *family* into *folder*: two layers, 64 wide (what 4-bit blocks need), random weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tokenizer or make_tokenizer(template)
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.eos_token_id,
    }
    if family != "gpt_neox":
        shape["num_key_value_heads"] = 2
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **shape), dtype=torch.bfloat16)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            # Wider than the usual init: answers that differ from prompt to prompt, not one token for ever.
            torch.nn.init.normal_(parameter, std=0.4 if "embed" in name else 0.15)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer(template: bool | str = True, *, marked: bool = True, bos: bool = False) -> Any:
    """A byte-level BPE tokenizer of some 400 tokens, whose padding token is its end of turn, as in the starter.

    *marked* False: the tokens around turns are added ones that nobody calls special, and the end of text is another
    one. *bos*: the tokenizer puts a token before every text, as Gemma's does."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    turns = ["<|im_start|>", "<|im_end|>"]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=turns if marked else ["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(TEXT, trainer)
    end = "<|im_end|>" if marked else "<|endoftext|>"
    if not marked:
        raw.add_tokens([AddedToken(token, special=False, normalized=False) for token in turns])
    if bos:
        raw.post_processor = processors.TemplateProcessing("<|im_start|> $A", special_tokens=[("<|im_start|>", 0)])
    more = {"additional_special_tokens": ["<|im_start|>"]} if marked else {}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=end, pad_token=end, **more)
    if template:
        tokenizer.chat_template = TEMPLATE if template is True else template
    return tokenizer


def make_adapter(base: Path, folder: Path, *, seed: int = 1, scale: float = 0.3, r: int = 4) -> Path:
    """Write a LoRA adapter with random weights, so that it changes what the base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(seed)
    peft = get_peft_model(model, LoraConfig(r=r, lora_alpha=2 * r, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, parameter in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=scale)
    peft.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    return folder


def publish_adapter(folder: Path, base: Path, version: str, quantization: str = "fp32") -> Path:
    """Give an adapter's folder the manifest that makes it a version."""
    from bot.adapters import Manifest, sha256_of, write_manifest
    from bot.bases.base import fingerprint
    from bot.types import BaseSpec

    files = {path.name: sha256_of(path) for path in folder.iterdir() if path.name != "manifest.json"}
    mark = fingerprint(BaseSpec(str(base), quantization))  # type: ignore[arg-type]
    write_manifest(folder, Manifest(version, mark, "lora", "2026-01-01T00:00:00.000Z", files))
    return folder


def serve(serving: ServingModel, adapter: AdapterRef | None) -> Readiness | None:
    """Let *adapter* (None: the bare base) answer in *serving*, as an engine would for a request that names it."""
    readiness = None if adapter is None else serving.ready(adapter)
    serving.serve(BASE if adapter is None else adapter.version)
    return readiness
