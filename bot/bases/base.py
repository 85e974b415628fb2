"""The base: which one it is (fingerprint), and getting it into memory in the configuration a desk asks for."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.adapters import sha256_of
from bot.bases import quantized
from bot.bases.locate import is_prepared
from bot.bases.soundness import refuse_adapter, too_many_tokens, unfit
from bot.bases.template_limits import guard_template
from bot.renderer import renderer_mark
from bot.types import BaseSpec, EngineError

if TYPE_CHECKING:
    import torch

# Files that decide what a base says. Anything else in its folder (a README, another format) may change freely.
DECIDING = (
    "*.safetensors",
    "config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
_HASHES = ".deskloop-hashes.json"  # sha256 by name, size and time of change: hashing 15 GB takes half a minute


def fingerprint(spec: BaseSpec) -> str:
    """What makes two bases the same: weights, tokenizer, chat template, how we render it, and the quantization.

    An adapter answers well only on the very base it was trained on; NF4 and bf16 of one model are two bases.
    Needs no torch. Raises :class:`EngineError` (``base-missing``)."""
    folder = Path(spec.folder)
    if not is_prepared(folder):
        raise EngineError(
            "base-missing", f"There is no complete model in {folder}. Run `deskloop setup`, or choose another base."
        )
    if spec.digest is not None and content_digest(folder) != spec.digest:
        raise EngineError(
            "base-missing",
            f"The files of the base in {folder} are not the ones you set up. Put them back, or run `deskloop setup "
            f"--base {folder}` to accept them as they are now. Nothing was lost.",
        )
    digest = hashlib.sha256(f"{spec.quantization}\x00{renderer_mark(folder)}".encode())
    for name, value in sorted(_file_hashes(folder).items()):
        digest.update(f"\x00{name}\x00{value}".encode())
    return digest.hexdigest()


def content_digest(folder: Path, *, anew: bool = False) -> str:
    """What the base in *folder* is, however it is held in memory and rendered: sha256 over the files that decide it.
    *anew*: read every byte, whatever was noted of the files before. Raises :class:`OSError`."""
    hashes = {path.name: sha256_of(path) for path in _deciding(folder)} if anew else _file_hashes(folder)
    digest = hashlib.sha256()
    for name, value in sorted(hashes.items()):
        digest.update(f"\x00{name}\x00{value}".encode())
    return digest.hexdigest()


def _deciding(folder: Path) -> list[Path]:
    """Plain files, also by way of a link; a pipe or a device would never come to its end."""
    return sorted({path for pattern in DECIDING for path in folder.glob(pattern) if path.is_file()})


def _file_hashes(folder: Path) -> dict[str, str]:
    cache_path = folder / _HASHES
    try:
        cache: dict[str, str] = json.loads(cache_path.read_text())
        cache = {key: value for key, value in cache.items() if isinstance(value, str)}
    except (OSError, ValueError, AttributeError, RecursionError):
        cache = {}
    hashes, kept = {}, {}
    for path in _deciding(folder):
        facts = path.stat()
        # A time of change can be set, by a copy too; the inode's own and its number can't. So neither an exchanged file
        # nor a list that somebody brought along passes for what was read here.
        key = f"{path.name}:{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ctime_ns}:{facts.st_ino}"
        hashes[path.name] = kept[key] = cache.get(key) or _sha256_once(path, key)
    if kept != cache:
        _write_cache(cache_path, kept)
    return hashes


@lru_cache(maxsize=64)
def _sha256_once(path: Path, key: str) -> str:
    """Once per process also where the models' folder can't be written, so that no table of versions waits for it."""
    return sha256_of(path)


def _write_cache(path: Path, kept: dict[str, str]) -> None:
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_HASHES)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)
        Path(temporary).replace(path)
    except OSError:
        pass  # a read-only models folder only costs the time of hashing once more in each process


def load_tokenizer(folder: str) -> Any:
    """The tokenizer in *folder*, with a padding token. Raises :class:`EngineError` (``base-missing``)."""
    from transformers import AutoTokenizer

    try:
        # Never the library's own question whether to run code that came with the files: that code never runs.
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except MemoryError:
        raise
    except Exception as error:
        raise unfit(folder, f"its tokenizer can't be read ({_reason(error)})") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return guard_template(tokenizer)


def load_base(spec: BaseSpec, *, training: bool = False) -> tuple[Any, Any]:
    """Load (model, tokenizer) as *spec* says, frozen and in eval mode, on the GPU if there is one.

    ``training`` keeps NF4 weights unpacked: on CPUs with AVX512-BF16 bitsandbytes repacks them at the first
    no-grad forward, and from then on its matrix product has no gradient. Raises :class:`EngineError`
    (``base-missing``, ``out-of-memory``)."""
    import torch
    from transformers import GenerationConfig
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()  # hundreds of lines in a log that is read when something went wrong
    dtype = torch.float32 if spec.quantization == "fp32" else torch.bfloat16
    options: dict[str, Any] = {
        "dtype": dtype,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
    }
    refuse_adapter(Path(spec.folder))  # none of the files that a base's digest is of
    if torch.cuda.is_available():
        options["device_map"] = {"": 0}
    try:
        model = _load_nf4(Path(spec.folder), options) if spec.quantization == "nf4" else _load(spec.folder, options)
    except EngineError:
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or "memory" in str(error).lower():
            raise
        raise unfit(spec.folder, f"it can't be loaded ({_reason(error)})") from error
    if training:
        keep_unpacked(model)
    # generate() fills what a request leaves open from here; a base may bring a repetition penalty that would act
    # even on greedy answers.
    model.generation_config = GenerationConfig()
    model.requires_grad_(False)
    tokenizer = load_tokenizer(spec.folder)
    rows = int(model.get_input_embeddings().weight.shape[0])
    if (tokens := 1 + _last_token(tokenizer)) > rows:
        raise too_many_tokens(spec.folder, tokens, rows)
    return model.eval(), tokenizer


def _last_token(tokenizer: Any) -> int:
    """The highest id that a text, its end or its padding may get. A tokenizer's class may add special tokens of its own
    beyond the model's; no customer's text ever becomes one."""
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    used = {number for number in (tokenizer.pad_token_id, tokenizer.eos_token_id) if number is not None}
    return max((set(tokenizer.get_vocab().values()) - special) | used, default=-1)


def _reason(error: BaseException) -> str:
    """The first line of what a library said, short enough for a sentence."""
    lines = str(error).strip().splitlines()
    return (lines[0].strip().rstrip(".")[:200] if lines else "") or type(error).__name__


def _load(folder: Path | str, options: dict[str, Any]) -> Any:
    from transformers import AutoModelForCausalLM

    model, found = AutoModelForCausalLM.from_pretrained(str(folder), output_loading_info=True, **options)
    # The library would go on with weights that it drew by lot.
    if missing := sorted(found["missing_keys"]) or sorted(str(entry[0]) for entry in found["mismatched_keys"]):
        raise unfit(folder, f"{len(missing)} of its weights are missing or have another size, such as {missing[0]}")
    return model


def _load_nf4(folder: Path, options: dict[str, Any]) -> Any:
    """The base in NF4: from the copy beside it if there is a good one, else quantized now and the copy written."""
    import torch
    from transformers import BitsAndBytesConfig, GenerationConfig

    copy = quantized.copy_of(folder, _file_hashes(folder), "cuda" if torch.cuda.is_available() else "cpu")
    if quantized.is_whole(copy):
        try:
            model = _load(copy, options)
            model.name_or_path = model.config._name_or_path = str(folder)  # what adapters name as their base
            return model
        except (OSError, ValueError, KeyError, RuntimeError, EngineError):
            traceback.print_exc()  # into the log; quantizing again always works
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,  # the default is fp32
    )
    model = _load(folder, options | {"quantization_config": config})
    model.generation_config = GenerationConfig()  # a base's own may be one that transformers refuses to save
    try:
        quantized.write(model, copy)
    except Exception:  # a read-only folder, a full disk: it only costs the time of quantizing again
        traceback.print_exc()
    return model


def keep_unpacked(model: torch.nn.Module) -> None:
    """Forbid bitsandbytes the packed CPU layout on every 4-bit layer of *model*: it has no gradients."""
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


@contextmanager
def without_repacking() -> Iterator[None]:
    """Inside, a look at ``state_dict()`` leaves packed 4-bit layers as they are.

    bitsandbytes unpacks a layer to write its state and packs it anew at the next forward, and what comes back is
    off by about half a percent. peft looks at the whole state when it puts an adapter on: every swap would change
    the base a little, and a rollback would not bring the old answers back."""
    from bitsandbytes.nn import Linear4bit
    from torch.nn import Module

    own = Linear4bit._save_to_state_dict
    Linear4bit._save_to_state_dict = Module._save_to_state_dict
    try:
        yield
    finally:
        Linear4bit._save_to_state_dict = own


def context_length(config: Any) -> int:
    """How many tokens the model can see at once."""
    return int(getattr(config, "max_position_embeddings", 0) or 2048)
