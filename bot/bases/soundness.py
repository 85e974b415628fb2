"""Whether the files of a base are whole and of a kind that loads, told without loading it. Needs no torch.

What is not seen here (a custom architecture, a template that does not render) is seen by ``bot.bases.check``, in a
process of its own and under limits, and the last word has an engine that answers once.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.types import EngineError

ADAPTER = "adapter_config.json"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
MIB = 2**20
# bytes; several times what the largest of the known bases bring
LONGEST = {"tokenizer.json": 128 * MIB, INDEX: 64 * MIB, "vocab.json": 64 * MIB, "merges.txt": 64 * MIB,
           "tokenizer.model": 64 * MIB, "chat_template.jinja": MIB, "config.json": 4 * MIB,
           "generation_config.json": MIB, "tokenizer_config.json": 32 * MIB, "special_tokens_map.json": 4 * MIB,
           "added_tokens.json": 16 * MIB}  # fmt: skip
_LONGEST_HEADER = 16 * MIB  # bytes; that of a file with 100,000 tensors takes as much
_MOST_SIDES, _LONGEST_SIDE = 8, 2**40  # of a tensor
_LFS = b"version https://git-lfs.github.com/spec/"
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4,
          "U16": 2, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1, "C64": 8}  # fmt: skip
# Sizes in a config beyond which no base goes; some code makes as many things as one of these says.
_LARGEST = {"vocab_size": 2**22, "num_hidden_layers": 1000, "num_layers": 1000, "n_layer": 1000, "hidden_size": 2**17,
            "n_embd": 2**17, "intermediate_size": 2**20, "ffn_dim": 2**20, "n_inner": 2**20,
            "num_attention_heads": 2**12, "n_head": 2**12, "num_key_value_heads": 2**12, "head_dim": 2**14,
            "max_position_embeddings": 2**28, "n_positions": 2**28, "num_experts": 2**12, "num_local_experts": 2**12,
            "n_routed_experts": 2**12}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors")


def unfit(
    folder: Path | str, what: str, todo: str = "Download its files again, or choose another base."
) -> EngineError:
    """The error for a base that would not load: *what* is a whole clause."""
    return EngineError("base-missing", f"This base can't be used: {what}. It lies in {folder}. {todo}")


def check_files(folder: Path) -> None:
    """Look at every file that decides what the base in *folder* says: readable, whole, of a kind that loads.

    Raises :class:`EngineError` (``base-missing``) with what is wrong and what to do."""
    try:
        refuse_adapter(folder)
        config = read_json(folder, "config.json")
        _check_config(folder, config)
        _check_tokenizer(folder, config)
        _check_weights(folder)
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else "a file"
        raise unfit(folder, f"{name} can't be read ({error.strerror or error})", "Fix that, and try again.") from error


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The table in the file *name* of *folder*. Raises :class:`EngineError` and :class:`OSError`."""
    raw = _read(folder, name)
    try:
        body = json.loads(raw.decode())  # as the libraries read it: neither with a mark of byte order nor in UTF-16
    except (ValueError, RecursionError) as error:
        raise unfit(folder, f"{name} is not valid JSON") from error
    if not isinstance(body, dict):
        raise unfit(folder, f"{name} is not a JSON object")
    return body


def _read(folder: Path, name: str) -> bytes:
    path, longest = folder / name, LONGEST[name]
    if path.stat().st_size > longest:
        raise unfit(folder, f"{name} is larger than {longest // MIB} MiB, which is too large to be valid")
    raw = path.read_bytes()
    if raw.startswith(_LFS):
        raise unfit(folder, _pointer(name), _FETCH)
    return raw


def refuse_adapter(folder: Path) -> None:
    """Raise :class:`EngineError` if an adapter lies beside the base: transformers would take the base that one names,
    from wherever, with the adapter on it."""
    if os.path.lexists(folder / ADAPTER):
        raise unfit(folder, f"it contains an adapter ({ADAPTER}), whose own base would be loaded instead", _MOVE)


_MOVE = "If the model is complete, move the adapter's files out; otherwise choose the adapter's base."
_FETCH = "Run `git lfs pull` in its folder, or set it up by its hub id."


def _pointer(name: str) -> str:
    return f"{name} is only a Git LFS pointer, not the file itself"


# -- config ----------------------------------------------------------------------------------------
def _check_config(folder: Path, config: dict[str, Any]) -> None:
    quantized = config.get("quantization_config") or config.get("compression_config")
    if quantized:
        method = str(quantized.get("quant_method", "")) if isinstance(quantized, dict) else ""
        if method not in ("bitsandbytes", "bitsandbytes_4bit", "bitsandbytes_8bit"):
            raise unfit(
                folder,
                f"its weights are quantized already, by {method[:40] or 'a method it does not name'}, and nothing can "
                "be trained on them here",
                "Use the model that is not quantized; deskloop quantizes it itself.",
            )
    for part in (config, *(value for value in config.values() if isinstance(value, dict))):
        for name, largest in _LARGEST.items():
            value = part.get(name)
            if isinstance(value, bool | str) or (isinstance(value, int | float) and not 0 <= value <= largest):
                raise unfit(folder, f"its config.json names {str(value)[:40]} for {name}, which no base has")


