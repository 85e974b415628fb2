"""The desk's settings: validated fields in the database, so that all apps on a desk agree.

Two hands write them. Operators change single settings, in the app or by ``deskloop settings set``. Whoever runs the
desk may put a file ``deskloop.toml`` into its folder (:mod:`store.settings.file`): what it names is so, and operators
can't change it. The file is taken as a whole or not at all, and what was taken is kept here, so that a file that went
wrong leaves the last good one in force.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from store.database import SALVAGE, Database, DeskUnreadable
from store.database.cells import OBJECT, VALUE, cell
from store.settings.file import FILE_NAME, FileTrouble, line_of, parse, read
from store.settings.settings import KINDS, SettingError, Settings, refuse
from store.settings.values import from_file, is_of, typed
from store.text import clean
from store.times import now

_SECRET = "split_secret"  # the key of the hash that decides sides; made once per desk
STAYS = "The last good settings from the file stay in force."
UNREAD = "The file is not used until it is fixed."


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What became of ``deskloop.toml``. ``values`` are those of the last good one, which are in force; ``problem`` says
    what is wrong with the one that lies there now."""

    values: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


class SettingsTable:
    """The repository of ``desk.settings``. ``check``: what the store can't know, such as the names of keys; raises
    :class:`SettingError` (by :func:`refuse`)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.check: Callable[[Settings], None] = lambda settings: None

    def load(self) -> Settings:
        """The settings as they are; a stored value that no longer fits falls back to its default."""
        settings = Settings()
        stored = self._db.all("SELECT key, value FROM settings")
        rows = {row["key"]: cell(row["value"], VALUE, None) for row in stored if row["key"] in KINDS}
        for key, value in [*rows.items(), *self.file().values.items()]:
            if key in KINDS and is_of(KINDS[key], value):
                with contextlib.suppress(ValueError, TypeError):
                    settings = replace(settings, **{key: value})
        return settings

    def set(self, key: str, value: Any, who: str) -> Settings:
        """Change one setting; a string is read as the field's own type. Raises :class:`SettingError`."""
        with self._db.atomic():
            settings = self.try_out(key, value)
            self._write(key, getattr(settings, key), who)
        return settings

    def try_out(self, key: str, value: Any) -> Settings:
        """The settings as :meth:`set` would make them, without keeping anything. Raises :class:`SettingError`."""
        if key not in KINDS:
            raise SettingError(f"There is no setting {clean(str(key))!r}. There are: {', '.join(KINDS)}.", path=(key,))
        if key in self.file().values:
            raise SettingError(f"The setting {key} comes from {FILE_NAME} in the desk's folder; change it there.")
        try:
            settings = replace(self.load(), **{key: typed(KINDS[key], key, value)})
        except TypeError as error:
            raise refuse("does not take that value", key) from error
        self.check(settings)
        return settings

    # -- deskloop.toml -----------------------------------------------------------------------------
    def file(self) -> SettingsFile:
        """What is known of ``deskloop.toml``."""
        stored = self._db.value("SELECT value FROM settings WHERE key = ?", FILE_NAME)
        kept = cell(stored, {"values": OBJECT, "problem": (str, None)}, {})
        return SettingsFile(kept.get("values", {}), kept.get("problem"))

    def take_file(self, path: Path, who: str) -> SettingsFile:
        """Look at the file at *path*: take it if it is good, else keep the last good one and say what is wrong."""
        before = self.file()
        try:
            found = SettingsFile(self._judge(read(path)))
        except FileTrouble as error:
            found = SettingsFile(before.values, f"{error} {STAYS if before.values else UNREAD}")
        if found != before:
            with self._db.atomic():
                self._write(FILE_NAME, asdict(found), who)
        return found

    def _judge(self, text: str) -> dict[str, Any]:
        """The values of the file whose content is *text*. Raises :class:`FileTrouble`."""
        body = parse(text)
        values: dict[str, Any] = {}
        try:
            settings = Settings()
            for key, value in body.items():
                if key not in KINDS:
                    raise refuse(f"is no setting; there are {', '.join(KINDS)}", key)
                values[key] = from_file(KINDS[key], key, value)
                settings = replace(settings, **{key: values[key]})
            self.check(settings)
        except SettingError as error:
            raise FileTrouble(error.reason, line_of(text, error.path)) from error
        return values

    def secret(self) -> str:
        """The desk's key for the hash that decides sides; made at first use."""
        stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
        if stored is None:
            with self._db.atomic():
                stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
                if stored is None:
                    stored = json.dumps(secrets.token_hex(16))
                    self._write(_SECRET, json.loads(stored), "deskloop")
        secret = cell(stored, str, "")
        if not secret:
            raise DeskUnreadable(
                f"The value {_SECRET} in the desk's settings is damaged, so nobody can tell on which side a new pair "
                f"belongs. No pair was added; what is there stays. {SALVAGE}"
            )
        return str(secret)

    def _write(self, key: str, value: Any, who: str) -> None:
        self._db.run(
            "INSERT OR REPLACE INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?)",
            key,
            json.dumps(value, ensure_ascii=False),
            now(),
            who,
        )
