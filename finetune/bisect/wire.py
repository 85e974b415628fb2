"""What the app asks the process that compares gradients, and what that answers: JSON, a line each."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.types import Quantization
from finetune.job import JobPair


class Asked(msgspec.Struct, frozen=True):
    """Compare the gradient of ``wrong`` (a question and the reply to it) with those of ``pairs``, in their order.

    ``base``, ``digest``: of the base, as :class:`bot.types.BaseSpec` has them; ``adapter``: the folder of the version,
    ``recipe`` and ``system``: what it was trained by."""

    base: str
    quantization: Quantization
    digest: str | None
    adapter: str
    recipe: dict[str, Any]
    system: str
    wrong: JobPair
    pairs: tuple[JobPair, ...]


class Compared(msgspec.Struct, tag="compared", frozen=True):
    """So many of the pairs are ``done``."""

    done: int


class Found(msgspec.Struct, tag="found", frozen=True):
    """The cosines, -1 to 1, in the order of the pairs; None for one of which nothing fits into max_length."""

    cosines: tuple[float | None, ...]


class Broke(msgspec.Struct, tag="broke", frozen=True):
    """It could not be done. ``detail`` quotes nobody."""

    kind: str
    detail: str


Said = Compared | Found | Broke
