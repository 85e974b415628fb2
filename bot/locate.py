"""Where a base lies: one rule for the app, the engine and the run process.

A desk names its base in its settings as the word ``starter``, a local folder, or a hub id. Everything that
needs the files asks here, so that no two parts of deskloop can disagree about which folder is meant.
"""

from __future__ import annotations

from pathlib import Path

STARTER = "starter"
STARTER_FOLDER = "smollm2-135m-instruct"


def base_folder(models: Path, base: str) -> Path:
    """The folder in which *base* lies or will lie once prepared; says nothing about whether it exists.

    ``starter`` and hub ids (``Qwen/Qwen2.5-0.5B-Instruct``) lie in the desk's *models* folder, anything that
    is an absolute or explicitly relative path, or an existing folder, is taken as it stands. A GGUF file is unpacked
    into *models* under its own name.
    """
    if base == STARTER:
        return models / STARTER_FOLDER
    given = Path(base).expanduser()
    if is_gguf(base):
        return models / given.stem.lower()
    if given.is_absolute() or base.startswith(("./", "../")) or given.is_dir():
        return given.absolute()
    return models / base.replace("/", "--").lower()


def is_gguf(base: str) -> bool:
    """Whether *base* names a GGUF file."""
    return base.lower().endswith(".gguf")


def is_prepared(folder: Path) -> bool:
    """Whether *folder* holds a base that can be loaded: a config, a tokenizer and safetensors weights."""
    return (
        (folder / "config.json").is_file()
        and any(folder.glob("*.safetensors"))
        and any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json"))
    )
