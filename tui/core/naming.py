"""What somebody means who names a base: one of ours, a folder, a file, or a model on the hub. The folder in which
deskloop was started makes no difference; where it could, that is said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bot.adapters import sha256_of
from bot.bases.locate import STARTER, base_folder, is_gguf, is_hub_id, is_prepared, plain_name
from bot.types import EngineError
from tui.core.errors import DeskError

# An address, and the hub's also as a browser shows it.
_URL = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://[^/]*|(?:www\.)?(?:huggingface\.co|hf\.co)(?=/))(?:/(?P<path>.*))?", re.DOTALL
)
_CACHE = "models--"


@dataclass(frozen=True, slots=True)
class Named:
    """A base: ``name``, the same wherever deskloop is started; ``folder``, where it lies or will lie; ``ours``: that is
    the models folder, and it is fetched or converted if it is not there."""

    name: str
    folder: Path
    ours: bool


def meant(models: Path, wanted: str) -> Named:
    """What *wanted* names. May read a GGUF file to its end: its folder bears its name and what it holds, since files of
    one name need not be one model. Raises :class:`DeskError` with the way out."""
    try:
        if wanted == STARTER:
            return Named(STARTER, base_folder(models, STARTER), True)
        if (url := _URL.fullmatch(wanted)) is not None:
            raise DeskError(_url_sentence(wanted, url["path"] or ""))
        given = Path(wanted).expanduser().absolute()
        if is_gguf(wanted) and not given.is_dir():
            return _file(models, wanted, given)
        if is_hub_id(wanted):
            _refuse_ambiguous(wanted, given)
            return Named(wanted, base_folder(models, wanted), True)
        _check_folder(given)
        return Named(str(given), given, False)
    except EngineError as error:
        raise DeskError(error.sentence) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise DeskError(f"{wanted!r} can't be read ({error}). Nothing was changed.") from error


def _url_sentence(wanted: str, path: str) -> str:
    parts = [part for part in path.split("?")[0].split("/") if part]
    hub_id = "/".join(parts[:2])
    if len(parts) >= 2 and is_hub_id(hub_id):
        return f"{wanted} is an address. Use the model's id: deskloop setup --base {hub_id}"
    return f"{wanted} is an address. Use a model's id on the hub (ORG/NAME), or download it and give its folder."


def _file(models: Path, wanted: str, given: Path) -> Named:
    if not given.exists():
        raise DeskError(f"There is no file {given}.{_perhaps(given)}")
    if not given.is_file():
        raise DeskError(f"{given} is not a regular file. Give a GGUF file.")
    return Named(str(given), models / f"{plain_name(given.stem)}-{sha256_of(given)[:8]}", True)


def _refuse_ambiguous(wanted: str, given: Path) -> None:
    """A word that names a folder here as well may be meant so; an ORG/NAME is always the hub's."""
    if "/" not in wanted and given.is_dir():
        raise DeskError(
            f"{wanted} could be a model on the hub or a folder here. Write the folder as ./{wanted}; the hub's models "
            "are named ORG/NAME."
        )


def _check_folder(folder: Path) -> None:
    """Say what *folder* is, if it is no base. Raises :class:`DeskError`."""
    if folder.is_file():
        raise DeskError(f"{folder} is a file. Give the folder of the model, or a file that ends in .gguf.")
    if not folder.is_dir():
        more = _perhaps(folder) or " Give a model's folder, or a hub id such as ORG/NAME."
        raise DeskError(f"There is no folder {folder}.{more}")
    names = {path.name for path in folder.iterdir()}
    if "adapter_config.json" in names and "config.json" not in names:
        raise DeskError(_adapter_sentence(folder))
    if is_prepared(folder):
        return
    if folder.name.startswith(_CACHE) or any(name.startswith(_CACHE) for name in names) or "snapshots" in names:
        raise DeskError(_cache_sentence(folder))
    if ggufs := sorted(name for name in names if is_gguf(name)):
        which = "the file" if len(ggufs) == 1 else f"one of its {len(ggufs)} files"
        raise DeskError(f"{folder} contains a model as GGUF. Use {which}: {folder / ggufs[0]}")
    if any(name.endswith(".bin") for name in names) and not any(name.endswith(".safetensors") for name in names):
        raise DeskError(
            f"{folder} contains pickled .bin weights, which deskloop does not load. "
            "Save the model as safetensors first."
        )
    if inner := sorted(path.name for path in folder.iterdir() if path.is_dir() and is_prepared(path)):
        raise DeskError(f"{folder} is not a model itself, but contains one: use {folder / inner[0]}.")
    raise DeskError(f"{folder} is not a complete model: it needs config.json, a tokenizer and *.safetensors weights.")


def _adapter_sentence(folder: Path) -> str:
    from bot.adapter_config import ConfigRefused, read_checked

    try:
        of = str(read_checked(folder).get("base_model_name_or_path") or "")
    except (ConfigRefused, OSError):
        of = ""
    trained = f", trained on {of[:200]}" if of else ""
    return (
        f"{folder} is an adapter{trained}, not a base: it contains only additions to a base. Set up its base "
        "instead; or merge the adapter into that base, save the result as safetensors, and give that folder. "
        "Nothing was changed."
    )


def _cache_sentence(folder: Path) -> str:
    """Of a folder of the hub's own cache: the snapshot in it that is a model."""
    whole = [path.parent for path in sorted(folder.glob("**/snapshots/*/config.json")) if is_prepared(path.parent)]
    if len(whole) == 1:
        return f"{folder} is the hub's cache, not a model itself. Use the model in it: {whole[0]}"
    if whole:
        return f"{folder} is the hub's cache, with {len(whole)} models in it. Use one of them, such as {whole[0]}"
    return f"{folder} is the hub's cache, and contains no complete model. Set the model up by its id: ORG/NAME."


def _perhaps(path: Path) -> str:
    try:
        near = get_close_matches(path.name, [item.name for item in path.parent.iterdir()], 1, 0.7)
    except OSError:
        return "" if path.parent.is_dir() else f" There is no folder {path.parent} either."
    return f" Did you mean {path.parent / near[0]}?" if near else ""
