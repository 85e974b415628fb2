"""Getting a base onto the desk. Nothing is downloaded unless the operator asked for exactly that, and the base that
worked stays until the new one has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bot.bases.base import content_digest
from bot.bases.locate import is_prepared
from bot.child import TROUBLE, child_options, module_command
from bot.engines import Engine, EngineFactory, make_engine
from bot.types import BaseSpec, Decoding, EngineError, Prompt, Quantization, Ticket
from store.desk import Desk
from store.home import private_file
from store.owned import read_mark
from store.words import BASE
from tui.core.errors import DeskError
from tui.core.naming import Named, meant

Say = Callable[[str], None]
QUESTION = "Hello, can you help me with my order?"
ANSWER = Decoding(max_new_tokens=8)
PATIENCE = 900.0  # seconds for loading a base and its first answer; a large one is quantized meanwhile
TOO_MUCH = "It took more time or memory than any valid base needs, so it is not used."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A base that can be loaded: its name in the settings, its folder, and whether anything had to be done."""

    base: str
    folder: Path
    fresh: bool


async def set_up(
    desk: Desk, base: str | None, who: str, say: Say, engine_factory: EngineFactory | None = None
) -> Prepared:
    """Prepare *base* (``starter``, a folder, a GGUF file or a hub id; None: what the settings name), look at it, let it
    answer once, and only then make it the desk's.

    A second call with the same base finds it prepared and only looks at it. *say* gets a sentence for every step.
    Raises :class:`DeskError` with what failed; the desk's former base then stays."""
    wanted = base or desk.settings.load().base
    named = await asyncio.to_thread(meant, desk.home.models, wanted)
    fresh = named.ours and not is_prepared(named.folder)
    log = desk.home.logs / "setup.log"
    if fresh:
        await _prepare(named, log, say)
    name = str(named.folder) if _is_file(named) else named.name  # what it was unpacked from is needed no more
    if base is None:
        name = wanted  # it is the setting already, perhaps of a file that operators can't change
    digest = await asyncio.to_thread(_digest, named.folder)
    known = desk.bases.get(name)
    if base is None and known is not None and known.digest != digest:
        raise DeskError(
            f"The files of the base in {named.folder} are not the ones you set up. Put them back, or take them as "
            f"they are now: deskloop setup --base {wanted}"
        )
    if fresh or base is not None or known is None:
        await _examine(named.folder, log, say)
        spec = BaseSpec(str(named.folder), cast(Quantization, desk.settings.load().quantization), digest)
        await _answer_once(spec, desk, engine_factory or make_engine, say)
    revision = (read_mark(named.folder) or {}).get("revision") if named.ours else None
    with desk.atomic():  # what the name means, and that it is the desk's base: both or neither
        desk.bases.decide(name, named.folder, digest, revision if isinstance(revision, str) else None, who)
        if desk.settings.load().base != name:
            desk.settings.set("base", name, who)
    return Prepared(name, named.folder, fresh)


def _is_file(named: Named) -> bool:
    return named.ours and Path(named.name).is_absolute()


def _digest(folder: Path) -> str:
    """The digest of the files in *folder*. Raises :class:`DeskError`."""
    try:
        return content_digest(folder, anew=True)
    except OSError as error:
        what = error.filename or folder
        raise DeskError(f"{what} can't be read: {error.strerror or error}. Nothing was changed.") from error


async def _answer_once(spec: BaseSpec, desk: Desk, factory: EngineFactory, say: Say) -> None:
    """Load the base as it is going to be served, and ask it something. Raises :class:`DeskError`."""
    say(f"Loading it as {spec.quantization}, for one answer...")
    engine: Engine = factory(log=desk.home.logs / "setup.log")
    try:
        async with asyncio.timeout(PATIENCE):
            await engine.load(spec)
            await engine.batch(Ticket(BASE), [Prompt(desk.settings.load().system_message, (), QUESTION)], ANSWER)
    except EngineError as error:
        raise DeskError(f"{error.sentence} The desk's base is unchanged.", desk.home.logs / "setup.log") from error
    except TimeoutError as error:
        raise DeskError(
            f"It did not answer within {PATIENCE / 60:.0f} minutes. The desk's base is unchanged."
        ) from error
    finally:
        await engine.close()


async def _prepare(named: Named, log: Path, say: Say) -> None:
    """Run ``python -m bot.bases.prepare``."""
    say(f"Preparing {named.name} in {named.folder} (once; this takes a minute or two)...")
    named.folder.parent.mkdir(parents=True, exist_ok=True)
    await _run(["bot.bases.prepare", named.name, str(named.folder)], log, say, f"Preparing {named.name} failed.")


async def _examine(folder: Path, log: Path, say: Say) -> None:
    """Run ``python -m bot.bases.check``."""
    await _run(["bot.bases.check", str(folder)], log, say, f"{folder} could not be checked. {TOO_MUCH}")


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
