"""The store: everything a desk knows, in one SQLite file. Imports none of deskloop's other packages."""

from store.desk import Desk
from store.home import Home
from store.records import (
    AdapterVersion,
    Conflict,
    Conversation,
    Exchange,
    JudgedAnswer,
    Pair,
    Promotion,
    Reply,
    Run,
    RunEvent,
    Turn,
)
from store.runs import RunAlreadyLive, RunLock, WrongTransition
from store.settings import SettingError, Settings

__all__ = [
    "AdapterVersion",
    "Conflict",
    "Conversation",
    "Desk",
    "Exchange",
    "Home",
    "JudgedAnswer",
    "Pair",
    "Promotion",
    "Reply",
    "Run",
    "RunAlreadyLive",
    "RunEvent",
    "RunLock",
    "SettingError",
    "Settings",
    "Turn",
    "WrongTransition",
]
