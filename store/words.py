"""The words of a desk that all of deskloop shares, as types: plain values that every package may import."""

from __future__ import annotations

import re
from typing import Final, Literal, NewType

from store.errors import Refused

# -- versions ------------------------------------------------------------------------------------------
Version = NewType("Version", str)
"""The name of what answers: :data:`BASE`, or that of an adapter version (``v1``, ``v2``, ...)."""

BASE: Final = Version("base")
"""The bare base, without any adapter."""

IMPORTED: Final = Version("imported")
"""Beside a reply that no version of this desk gave: it came in with a conversation from elsewhere."""

_NAMES = re.compile(r"base|v[1-9][0-9]{0,8}")


def version_named(text: str) -> Version:
    """The version that somebody means by *text*, where it comes in: a command's argument, a setting, a request. Whether
    there is one of that name is another question. Raises :class:`store.errors.Refused`."""
    if _NAMES.fullmatch(text) is None:
        raise Refused(f"{text[:40]!r} is not the name of a version. Versions are called base, v1, v2 and so on.")
    return Version(text)


Method = Literal["qlora", "lora", "adapter", "prefix", "prompt", "ptuning-v2", "full"]
"""How a run trains a version."""

Quantization = Literal["nf4", "bf16", "fp32"]
"""The grid of the base's weights."""

ERASED: Final = "[erased]"
"""What replaces a text that was erased."""

# -- conversations -------------------------------------------------------------------------------------
Exchange = tuple[str, str]
"""What the customer said, and what the bot answered."""

Role = Literal["customer", "bot"]
ReplyState = Literal["complete", "stopped", "failed"]

# -- pairs ---------------------------------------------------------------------------------------------
Split = Literal["train", "heldout"]
Source = Literal["correction", "approval", "import", "sample"]
"""Where a pair comes from."""

# -- runs ----------------------------------------------------------------------------------------------
RunState = Literal[
    "queued", "training", "evaluating", "promoted", "held", "rejected", "failed", "cancelled", "interrupted"
]
"""Where a run stands; :data:`store.runs.LIVE` and :data:`store.runs.OVER` sort them."""

RunWish = Literal["cancel", "interrupt"]
"""What an operator asks of a live run: ``cancel`` gives it up, ``interrupt`` stops it with a checkpoint."""

PhaseName = Literal["snapshot", "loading", "training", "publishing", "judging"]
"""What a live run is at, more closely than its state says."""

FailureKind = Literal[
    "out-of-memory", "disk-full", "desk-busy", "desk-read-only", "desk-damaged", "diverged", "nothing-to-learn",
    "needs-gpu", "no-such-layer", "too-few-pairs", "no-mistakes", "recipe-unreadable", "base-changed", "base-missing",
    "trainer-died", "engine-died", "probe-failed", "failed",
]  # fmt: skip
"""Why a run failed: each kind has its own sentence and its own way on."""

# -- the gate and its consequences ---------------------------------------------------------------------
Verdict = Literal["promote", "reject", "inconclusive"]
JudgedKind = Literal["heldout", "correction", "taught"]
"""Why an answer was judged; of the ``taught`` ones those are kept that are not as taught."""

OutcomeName = Literal["learned", "not learned", "regressed"]
"""What became of a correction, or of another question, that a run trained on."""

PromotionKind = Literal["gate", "manual", "forced", "rollback", "probe-failed"]
