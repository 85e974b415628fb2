"""The quantized copy of a base beside it, so that quantizing (10 s for the starter on a busy machine) is done once.

The copy lies in ``.nf4/KEY`` inside the base's folder and is no part of the base: its fingerprint ignores it, the
weights in it are the very ones that quantizing again would give, and it may be deleted at any time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.adapters import sha256_of
from store import owned

FOLDER = ".nf4"
SEAL = "seal.json"  # what every file is; written last, so that it also says the copy is whole
FORMAT = 2
_KEY = re.compile("[0-9a-f]{16}")


def copy_of(base: Path, hashes: Mapping[str, str], device: str) -> Path:
    """Where the copy of *base* lies or would lie, by the *hashes* of its files and the *device*, since kernels round
    each in their own way."""
    facts = [FORMAT, sorted(hashes.items()), version("bitsandbytes"), version("transformers"), device]
    return base / FOLDER / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def is_whole(copy: Path) -> bool:
    """Whether *copy* holds exactly what was written."""
    try:
        seal: dict[str, str] = json.loads((copy / SEAL).read_text())
        return seal == _contents(copy)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return False


def _contents(copy: Path) -> dict[str, str]:
    """What each file holds, and what only this machine knows of it: a copy that came along with a base from elsewhere,
    which may hold any weights, is not taken for one that was made here."""
    paths = [path for path in copy.iterdir() if path.name not in (SEAL, owned.MARK)]
    facts = {path: path.lstat() for path in paths}
    return {path.name: f"{sha256_of(path)} {facts[path].st_ctime_ns} {facts[path].st_ino}" for path in paths}


def write(model: Any, copy: Path) -> None:
    """Write *model*, freshly quantized, as *copy*; copies made otherwise go. The copy appears whole or not at all.

    Never give it a model that has answered: CPUs with AVX512-BF16 repack NF4 weights at the first forward, and
    reading them back drifts. Raises whatever the disk does; nothing is left behind then."""
    home = copy.parent
    home.mkdir(exist_ok=True)
    with owned.workshop(home) as shop:
        built = owned.make_own(shop / copy.name, 0o755, what="quantized")
        model.save_pretrained(built)
        (built / SEAL).write_text(json.dumps(_contents(built)))
        _remove(copy)  # a damaged one
        owned.place(built, copy)
    owned.sweep(home)
    for other in home.iterdir():  # of another bitsandbytes, or of other weights
        if other != copy:
            _remove(other)


def _remove(copy: Path) -> None:
    """Remove a copy that deskloop made; earlier ones marked it by its seal alone."""
    with suppress(OSError):
        if _KEY.fullmatch(copy.name) and not copy.is_symlink() and (copy / SEAL).is_file():
            owned.mark_own(copy, what="quantized")
        if (owned.read_mark(copy) or {}).get("what") == "quantized":
            owned.remove_own(copy)
