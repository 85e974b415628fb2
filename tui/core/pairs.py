"""The pairs of a desk, for one operator: found, read, put right, one or many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from finetune.lengths import long_answer_words
from store.desk import Desk
from store.pairs.conflicts import OpenConflict
from store.pairs.editing import Outcome
from store.pairs.listing import PAIR_STATES, Choices, ListedPair, PairFilter
from store.pairs.new import LONGEST
from store.pairs.story import Story
from store.records import Pair
from store.words import Exchange, Split
from tui.core.beside import Beside
from tui.core.recipes import RecipeDesk

__all__ = [
    "LONGEST",
    "PAIR_STATES",
    "Choices",
    "ConflictDesk",
    "ListedPair",
    "OpenConflict",
    "Outcome",
    "PairDesk",
    "PairFilter",
    "Story",
]

ROWS = 900  # pairs that one question asks the store for


class PairDesk:
    """The only way to the pairs. What changes many of them works beside the event loop: thousands take seconds."""

    def __init__(self, store: Desk, beside: Beside, recipes: RecipeDesk, who: str) -> None:
        self._store, self._beside, self._recipes, self._who = store, beside, recipes, who

    # -- reading -----------------------------------------------------------------------------------
    async def ids(self, wanted: PairFilter) -> list[int]:
        """The pairs that fit, the latest first."""
        return await self._beside.read(lambda store: store.pair_listing.ids(wanted))

    def rows(self, ids: Sequence[int]) -> list[ListedPair]:
        """A window of the list: at most :data:`ROWS`."""
        return self._store.pair_listing.rows(ids[:ROWS])

    async def choices(self) -> Choices:
        """What there is to filter by."""
        return await self._beside.read(lambda store: store.pair_listing.choices())

    def get(self, pair_id: int) -> Pair:
        """Raises :class:`LookupError` if there is none."""
        return self._store.pairs.get(pair_id)

    def live(self, *, split: Split | None = None, query: str | None = None, limit: int | None = None) -> list[Pair]:
        """Pairs that train or test, in the order they came in."""
        return self._store.pairs.list(split=split, query=query, limit=limit)

    def count(self, *, split: Split | None = None, query: str | None = None) -> int:
        """How many of them there are."""
        return self._store.pairs.count(split=split, query=query)

    def any(self) -> bool:
        """Whether this desk ever had a pair."""
        return self._store.pairs.count(state="all") > 0

    def story(self, pair_id: int) -> Story:
        """Everything about one pair."""
        return self._store.pair_stories.story(pair_id)

    def tag_names(self) -> list[str]:
        """The tags there are."""
        return self._store.tags.names()

    def length_words(self) -> Callable[[str, str], str]:
        """For editors: says of a question and its answer whether they are too long to be learned or said whole."""
        settings = self._store.settings.load()
        recipe = self._recipes.named(settings.recipe)
        return lambda question, answer: long_answer_words(question, answer, recipe, settings)

    # -- one pair ----------------------------------------------------------------------------------
    def edit(self, pair_id: int, instruction: str, output: str, history: tuple[Exchange, ...]) -> Pair:
        """Put a new text in the place of a pair, which is kept. Raises :class:`DeskError`."""
        return self._store.editing.edit(pair_id, self._who, instruction, output, history)

    def redacted(self, pair_id: int) -> tuple[str, str, tuple[Exchange, ...]]:
        """Question, answer and history with placeholders for personal data. Nothing is changed."""
        return self._store.editing.redacted(pair_id)

    async def redactions(self, ids: Sequence[int]) -> list[tuple[int, list[tuple[str, str]]]]:
        """What :meth:`redact` would take out of which pair. Nothing is changed."""
        return await self._beside.read(lambda store: store.editing.redactions(ids))

    # -- many of them ------------------------------------------------------------------------------
    async def redact(self, ids: Sequence[int]) -> Outcome:
        """Put placeholders instead of personal data. Raises :class:`DeskError`, as all of these do."""
        return await self._beside.work(lambda store: store.editing.redact_all(ids, self._who))

    async def exclude(self, ids: Sequence[int], why: str | None) -> Outcome:
        """Take them out of training and check."""
        return await self._beside.work(lambda store: store.editing.exclude(ids, self._who, why))

    async def restore(self, ids: Sequence[int]) -> Outcome:
        """Take excluded pairs in again."""
        return await self._beside.work(lambda store: store.editing.restore(ids, self._who))

    async def pin(self, ids: Sequence[int], *, pinned: bool) -> Outcome:
        """Make them tests; or let them be as others are."""
        return await self._beside.work(lambda store: store.editing.pin(ids, pinned))

    async def tag(self, ids: Sequence[int], tag: str) -> Outcome:
        """Put a tag on them."""
        return await self._beside.work(lambda store: store.editing.tag(ids, tag, self._who))

    async def untag(self, ids: Sequence[int], tag: str) -> Outcome:
        """Take a tag off them."""
        return await self._beside.work(lambda store: store.editing.untag(ids, tag))

    async def clear(self, ids: Sequence[int]) -> Outcome:
        """Let them train with the personal data in them."""
        return await self._beside.work(lambda store: store.editing.clear(ids, self._who))

    # -- the sides ---------------------------------------------------------------------------------
    async def more_tests(self) -> int:
        """Hold out one more phrasing of each answer that has the fewest, as far as no run has used one; returns how
        many questions. See :meth:`store.pairs.growing.GrowingTests.more`."""
        return await self._beside.work(lambda store: store.growing.more())

    async def fewer_tests(self) -> int:
        """Let what :meth:`more_tests` took train again, as far as no run has judged by it; returns how many."""
        return await self._beside.work(lambda store: store.growing.fewer())


class ConflictDesk:
    """Questions with more than one answer, for one operator."""

    def __init__(self, store: Desk, beside: Beside, who: str) -> None:
        self._store, self._beside, self._who = store, beside, who

    async def open(self) -> list[OpenConflict]:
        """Those that nobody has settled."""
        return await self._beside.read(lambda store: store.conflicts.open())

    def keep(self, conflict: OpenConflict, pair_id: int) -> int:
        """Let the answer of one pair stand and exclude those that say something else; returns how many. Raises
        :class:`DeskError`."""
        return self._store.conflicts.keep(conflict, pair_id, self._who)

    def settle(self, conflict: OpenConflict) -> None:
        """All its answers may stand."""
        self._store.conflicts.settle(conflict, self._who)
