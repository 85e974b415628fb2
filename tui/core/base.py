"""The desk's base: which folder it is, whether it is there, and the sentence that says how to get one."""

from __future__ import annotations

from typing import cast

from bot.base import fingerprint
from bot.locate import base_folder, is_prepared
from bot.types import BaseSpec, EngineError, Quantization
from store.desk import Desk
from tui.core.errors import DeskError


def base_spec(desk: Desk) -> BaseSpec:
    """What the engine shall load for *desk*. Raises :class:`DeskError` with the way out if it is not
    there."""
    settings = desk.settings.load()
    folder = base_folder(desk.home.models, settings.base)
    if not is_prepared(folder):
        raise DeskError(
            f"This desk has no model yet (looked for {settings.base!r} in {folder}). Get one with "
            "`deskloop setup` (the starter model), `deskloop setup --base FOLDER` (a local model) or "
            "`deskloop setup --base ORG/NAME` (a download from the hub)."
        )
    return BaseSpec(str(folder), cast(Quantization, settings.quantization))


def base_mark(desk: Desk) -> str | None:
    """The fingerprint of the desk's base; None if it can't be told, so that no version is called another base's."""
    try:
        return fingerprint(base_spec(desk))
    except (DeskError, EngineError, OSError):
        return None
