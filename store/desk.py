"""A desk: one home directory and everything kept in it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from store.bases import Bases
from store.conversations import Conversations
from store.conversations.drafts import Drafts
from store.conversations.judgements import Judgements
from store.conversations.listing import Listing
from store.conversations.mistakes import Mistakes
from store.conversations.quality import Quality
from store.conversations.review import Review
from store.conversations.shadows import Shadows
from store.database import Database
from store.erasing import Erasing
from store.home import Home
from store.pairs import Pairs
from store.pairs.conflicts import Conflicts
from store.pairs.editing import PairEditing
from store.pairs.growing import GrowingTests
from store.pairs.known import KnownAnswers
from store.pairs.listing import PairListing
from store.pairs.story import PairStories
from store.pairs.tags import Tags
from store.records import Turn
from store.runs import Runs
from store.runs.recipes import Recipes
from store.search import matching_turns, snippet
from store.settings import SettingsTable
from store.versions import Answers, Promotions, Versions
from store.versions.calibrations import Calibrations
from store.versions.comparisons import Comparisons


@dataclass(frozen=True, slots=True)
class Search:
    """Full-text search over turns (``desk.search``); the newest hits first, each with the text around the hit."""

    _db: Database
    _conversations: Conversations

    def turns(self, query: str, limit: int = 50) -> list[tuple[Turn, str]]:
        """Turns that contain the words of *query*."""
        found = [self._conversations.turn(number) for number in matching_turns(self._db, query, limit)]
        return [(turn, snippet(turn.text, query)) for turn in found]


class Desk:
    """The store of one desk. Open one per thread; as a context manager it closes itself."""

    def __init__(self, home: Home) -> None:
        self.home = home
        home.begun()  # never a new database in the place of one that is missing
        self.db = Database(home.database)
        home.complete(needed=False)
        self.settings = SettingsTable(self.db)
        self.conversations = Conversations(self.db)
        self.drafts = Drafts(self.db)
        self.pairs = Pairs(self.db, self.settings)
        self.tags = Tags(self.db)
        self.editing = PairEditing(self.db, self.pairs, self.tags)
        self.growing = GrowingTests(self.db, self.pairs)
        self.conflicts = Conflicts(self.db, self.pairs)
        self.known = KnownAnswers(self.db, self.pairs)
        self.pair_listing = PairListing(self.db, self.conflicts)
        self.pair_stories = PairStories(self.db, self.pair_listing)
        self.judgements = Judgements(self.db, self.conversations, self.pairs)
        self.mistakes = Mistakes(self.db, self.conversations, self.settings)
        self.review = Review(self.db, self.conversations, self.judgements)
        self.listing = Listing(self.db)
        self.shadows = Shadows(self.db)
        self.runs = Runs(self.db, home)
        self.recipes = Recipes(self.db)
        self.versions = Versions(self.db)
        self.promotions = Promotions(self.db)
        self.answers = Answers(self.db)
        self.calibrations = Calibrations(self.db)
        self.comparisons = Comparisons(self.db)
        self.quality = Quality(self.db)
        self.bases = Bases(self.db)
        self.erasing = Erasing(self.db, home)
        self.search = Search(self.db, self.conversations)

    @classmethod
    def open(cls, home: Home | Path | str | None = None, *, create: bool = True) -> Desk:
        """The desk at *home*, brought up to date if needed, and with *create* made if needed."""
        return cls(home if isinstance(home, Home) else Home.open(home, create=create))

    def atomic(self) -> AbstractContextManager[None]:
        """All of the block or nothing; other writers wait."""
        return self.db.atomic()

    def data_version(self) -> int:
        """A number that changes when another connection has changed the database."""
        return int(self.db.value("PRAGMA data_version"))

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
