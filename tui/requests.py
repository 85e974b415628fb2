"""What a screen asks for that takes more than itself: each is begun by a flow (:data:`tui.flows.FLOWS`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from store.settings import Settings
from store.words import Version
from tui.core.pairs import OpenConflict, PairFilter


@dataclass(frozen=True)
class Request:
    """Something that takes more than one screen. Equal requests are the same wish."""


# -- the app -------------------------------------------------------------------------------------------
class Begin(Request):
    """The app was opened."""


class Leave(Request):
    """Leave the app."""


class ShowSettings(Request):
    """See and change the settings."""


@dataclass(frozen=True)
class FollowSettings(Request):
    """Let settings that were changed elsewhere take effect."""

    before: Settings
    after: Settings


@dataclass(frozen=True)
class EditOutside(Request):
    """Go on with *text* in the operator's own editor."""

    text: str


# -- conversations -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class OfConversation(Request):
    """About one conversation; None: there is none yet."""

    conversation: int | None


class Rename(OfConversation):
    """Give it another title."""


class Archive(OfConversation):
    """Take it off the list, or put it back."""


class ExportConversation(OfConversation):
    """Write it to a file."""


@dataclass(frozen=True)
class Forget(Request):
    """Erase a person; *number*: of the pair or conversation that stands there to begin with."""

    kind: Literal["conversation", "pair"] = "conversation"
    number: int | None = None


# -- replies -------------------------------------------------------------------------------------------
class Review(Request):
    """Judge the replies that nobody has judged yet."""


@dataclass(frozen=True)
class ShowDetails(Request):
    """How a reply came to be; None: none is marked."""

    reply: int | None


@dataclass(frozen=True)
class WhoTaught(Request):
    """Which pairs taught a reply; None: none is marked."""

    reply: int | None


@dataclass(frozen=True)
class Compare(Request):
    """Compare two versions: on the message that *reply* answers, on *conversation*, *version* beside the active one."""

    reply: int | None = None
    conversation: int | None = None
    version: Version | None = None


# -- pairs ---------------------------------------------------------------------------------------------
class ImportFile(Request):
    """Read pairs or conversations from a file."""


@dataclass(frozen=True)
class ShowPairs(Request):
    """See the pairs that fit *wanted*."""

    wanted: PairFilter | None = None


class ShowConflicts(Request):
    """Settle questions with more than one answer."""


@dataclass(frozen=True)
class OfPair(Request):
    """About one pair."""

    pair: int


class ShowPairStory(OfPair):
    """Where it comes from and what was learned of it."""


class EditPair(OfPair):
    """Write a better text."""


@dataclass(frozen=True)
class OfPairs(Request):
    """About one or many pairs."""

    pairs: tuple[int, ...]


class ExcludePairs(OfPairs):
    """Keep them out of training and check."""


class RestorePairs(OfPairs):
    """Take excluded ones in again."""


class PinPairs(OfPairs):
    """Make them tests; if all are, let them be as others are."""


class TagPairs(OfPairs):
    """Put a tag on them, or take one off."""


class RedactPairs(OfPairs):
    """Placeholders instead of personal data."""


class ClearPairs(OfPairs):
    """Let them train with the personal data in them."""


@dataclass(frozen=True)
class KeepAnswer(Request):
    """The answer of *pair* stands, the others of *conflict* go."""

    conflict: OpenConflict
    pair: int


@dataclass(frozen=True)
class AllAreFine(Request):
    """All answers of *conflict* may stand."""

    conflict: OpenConflict


# -- runs and versions -------------------------------------------------------------------------------
class Retrain(Request):
    """Preflight, then a run."""


class EditRecipe(Request):
    """The recipe of the next retraining, as a form."""


class ShowTraining(Request):
    """How the run in progress is going, or how the last one went."""


@dataclass(frozen=True)
class ShowRuns(Request):
    """The history of runs, with run *at* marked."""

    at: int | None = None


class CancelRun(Request):
    """Give the live run up."""


class StopRun(Request):
    """Stop the live run with a checkpoint."""


@dataclass(frozen=True)
class OfRun(Request):
    """About one run."""

    run: int


class ShowVerdict(OfRun):
    """How a run ended."""


class ReportEnd(OfRun):
    """Say how a run ended that has no verdict."""


@dataclass(frozen=True)
class ShowVersions(Request):
    """Every version of the bot. *compare*: what a comparison is about that is asked for there."""

    compare: Compare


class ShowHistory(Request):
    """The versions' numbers as a picture."""


class RollBack(Request):
    """Let the version before the active one answer again."""


@dataclass(frozen=True)
class Activate(Request):
    """Let *version* answer."""

    version: Version


@dataclass(frozen=True)
class TryUnseen(Request):
    """Let *version* answer unseen; or, if it does, no more."""

    version: Version


@dataclass(frozen=True)
class ShowReport(Request):
    """What the check found about *version*."""

    version: Version | None
