"""Erasing a person: what is found, what is changed, and what is left to be said.

Everything else in a desk is only ever added to. Erasing is the one exception: it takes texts out of rows that are
append-only otherwise, out of indexes, logs and the free pages of the database's files, and keeps of itself when, by
whom, and how many places, never what.
"""

from store.erasing.erasing import Done, Erasing, Plan
from store.erasing.subject import NotErased, Subject

__all__ = ["Done", "Erasing", "NotErased", "Plan", "Subject"]
