"""The desk's settings: read, changed, and taken from ``deskloop.toml`` whenever somebody writes it."""

from __future__ import annotations

from store.desk import Desk
from store.errors import DeskBusy, DeskFull, DeskReadOnly
from store.settings import Settings, SettingsFile, operator_name, system_user
from store.settings.file import FILE_NAME, as_lines
from tui.core.changes import Changes
from tui.core.checking import check_settings
from tui.core.errors import DeskError
from tui.core.events import Notice, SettingsChanged
from tui.core.reach import Reach

__all__ = ["FILE_NAME", "SettingsDesk", "SettingsFile", "as_lines"]

AGAIN = (-1,)  # a signature that no file has: take the file at the next check, whatever it is


class SettingsDesk:
    """The settings in force, for one operator. ``who``: that operator, as every action is signed."""

    def __init__(self, store: Desk, changes: Changes, reach: Reach, operator: str | None) -> None:
        self._store, self._changes, self._reach = store, changes, reach
        self._table, self._path = store.settings, store.home.settings_file
        self._table.check = check_settings
        self._taken = self._signature()
        try:
            self._table.take_file(self._path, system_user())
        except (DeskBusy, DeskFull, DeskReadOnly):
            self._taken = AGAIN  # what was taken before stays in force, and a desk that is full can be read
        self._problem: str | None = None  # the file's, that was reported last
        self._published = self._table.load()
        self.who = operator_name(operator or "") or operator_name(self._published.operator) or system_user()

    @property
    def now(self) -> Settings:
        """The settings as they are now."""
        return self._table.load()

    @property
    def file(self) -> SettingsFile:
        """What ``deskloop.toml`` says, and what is wrong with it."""
        return self._table.file()

    def change(self, key: str, value: object) -> Settings:
        """Change one setting; a string is read as the setting's own type. Raises :class:`DeskError`."""
        if key == "base":
            value = self._reach.base(str(value))
        settings = self._table.set(key, value, self.who)
        self.publish_changes()
        return settings

    def try_out(self, key: str, value: object) -> Settings:
        """What the settings would be; nothing is changed. Raises :class:`store.settings.SettingError`."""
        return self._table.try_out(key, value)

    def publish_changes(self) -> None:
        """Let everybody know if the settings differ from those that were published last."""
        before, after = self._published, self.now
        if before != after:
            self._published = after
            self._changes.publish(SettingsChanged(before, after))

    # -- the file ----------------------------------------------------------------------------------
    def check_file(self) -> None:
        """Take ``deskloop.toml`` if it was written since the last check, or report what is wrong with it."""
        if (signature := self._signature()) == self._taken:
            return
        self._taken = signature
        try:
            self._table.take_file(self._path, self.who)
        except DeskError as error:
            self._taken = AGAIN
            self._changes.publish(Notice(error.sentence, trouble=True))
            return
        self.report_problem()
        self.publish_changes()

    def report_problem(self) -> None:
        """Report what is wrong with ``deskloop.toml``, once."""
        problem = self.file.problem
        if problem and problem != self._problem:
            self._changes.publish(Notice(problem, trouble=True))
        self._problem = problem

    def _signature(self) -> tuple[int, ...]:
        """What changes when somebody writes the file; nothing where there is none."""
        try:
            facts = self._path.stat()
        except OSError:
            return ()
        return facts.st_mtime_ns, facts.st_size, facts.st_ino
