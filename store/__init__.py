"""The store: everything a desk knows, in one SQLite file. Imports none of deskloop's other packages."""

from store.database import DeskBusy, DeskFull, DeskUnreadable
from store.desk import Desk
from store.home import Home
from store.importing import ImportRefused, ImportResult, import_file
from store.pairs import NewPair
from store.pairs.exporting import export_file
from store.records import (
    AdapterVersion,
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
from store.sample import load_sample
from store.settings import SettingError, Settings

__all__ = [
    "AdapterVersion",
    "Conversation",
    "Desk",
    "DeskBusy",
    "DeskFull",
    "DeskUnreadable",
    "Exchange",
    "Home",
    "ImportRefused",
    "ImportResult",
    "JudgedAnswer",
    "NewPair",
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
    "export_file",
    "import_file",
    "load_sample",
]
