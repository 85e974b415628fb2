"""Looking at a base before it is used: ``python -m bot.check FOLDER``. Prints sentences."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import psutil

from bot.child import TROUBLE, say
from bot.limits import serving_bytes, shape_of, training_bytes
from bot.render import default_system, end_of_turn, takes_system
from bot.types import EngineError, Quantization

FAMILIES = (
    "llama",
    "qwen2",
    "qwen3",
    "mistral",
    "gpt_neox",
)  # shapes that every method is tested on, or that equal one
GIB = 2**30


def findings(folder: Path) -> Iterator[str]:
    """What is worth knowing about the base in *folder*, a sentence each. Raises :class:`EngineError`, :class:`OSError`
    or :class:`ValueError` for files that can't be read."""
    from bot.base import load_tokenizer

    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    shape, family = shape_of(folder), str(config.get("model_type"))
    size = (shape.linear + shape.other) / 1e6
    known = "" if family in FAMILIES else " Methods are not tested on this shape: retrain once before you rely on it."
    yield f"A {family} of {size:.0f} million weights, {shape.layers} layers of {shape.hidden}.{known}"
    tokenizer = load_tokenizer(str(folder))
    yield from _talk(tokenizer)
    yield from _memory(folder)


def _talk(tokenizer: Any) -> Iterator[str]:
    end, last = tokenizer.convert_ids_to_tokens(end_of_turn(tokenizer)), tokenizer.eos_token
    if tokenizer.chat_template is None:
        lines = "It has no chat template: talks are plain lines, Customer: and Agent:,"
        yield f"{lines} and {end} ends an answer, or the next Customer: does."
        return
    also = "its end of text" if end == last else f"where a text ends with {last}; both stop it"
    yield f"It has a chat template, whose turns end with {end}, {also}."
    if not takes_system(tokenizer):
        yield "Its template has no place for a system message: the desk's goes before the first question."
    elif default_system(tokenizer):
        yield "Its template has a system message of its own, which the desk's takes the place of, also an empty one."


def _memory(folder: Path) -> Iterator[str]:
    needs = []
    for name in get_args(Quantization):
        answering, training = serving_bytes(folder, name) / GIB, training_bytes(folder, name) / GIB
        needs.append(f"{name} {answering:.1f} GiB to answer and {training:.1f} to train")
    memory = psutil.virtual_memory()
    yield f"It needs about, as {', as '.join(needs)}."
    yield f"Of this machine's {memory.total / GIB:.1f} GiB {memory.available / GIB:.1f} are free."
    if serving_bytes(folder, "nf4") > memory.available:
        yield "That is too little even for nf4: choose a smaller base, or close other programs."


def main() -> int:
    """Entry point."""
    try:
        for sentence in findings(Path(sys.argv[1])):
            say(sentence)
    except (EngineError, OSError, ValueError, KeyError) as error:
        say(f"{TROUBLE}This base can't be used: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
