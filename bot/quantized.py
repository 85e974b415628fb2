"""The quantized copy of a base beside it, so that quantizing (10 s for the starter on a busy machine) is done once.

The copy lies in ``.nf4/KEY`` inside the base's folder and is no part of the base: its fingerprint ignores it, the
weights in it are the very ones that quantizing again would give, and it may be deleted at any time."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bot.adapters import sha256_of

FOLDER = ".nf4"
SEAL = "seal.json"  # sha256 of every file; written last, so that it also says the copy is whole
FORMAT = 1


def copy_of(base: Path, hashes: Mapping[str, str], device: str) -> Path:
    """Where the copy of *base* lies or would lie, by the *hashes* of its files and the *device*, since kernels round
    each in their own way."""
    facts = [FORMAT, sorted(hashes.items()), version("bitsandbytes"), version("transformers"), device]
    return base / FOLDER / hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def is_whole(copy: Path) -> bool:
    """Whether *copy* holds exactly what was written."""
    try:
        seal: dict[str, str] = json.loads((copy / SEAL).read_text())
        present = {path.name for path in copy.iterdir()} - {SEAL}
        return present == set(seal) and all(sha256_of(copy / name) == digest for name, digest in seal.items())
    except (OSError, ValueError, TypeError, AttributeError):
        return False


def write(model: Any, copy: Path) -> None:
    """Write *model*, freshly quantized, as *copy*; copies made otherwise go. The copy appears whole or not at all.

    Never give it a model that has answered: CPUs with AVX512-BF16 repack NF4 weights at the first forward, and
    reading them back drifts. Raises whatever the disk does; nothing is left behind then."""
    home = copy.parent
    home.mkdir(exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=home, prefix="."))
    try:
        model.save_pretrained(staging)
        files = {path.name: sha256_of(path) for path in staging.iterdir()}
        (staging / SEAL).write_text(json.dumps(files))
        staging.chmod(0o755)
        if copy.exists():  # a damaged one
            shutil.rmtree(copy)
        staging.rename(copy)
        for other in home.iterdir():
            # Of another bitsandbytes or of other weights. What starts with a dot is being written by someone.
            if other != copy and not other.name.startswith("."):
                shutil.rmtree(other, ignore_errors=True)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
