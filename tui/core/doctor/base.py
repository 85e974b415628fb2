"""The base of a desk: whether its files are those that were set up, and load."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bot.bases.base import content_digest, fingerprint
from bot.child import TROUBLE as GAVE_UP
from bot.child import child_options, module_command
from bot.types import EngineError
from store.desk import Desk
from tui.core.base import base_spec
from tui.core.doctor.check import Check
from tui.core.errors import DeskError

CHANGED = "Put them back, or accept them as they are now: deskloop setup --base FOLDER_OR_ID"
PATIENCE = 300.0  # seconds for looking at a base, which has its own limits on processor time
TOO_MUCH = "Checking the base took more time or memory than any valid base needs."


def base_check(desk: Desk) -> Check:
    """Whether it is there, as it was set up, and loads."""
    try:
        spec = base_spec(desk)
        read = content_digest(Path(spec.folder), anew=True)  # every byte: a file may have been exchanged unseen
        if spec.digest not in (None, read) or read != content_digest(Path(spec.folder)):
            return Check("base", False, f"The files in {spec.folder} are not the ones you set up.", CHANGED)
        mark = fingerprint(spec)
        if (trouble := trouble_of(Path(spec.folder))) is not None:
            return Check("base", False, trouble, "deskloop setup --base FOLDER_OR_ID")
    except DeskError as error:
        return Check("base", False, error.sentence, "deskloop setup")
    except EngineError as error:
        return Check("base", False, error.sentence, "deskloop setup --base FOLDER_OR_ID")
    return Check("base", True, f"{Path(spec.folder).name}, {spec.quantization}, fingerprint {mark[:12]}")


def trouble_of(folder: Path) -> str | None:
    """Why the base in *folder* would not load, by ``bot.bases.check`` in a process of its own; None if it would."""
    command = [*module_command("bot.bases.check"), str(folder)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False, **child_options()
        )
    except subprocess.TimeoutExpired:
        return TOO_MUCH
    if done.returncode == 0:
        return None
    said = done.stdout.decode("utf-8", "replace").splitlines()
    return next((line.removeprefix(GAVE_UP) for line in said if line.startswith(GAVE_UP)), TOO_MUCH)
