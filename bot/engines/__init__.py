"""Engines: the interface that all of them keep (``engine``), the one place that chooses what computes behind it
(:func:`make_engine`), and the back ends, a room each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.engines import torch
from bot.engines.child import EngineProcess
from bot.engines.engine import Engine, EngineFactory

__all__ = ["Engine", "EngineFactory", "make_engine"]


def make_engine(*, log: Path, on_death: Callable[[], None] | None = None, back_end: str = "torch") -> Engine:
    """An engine of *back_end* (``torch``), not started yet; see :class:`bot.engines.engine.EngineFactory`.

    Raises :class:`ValueError` for a back end that deskloop does not have."""
    if back_end != "torch":
        raise ValueError(f"There is no back end {back_end!r}. Choose torch.")
    return EngineProcess(torch.MODULE, torch.CAPABILITIES, log=log, on_death=on_death)
