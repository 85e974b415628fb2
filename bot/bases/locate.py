"""Where a base lies: one rule for the app, the engine and the run process.

A desk names its base in its settings as the word ``starter``, a local folder, or a hub id. Everything that
needs the files asks here, so that no two parts of deskloop can disagree about which folder is meant. The current
folder has no say in it.
"""

from __future__ import annotations

import re
from pathlib import Path

from bot.types import EngineError

STARTER = "starter"
STARTER_FOLDER = "smollm2-135m-instruct"
# What a folder of ours below the models folder may be called. No name begins with a dot, so none is hidden or "..".
PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
# How the hub itself spells its ids, and a little less.
HUB_ID = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")


def base_folder(models: Path, base: str) -> Path:
    """The folder in which *base* lies or will lie once prepared; says nothing about whether it exists.

    ``starter`` and hub ids (``Qwen/Qwen2.5-0.5B-Instruct``) lie in the desk's *models* folder, an absolute path is
    taken as it stands. A GGUF file was unpacked into *models* under its own name by earlier deskloops. Raises
    :class:`EngineError` (``base-missing``) for a name that is none of these."""
    if base == STARTER:
        return models / STARTER_FOLDER
    given = Path(base)
    if base.startswith("~"):
        try:
            given = given.expanduser()
        except RuntimeError as error:
            raise EngineError("base-missing", f"There is no user {base.split('/')[0]}. Name the whole path.") from error
    if is_gguf(base):
        stem = given.stem.lower()
        return models / (stem if stem.strip(".") else plain_name(stem))
    if given.is_absolute():
        return given
    if not is_hub_id(base):
        raise EngineError(
            "base-missing",
            f"{base!r} is neither starter, nor the whole path of a folder, nor a hub id such as ORG/NAME. Run "
            "`deskloop setup --base FOLDER_OR_ID`.",
        )
    return models / base.replace("/", "--").lower()


def plain_name(text: str) -> str:
    """A folder's name out of *text*, whatever is in it: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:80].rstrip("-._") or "model"


def is_gguf(base: str) -> bool:
    """Whether *base* names a GGUF file."""
    return base.lower().endswith(".gguf")


def is_hub_id(base: str) -> bool:
    """Whether *base* is spelt like a hub id: no path, no "..", nothing that a folder's name would not bear."""
    plain = HUB_ID.fullmatch(base) is not None and ".." not in base and "--" not in base
    return plain and base.lower() not in (STARTER, STARTER_FOLDER)


def is_prepared(folder: Path) -> bool:
    """Whether *folder* holds a base that can be loaded: a config, a tokenizer and safetensors weights."""
    return (
        (folder / "config.json").is_file()
        and any(path.is_file() for path in folder.glob("*.safetensors"))
        and any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json"))
    )
