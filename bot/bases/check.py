"""Looking at a base before it is used: ``python -m bot.bases.check FOLDER``. Prints sentences.

It runs under limits on time and memory, since what a base brings (a template, a config, a tokenizer) came from outside.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import psutil

from bot.bases.limits import serving_bytes, shape_of, training_bytes
from bot.bases.soundness import check_files, text_config, too_many_tokens, unfit
from bot.bases.template_limits import limit_process
from bot.child import TROUBLE, say
from bot.render import default_system, end_of_turn, render_pair, takes_system
from bot.types import EngineError, Prompt, Quantization

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
    from bot.bases.base import load_tokenizer

    config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    shape, family = shape_of(folder), str(config.get("model_type"))
    size = (shape.linear + shape.other) / 1e6
    known = (
        ""
        if family in FAMILIES
        else " The methods have not been tested on this kind of model: retrain once before you rely on it."
    )
    yield f"A {family} of {size:.0f} million weights, {shape.layers} layers of {shape.hidden}.{known}"
    tokenizer = load_tokenizer(str(folder))
    yield from _talk(tokenizer)
    yield from _memory(folder)


def check(folder: Path) -> None:
    """See that the base in *folder* would load and can be talked with. Raises :class:`EngineError` with what is wrong
    and what to do."""
    from bot.bases.base import load_tokenizer

    check_files(folder)
    _check_architecture(folder)
    config = text_config(json.loads((folder / "config.json").read_text()))
    _check_exchange(folder, load_tokenizer(str(folder)), config)


def _check_architecture(folder: Path) -> None:
    """See that the library itself has code for such a base, and that it writes text: none that came along is run."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING

    brings = "auto_map" in json.loads((folder / "config.json").read_text())
    other = "Choose a model family that transformers supports itself."
    try:
        config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except MemoryError:
        raise
    except Exception as error:
        if brings:
            raise unfit(
                folder, "it needs program code that comes with it, and deskloop does not run such code", other
            ) from error
        raise unfit(folder, f"its config.json can't be used ({_first_line(error)})", other) from error
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise unfit(folder, f"it is a {config.model_type}, which does not write text token by token", other)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")[:200]


def _check_exchange(folder: Path, tokenizer: Any, config: dict[str, Any]) -> None:
    """Render one exchange, as training would, and see that it depends on what the customer says."""
    history = (("Hello.", "Good day."),)
    try:
        ids, _ = render_pair(tokenizer, Prompt("Be kind.", history, "Where is it?"), "On its way.")
        other, _ = render_pair(tokenizer, Prompt("Be kind.", history, "When do you open?"), "On its way.")
    except (MemoryError, EngineError):
        raise
    except Exception as error:
        raise unfit(folder, f"one exchange can't be put into its chat format ({_first_line(error)})") from error
    if ids == other:
        raise unfit(folder, "its chat template leaves out what the customer says", "Fix it, or choose another base.")
    rows = config.get("vocab_size")
    tokens = 1 + max(ids)
    if isinstance(rows, int) and tokens > rows:
        raise too_many_tokens(folder, tokens, rows)


def _talk(tokenizer: Any) -> Iterator[str]:
    end, last = tokenizer.convert_ids_to_tokens(end_of_turn(tokenizer)), tokenizer.eos_token
    if tokenizer.chat_template is None:
        lines = "It has no chat template: conversations are plain lines, Customer: and Agent:,"
        yield f"{lines} and {end} ends an answer, or the next Customer: does."
        return
    also = (
        "its end of text"
        if end == last
        else "and no token of its own ends a text"
        if last is None
        else f"where a text ends with {last}; both stop it"
    )
    yield f"It has a chat template; turns end with {end}, {also}."
    if not takes_system(tokenizer):
        yield "Its template has no system message: the desk's is put before the first question."
    elif default_system(tokenizer):
        yield "Its template has its own system message; the desk's replaces it, even if empty."


def _memory(folder: Path) -> Iterator[str]:
    needs = []
    for name in get_args(Quantization):
        answering, training = serving_bytes(folder, name) / GIB, training_bytes(folder, name) / GIB
        needs.append(f"{name} {answering:.1f} GiB to answer and {training:.1f} to train")
    memory = psutil.virtual_memory()
    yield f"It needs about, as {', as '.join(needs)}."
    yield f"Of this machine's {memory.total / GIB:.1f} GiB {memory.available / GIB:.1f} are free."
    if serving_bytes(folder, "nf4") > memory.available:
        yield "That is not enough even for nf4: choose a smaller base, or close other programs."


def main() -> int:
    """Entry point."""
    import transformers  # noqa: F401  (what it takes itself is not counted against the base)

    limit_process()
    try:
        check(Path(sys.argv[1]))
        for sentence in findings(Path(sys.argv[1])):
            say(sentence)
    except EngineError as error:
        say(f"{TROUBLE}{error.sentence}")
        return 1
    except (MemoryError, OverflowError, RecursionError):
        say(f"{TROUBLE}This base can't be used: checking it took more memory than any valid base needs.")
        return 1
    except Exception as error:
        traceback.print_exc()
        say(f"{TROUBLE}This base can't be used: {_first_line(error)}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
