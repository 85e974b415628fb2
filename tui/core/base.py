"""The desk's base, for the app: its sentences are for operators."""

from __future__ import annotations

from bot.bases.base import fingerprint
from bot.types import BaseSpec, EngineError
from finetune.desk_base import desk_base
from store.desk import Desk
from store.errors import OperatorError
from tui.core.errors import DeskError


def base_spec(desk: Desk) -> BaseSpec:
    """What the engine shall load for *desk*. Raises :class:`DeskError` with the way out if it is not
    there."""
    try:
        return desk_base(desk)
    except EngineError as error:
        raise DeskError(error.sentence) from error


def base_mark(desk: Desk) -> str | None:
    """The fingerprint of the desk's base; None if it can't be told, so that no version is called another base's."""
    try:
        return fingerprint(base_spec(desk))
    except (OperatorError, OSError):
        return None
