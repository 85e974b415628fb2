"""What an adapter's own description may say, before any library sees it: known keys with known values, no others.

An adapter may have passed through other hands (a restore, a copied folder), and peft does what a configuration asks
for: an ``init_lora_weights`` other than the usual one changes the base in memory, a pattern is matched as a regular
expression against every layer, an ``auto_mapping`` imports code. Needs no torch.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG_NAME = "adapter_config.json"
_LONGEST = 2**20  # bytes; a LoRA with a rank of its own for every layer of a large base takes a tenth of it
_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_MAX_NAMES = 4096
_MAX_RANK = 1024
_MAX_VIRTUAL = 4096
_MAX_SIZE = 2**20

Rule = Callable[[Any], bool]


class ConfigRefused(ValueError):
    """A description that is not taken; the message says what is wrong with it."""


def _one_of(*values: object) -> Rule:
    return lambda value: any(value == known and type(value) is type(known) for known in values)


def _whole(low: int, high: int) -> Rule:
    return lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> Rule:
    return lambda value: type(value) in (int, float) and math.isfinite(value) and low <= value <= high


def _or_none(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def _name(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 200 and _NAME.fullmatch(value) is not None


def _names(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= _MAX_NAMES and all(_name(item) for item in value)


def _by_name(rule: Rule) -> Rule:
    return lambda value: (
        isinstance(value, dict)
        and len(value) <= _MAX_NAMES
        and all(_name(key) and rule(item) for key, item in value.items())
    )


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 100_000


_FLAG: Rule = _one_of(True, False)
_COMMON: dict[str, Rule] = {
    "peft_type": _text,
    "task_type": _one_of("CAUSAL_LM", None),
    "base_model_name_or_path": _or_none(_text),  # whence it came; nothing is loaded from there
    "peft_version": _or_none(_text),
    "inference_mode": _FLAG,
}
_LORA: dict[str, Rule] = {
    "r": _whole(1, _MAX_RANK),
    "lora_alpha": _number(0.001, 2**16),
    "lora_dropout": _number(0, 0.999),
    "target_modules": lambda value: _names(value) or _name(value) or value == "all-linear",
    "rank_pattern": _by_name(_whole(1, _MAX_RANK)),
    "alpha_pattern": _by_name(_number(0.001, 2**16)),
    "fan_in_fan_out": _FLAG,
    "bias": _one_of("none"),  # a trained bias of the base would stay behind after a rollback
    "lora_bias": _FLAG,
    "use_rslora": _FLAG,
    "use_dora": _FLAG,
    "init_lora_weights": _one_of(True),
    "megatron_core": _one_of("megatron.core", None),  # what peft writes where there is none
    "qalora_group_size": _whole(1, _MAX_RANK),  # without use_qalora it means nothing
}
_PROMPT: dict[str, Rule] = {
    "num_virtual_tokens": _whole(1, _MAX_VIRTUAL),
    "token_dim": _or_none(_whole(1, _MAX_SIZE)),
    "num_transformer_submodules": _or_none(_one_of(1)),
    "num_attention_heads": _or_none(_whole(1, _MAX_SIZE)),
    "num_layers": _or_none(_whole(1, _MAX_SIZE)),
}
_PREFIX: dict[str, Rule] = {
    "encoder_hidden_size": _or_none(_whole(1, _MAX_SIZE)),
    "prefix_projection": _FLAG,
    "init_weights": _or_none(_one_of("zero")),
}
_SOFT_PROMPT: dict[str, Rule] = {
    "prompt_tuning_init": _one_of("TEXT", "RANDOM", "SAMPLE_VOCAB"),
    "prompt_tuning_init_text": _or_none(_text),  # how it began; nothing is made of it again
    "tokenizer_name_or_path": _or_none(_text),
}
_BOTTLENECK: dict[str, Rule] = {
    "size": _whole(1, _MAX_SIZE),
    "activation": _one_of("gelu", "relu", "silu", "tanh"),
    "places": _by_name(_whole(1, _MAX_SIZE)),
}
_KINDS: dict[str, dict[str, Rule]] = {
    "LORA": _LORA,
    "PREFIX_TUNING": _PROMPT | _PREFIX,
    "PROMPT_TUNING": _PROMPT | _SOFT_PROMPT,
    "BOTTLENECK": _BOTTLENECK,
    "FULL": {},
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "LORA": ("r", "lora_alpha", "target_modules"),
    "PREFIX_TUNING": ("num_virtual_tokens",),
    "PROMPT_TUNING": ("num_virtual_tokens",),
    "BOTTLENECK": ("size", "activation", "places"),
    "FULL": (),
}


def read_checked(folder: Path) -> dict[str, Any]:
    """The description of the adapter in *folder*, every key and value of it one that deskloop's own adapters have. Keys
    that are not known may be there as long as they ask for nothing: null, false, an empty list or table.

    Raises :class:`ConfigRefused`, and :class:`OSError` if it can't be read."""
    with (folder / CONFIG_NAME).open("rb") as file:
        raw = file.read(_LONGEST + 1)
    if len(raw) > _LONGEST:
        raise ConfigRefused(f"{CONFIG_NAME} is longer than {_LONGEST // 1024} KiB")
    try:
        config = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ConfigRefused(f"{CONFIG_NAME} can't be read") from error
    if not isinstance(config, dict):
        raise ConfigRefused(f"{CONFIG_NAME} is no table")
    check(config)
    return config


def check(config: dict[str, Any]) -> None:
    """Raise :class:`ConfigRefused` unless *config* describes an adapter as deskloop makes them."""
    kind = config.get("peft_type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ConfigRefused(f"its kind {str(kind)[:60]} is not one that deskloop serves")
    rules = _COMMON | _KINDS[kind]
    for key, value in config.items():
        rule = rules.get(key)
        if rule is not None and not rule(value):
            raise ConfigRefused(f"{CONFIG_NAME} sets {key} to {json.dumps(value)[:60]}, which deskloop never does")
        if rule is None and not (value is None or value is False or value in ([], {})):
            raise ConfigRefused(f"{CONFIG_NAME} asks for {key[:60]}, which deskloop never does")
    if missing := [key for key in _NEEDED[kind] if key not in config]:
        raise ConfigRefused(f"{CONFIG_NAME} does not say {missing[0]}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table none of whose keys is there twice: readers differ in which one they take."""
    if len(found := dict(pairs)) != len(pairs):
        raise ConfigRefused(f"{CONFIG_NAME} says something twice")
    return found
