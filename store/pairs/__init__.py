"""Pairs: what the bot learns from, and what operators do with it.

``pairs`` holds the table and the side of each question, ``new`` makes pairs ready to be written, ``editing`` changes
them, ``tags`` names them, ``conflicts`` finds questions with two answers, ``listing`` shows them in windows, ``story``
tells where one comes from, ``exporting`` takes them out. What comes in from files is :mod:`store.importing`.
"""

from store.pairs.pairs import COUNTS, FLAGGED, LIVE, SEEN_BY_ACTIVE, NewPair, Pairs, pair_of

__all__ = ["COUNTS", "FLAGGED", "LIVE", "SEEN_BY_ACTIVE", "NewPair", "Pairs", "pair_of"]
