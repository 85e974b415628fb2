"""Versions: their rows, the log of promotions and the cache of answers (``versions``), and which of two answers
operators found better (``comparisons``)."""

from store.versions.versions import Answers, Promotions, Versions

__all__ = ["Answers", "Promotions", "Versions"]
