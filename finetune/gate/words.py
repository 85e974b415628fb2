"""The words a gate's report is written in, as types."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

from store.words import Verdict

Decision = Literal["pass", "worse", "unclear", "too few"]  # about one language
TroubleKind = Literal["loss", "memory", "slow", "no-effect"]  # about the training


class HeldReason(StrEnum):
    """Why a version that was judged neither answers nor is rejected. Its values are stored."""

    OVERTAKEN = "overtaken"
    UNCLEAR = "unclear"
    NOT_LEARNED = "not-learned"
    TOO_LITTLE = "too-little"
    NOT_TAUGHT = "not-taught"
    FORGOT = "forgot"

    @property
    def because(self) -> str:
        """For an operator, as part of a sentence: "v3 is held: ..."."""
        return _BECAUSE[self]


_BECAUSE = {
    HeldReason.OVERTAKEN: "another version was activated in the meantime",
    HeldReason.UNCLEAR: "it may be worse",
    HeldReason.NOT_LEARNED: "it did not learn what it was trained for",
    HeldReason.TOO_LITTLE: "there is not enough to judge by",
    HeldReason.NOT_TAUGHT: "it learned little of what it was taught",
    HeldReason.FORGOT: "it may have forgotten what the version before knew",
}


def held_reason(verdict: Verdict, decisions: Collection[Decision]) -> HeldReason | None:
    """What holds a version with this *verdict*, by the *decisions* about its languages; None if the check does not.

    A version that passed may be held all the same, :attr:`HeldReason.OVERTAKEN`: whoever promotes knows that."""
    if verdict != "inconclusive":
        return None
    if "unclear" in decisions:
        return HeldReason.UNCLEAR
    return HeldReason.NOT_LEARNED if "pass" in decisions else HeldReason.TOO_LITTLE


def capital(text: str) -> str:
    """*text* with a capital first letter, except that version names ("v4") stay as they are."""
    return text if text[:1] == "v" and text[1:2].isdigit() else text[:1].upper() + text[1:]
