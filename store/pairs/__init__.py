"""Pairs: what the bot learns from, and what operators do with it.

``pairs`` adds and changes them, with what is in ``selection`` (narrowed and counted), ``sets`` (what trains, what
judges), ``judged`` (what came of judging a reply); ``new`` makes pairs ready to be written and decides their side,
``conditions`` says in SQL which count. ``editing`` is what operators do to them, one or many at once, ``tags`` names
them, ``conflicts`` finds questions with two answers, ``growing`` makes more of them tests, ``listing`` shows them in
windows, ``story`` tells where one comes from. What comes in from files is :mod:`store.importing`, what goes out
:mod:`store.exporting`.
"""

from store.pairs.conditions import COUNTS, FLAGGED, LIVE, SEEN_BY_ACTIVE, pair_of
from store.pairs.new import NewPair, Origin
from store.pairs.pairs import Pairs

__all__ = ["COUNTS", "FLAGGED", "LIVE", "SEEN_BY_ACTIVE", "NewPair", "Origin", "Pairs", "pair_of"]
