"""Getting a base onto the desk. Nothing is downloaded unless the operator asked for exactly that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.child import TROUBLE, child_options, module_command
from bot.locate import STARTER, base_folder, is_gguf, is_prepared
from store.desk import Desk
from store.home import private_file
from store.settings import SettingError
from tui.core.errors import DeskError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A base that can be loaded: its name in the settings, its folder, and whether anything had to be done."""

    base: str
    folder: Path
    fresh: bool


async def set_up(desk: Desk, base: str | None, who: str, say: Say) -> Prepared:
    """Prepare *base* (``starter``, a folder, a GGUF file or a hub id; None: what the settings name), say what it is
    like, and make it the desk's.

    A second call with the same base finds it prepared and only looks at it. *say* gets a sentence for every step.
    Raises :class:`DeskError` with what failed; the desk's former base then stays."""
    wanted = base or desk.settings.load().base
    folder = base_folder(desk.home.models, wanted)
    is_local = wanted != STARTER and folder.parent != desk.home.models
    if is_local:
        _check_local(folder)
        wanted = str(folder)
    fresh = not is_prepared(folder)
    log = desk.home.logs / "setup.log"
    if fresh:
        await _prepare(wanted, folder, log, say)
    if is_gguf(wanted):
        wanted = str(folder)  # what it was unpacked from is needed no more
    if fresh or base is not None:
        await _look_at(folder, log, say)
    if desk.settings.load().base != wanted:
        try:
            desk.settings.set("base", wanted, who)
        except SettingError as error:
            raise DeskError(str(error)) from error
    return Prepared(wanted, folder, fresh)


def _check_local(folder: Path) -> None:
    if not folder.is_dir():
        raise DeskError(f"There is no folder {folder}. Name a model's folder, or a hub id such as ORG/NAME.")
    if is_prepared(folder):
        return
    if any(folder.glob("*.bin")) and not any(folder.glob("*.safetensors")):
        raise DeskError(
            f"{folder} holds its weights as pickled .bin files, which deskloop does not load. "
            "Save the model as safetensors first."
        )
    raise DeskError(f"{folder} is not a complete model: it needs config.json, a tokenizer and *.safetensors weights.")


async def _prepare(source: str, folder: Path, log: Path, say: Say) -> None:
    """Run ``python -m bot.prepare``."""
    say(f"Preparing {source} in {folder} (once; this takes a minute or two)...")
    folder.parent.mkdir(parents=True, exist_ok=True)
    await _run(["bot.prepare", source, str(folder)], log, say, f"Preparing {source} failed.")


async def _look_at(folder: Path, log: Path, say: Say) -> None:
    """Run ``python -m bot.check``."""
    await _run(["bot.check", str(folder)], log, say, f"{folder} could not be looked at.")


async def _run(command: list[str], log: Path, say: Say, otherwise: str) -> None:
    """Run a module and pass its sentences on; everything else it prints is kept in *log*.

    Raises :class:`DeskError` with why it gave up, or *otherwise* where it did not say."""
    trouble = otherwise
    with private_file(log).open("ab") as kept:
        process = await asyncio.create_subprocess_exec(
            *module_command(command[0]),
            *command[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=kept,  # libraries draw their progress bars there
            **child_options(),
        )
    assert process.stdout is not None
    try:
        async for raw in process.stdout:
            sentence = raw.decode("utf-8", "replace").strip()
            if sentence.startswith(TROUBLE):
                trouble = sentence.removeprefix(TROUBLE)
            else:
                say(sentence)
        code = await process.wait()
    except BaseException:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if code != 0:
        raise DeskError(trouble, log)
