"""Where a desk lives: one home directory, readable by its owner alone, because it holds customers' words."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

HOME_VARIABLE = "DESKLOOP_HOME"
MODELS_VARIABLE = "DESKLOOP_MODELS"  # bases are large and read-only, so several desks may share one folder
FOLDER_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one desk. Make it with :meth:`open`, which creates what is missing."""

    root: Path

    @classmethod
    def open(cls, path: Path | str | None = None) -> Home:
        """The home at *path* (None: ``DESKLOOP_HOME``, else the platform's data folder), created 0700.

        Raises :class:`OSError` if a folder can't be made or its mode can't be set.
        """
        home = cls(cls.place(path))
        for folder in (home.root, home.adapters, home.runs, home.logs, home.exports):
            private_folder(folder)
        home.models.mkdir(parents=True, exist_ok=True)
        return home

    @staticmethod
    def place(path: Path | str | None = None) -> Path:
        """Where :meth:`open` makes the home, without making anything."""
        chosen = path or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_path("deskloop")
        return Path(chosen).expanduser().absolute()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "desk.db"

    @property
    def settings_file(self) -> Path:
        """Settings by whoever runs the desk; there only if somebody wrote it."""
        return self.root / "deskloop.toml"

    @property
    def adapters(self) -> Path:
        """One folder per adapter version."""
        return self.root / "adapters"

    @property
    def runs(self) -> Path:
        """One folder per run: checkpoints and log."""
        return self.root / "runs"

    @property
    def logs(self) -> Path:
        """Where details of errors go."""
        return self.root / "logs"

    @property
    def exports(self) -> Path:
        """Rows that imports could not use."""
        return self.root / "exports"

    @property
    def aside(self) -> Path:
        """What lay among the adapters without being in the database; nothing in it is ever deleted."""
        return self.root / "aside"

    @property
    def models(self) -> Path:
        """Prepared bases; ``DESKLOOP_MODELS`` lets several desks share them."""
        shared = os.environ.get(MODELS_VARIABLE)
        return Path(shared).expanduser().absolute() if shared else self.root / "models"

    @property
    def run_lock(self) -> Path:
        """Held by the process of the live run for as long as it lives."""
        return self.root / "run.lock"


def private_folder(folder: Path) -> Path:
    """Make *folder* with mode 0700 whatever the umask is, its parents with their usual one; returns it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    if folder.stat().st_mode & 0o777 != FOLDER_MODE:
        folder.chmod(FOLDER_MODE)
    return folder


def private_file(path: Path) -> Path:
    """Create *path* if missing and give it mode 0600; returns it.

    A file that is there is not opened: closing it again would drop every POSIX lock this process has on it, and SQLite
    keeps a database whole by such locks."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))
    if path.stat().st_mode & 0o777 != FILE_MODE:
        path.chmod(FILE_MODE)
    return path


def sync_folder(folder: Path) -> None:
    """Make a rename inside *folder* survive a power cut (a no-op where folders can't be synced)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
