"""What was computed for a conversation's earlier turns, kept for its next one. Versions never share any of it: one sees
in the same text what another does not."""

from __future__ import annotations

from transformers import DynamicCache

from store.words import Version

KEPT = 4  # caches kept at once, the least recently used goes first

CacheKey = tuple[Version, str]
"""Whose cache it is: a version, and a conversation."""


class ConversationCaches:
    """The caches of one model, by version and conversation."""

    def __init__(self) -> None:
        self._kept: dict[CacheKey, tuple[list[int], DynamicCache]] = {}

    def take(self, key: CacheKey | None, ids: list[int], held: int) -> tuple[DynamicCache, int] | None:
        """Take out the cache of *key*, cut to what it shares with *ids*, and how many tokens those are; None if nothing
        is shared. *held*: the places in it that stand before the text.

        Exact for every kind of adapter: what a token's keys and values are depends on the tokens up to it, on the
        weights, and on what stands before the text, and all are the same. The last token is always computed, since
        its logits are needed."""
        kept = None if key is None else self._kept.pop(key, None)
        if kept is None:
            return None
        known, cache = kept
        length = cache.get_seq_length() - held
        shared = 0
        for old, new in zip(known[:length], ids[:-1], strict=False):
            if old != new:
                break
            shared += 1
        if shared == 0:
            return None
        if surplus := length - shared:
            try:
                cache.crop(-surplus)
            except RuntimeError:  # a sliding-window cache that has forgotten the place to go back to
                return None
        return cache, shared

    def keep(self, key: CacheKey | None, ids: list[int], cache: DynamicCache) -> None:
        """Keep *cache*, in which *ids* were computed, for the next turn of *key*."""
        if key is None:
            return
        self._kept[key] = (ids, cache)
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))

    def drop(self, version: Version) -> None:
        """Forget what *version* computed."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] != version}
