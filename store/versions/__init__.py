"""Adapter versions and what is known of them.

``versions`` holds their rows, ``promotions`` the log that says which of them answers, ``answers`` what they said to
questions that are asked again, ``comparisons`` which of two the operators found better.
"""

from store.versions.answers import Answers
from store.versions.promotions import Promotions
from store.versions.versions import NewVersion, Versions

__all__ = ["Answers", "NewVersion", "Promotions", "Versions"]
