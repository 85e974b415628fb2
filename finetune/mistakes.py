"""Which wrong replies a run learns from. Needs no torch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from finetune.recipe import FROM_REJECTIONS, Recipe
from store.conversations.mistakes import Mistake
from store.desk import Desk
from store.records import Pair


@dataclass(frozen=True, slots=True)
class WrongReplies:
    """``corrected``: the reply that a pair corrects, by the pair's number; ``rejected``: replies of which only is known
    that they were wrong; ``replies``: the numbers of all of them."""

    corrected: Mapping[int, str] = field(default_factory=dict)
    rejected: tuple[Mistake, ...] = ()
    replies: frozenset[int] = frozenset()

    @property
    def texts(self) -> list[str]:
        """What was said wrong."""
        return [*self.corrected.values(), *(mistake.wrong for mistake in self.rejected)]


def wrong_replies(
    desk: Desk, recipe: Recipe, pairs: Iterable[Pair], among: Collection[int] | None = None
) -> WrongReplies:
    """The wrong replies that a run with *recipe* learns from beside *pairs*; *among*: only those of these replies."""
    if not recipe.learns_from_mistakes:
        return WrongReplies()
    replies = {pair.id: pair.reply_id for pair in pairs if pair.reply_id is not None}
    corrected = {
        pair: text
        for pair, text in desk.mistakes.corrected(list(replies)).items()
        if among is None or replies[pair] in among
    }
    found = desk.mistakes.rejected() if recipe.objective in FROM_REJECTIONS else []
    rejected = tuple(mistake for mistake in found if among is None or mistake.reply_id in among)
    numbers = {replies[pair] for pair in corrected} | {mistake.reply_id for mistake in rejected}
    return WrongReplies(corrected, rejected, frozenset(numbers))


def without_mistakes(wrong: WrongReplies, recipe: Recipe, *, refused: bool) -> Iterator[str]:
    """What an operator is told whose desk has no wrong reply that the objective of *recipe* could learn from;
    *refused*: where it can learn nothing without, else where it then learns as sft does."""
    if not recipe.learns_from_mistakes or wrong.replies or refused != (recipe.objective in FROM_REJECTIONS):
        return
    none = f"The objective {recipe.objective} learns from wrong replies, and this desk has none"
    if refused:
        yield f"{none}. Correct replies, mark some as wrong, or choose objective = sft."
    else:
        yield f"{none}: this run learns as with objective = sft."