def text_config(config: dict[str, Any]) -> dict[str, Any]:
    """The part of *config* that describes the language model; of most bases that is all of it."""
    inner = config.get("text_config")
    return {**config, **inner} if isinstance(inner, dict) else config


# -- tokenizer -------------------------------------------------------------------------------------
def _check_tokenizer(folder: Path, config: dict[str, Any]) -> None:
    for name in LONGEST:
        if name not in (INDEX, "config.json") and (folder / name).is_file():
            read_json(folder, name) if name.endswith(".json") else _read(folder, name)
    rows = text_config(config).get("vocab_size")
    if not (folder / "tokenizer.json").is_file() or not isinstance(rows, int):
        return
    body = read_json(folder, "tokenizer.json")
    added = [entry.get("id") for entry in body.get("added_tokens") or [] if isinstance(entry, dict)]
    vocabulary = (body.get("model") or {}).get("vocab") if isinstance(body.get("model"), dict) else None
    known = vocabulary.values() if isinstance(vocabulary, dict) else []
    last = max([number for number in (*added, *known) if isinstance(number, int)], default=-1)
    if isinstance(vocabulary, list):
        last = max(last, len(vocabulary) - 1)
    if last >= rows:
        raise too_many_tokens(folder, last + 1, rows)


def too_many_tokens(folder: Path | str, tokens: int, rows: int) -> EngineError:
    """The error for a tokenizer that knows more than its model: some text would end every answer with an error."""
    return unfit(
        folder,
        f"its tokenizer has {tokens} tokens and the model knows only {rows} of them",
        "Tokens were added without resizing the model, or the two come from different models: get both from one place.",
    )


# -- weights ---------------------------------------------------------------------------------------
def _check_weights(folder: Path) -> None:
    if (folder / SINGLE).is_file():
        check_tensors(folder, SINGLE)
        return
    if not (folder / INDEX).is_file():
        raise unfit(folder, f"it has neither {SINGLE} nor {INDEX}, so it is unclear which weights to use")
    wanted = read_json(folder, INDEX).get("weight_map")
    if not isinstance(wanted, dict) or not wanted:
        raise unfit(folder, f"{INDEX} names no weights")
    shards: dict[str, set[str]] = {}
    for tensor, name in wanted.items():
        if not isinstance(name, str) or not _PLAIN.fullmatch(name):
            raise unfit(folder, f"{INDEX} names {str(name)[:60]!r}, which is not a file of weights in this folder")
        shards.setdefault(name, set()).add(tensor)
    if missing := sorted(name for name in shards if not (folder / name).is_file()):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise unfit(folder, f"of its {len(shards)} files of weights {missing[0]}{more} is missing")
    for name, tensors in sorted(shards.items()):
        if lost := sorted(tensors - check_tensors(folder, name)):
            raise unfit(folder, f"{name} lacks {lost[0]}, which {INDEX} says is in it")


def check_tensors(folder: Path, name: str) -> set[str]:
    """See that the safetensors file *name* is whole: its header says what lies where, to the last byte. Returns the
    names of its tensors. Raises :class:`EngineError` and :class:`OSError`."""
    path = folder / name
    size = path.stat().st_size
    with path.open("rb") as file:
        begin = file.read(8)
        if begin and _LFS.startswith(begin):
            raise unfit(folder, _pointer(name), _FETCH)
        length = struct.unpack("<Q", begin)[0] if len(begin) == 8 else size
        if length > min(_LONGEST_HEADER, size - 8):
            raise unfit(folder, f"{name} is not a safetensors file, or only the beginning of one")
        try:
            header = json.loads(file.read(length))
            places = dict(_places(header))
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError, AttributeError) as error:
            raise unfit(folder, f"the list of tensors in {name} can't be read") from error
    spans = sorted(places.values())
    end = max((last for _, last in spans), default=0)
    if 8 + length + end > size:
        raise unfit(folder, f"{name} is incomplete: {8 + length + end:,} bytes belong to it and {size:,} are there")
    if 8 + length + end < size or any(one[1] != next_one[0] for one, next_one in pairwise([(0, 0), *spans])):
        raise unfit(folder, f"{name} contains bytes that belong to no tensor, or to two")
    return set(places)


def _places(header: dict[str, Any]) -> Iterator[tuple[str, tuple[int, int]]]:
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        shape = entry["shape"]
        if type(first) is not int or type(last) is not int or not 0 <= first <= last or len(shape) > _MOST_SIDES:
            raise ValueError(name)
        if any(type(side) is not int or not 0 <= side <= _LONGEST_SIDE for side in shape):
            raise ValueError(name)
        if last - first != math.prod(shape) * _BYTES.get(entry["dtype"], 0):
            raise ValueError(name)
        yield name, (first, last)
