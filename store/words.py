"""The words of a desk that all of deskloop shares, as types: plain values that every package may import."""

from __future__ import annotations

from typing import Final, Literal, NewType

Version = NewType("Version", str)
"""The name of what answers: :data:`BASE`, or that of an adapter version (``v1``, ``v2``, ...)."""

BASE: Final = Version("base")
"""The bare base, without any adapter."""

RunState = Literal[
    "queued", "training", "evaluating", "promoted", "held", "rejected", "failed", "cancelled", "interrupted"
]
"""Where a run stands; :data:`store.runs.LIVE` and :data:`store.runs.OVER` sort them."""

OutcomeName = Literal["learned", "not learned", "regressed"]
"""What became of a correction that a run trained on."""
