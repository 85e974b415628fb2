"""Where a desk lives: one home directory, readable by its owner alone, because it holds customers' words."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from store.errors import DeskError

HOME_VARIABLE = "DESKLOOP_HOME"
MODELS_VARIABLE = "DESKLOOP_MODELS"  # bases are large and read-only, so several desks may share one folder
FOLDER_MODE = 0o700
FILE_MODE = 0o600


# What may lie in a folder that is to become a desk: deskloop's own names, and what every fresh disk has.
OWN = frozenset(
    {
        "adapters",
        "aside",
        "deskloop.toml",
        "engine",
        "exports",
        "imports",
        "logs",
        "lost+found",
        "models",
        "run.lock",
        "runs",
    }
)
FOR_ALL = frozenset({"exports", "imports", "lost+found"})  # of these, where operators' files lie
DATABASE = "desk.db"


class NoDesk(DeskError):
    """There is no desk where one is looked for; nothing was made."""


class FolderRefused(DeskError):
    """A folder can't become a desk; nothing was made or changed."""


class DatabaseMissing(DeskError):
    """A desk's adapters and runs are there, but not its database; nothing was made or changed."""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one desk. Make it with :meth:`open`, which creates what is missing."""

    root: Path

    @classmethod
    def open(cls, path: Path | str | None = None, *, create: bool = True) -> Home:
        """The home at *path* (None: ``DESKLOOP_HOME``, else the platform's data folder).

        The folders of a new desk are made, 0700; those that are there keep their modes, whosever they are. Without
        *create* there must be a desk already. Raises :class:`NoDesk`, :class:`FolderRefused` (files of something else
        lie there), :class:`DatabaseMissing`, and :class:`OSError` if a folder can't be made."""
        home = cls(cls.place(path))
        there = home.begun()
        if not there and not create:
            raise NoDesk(
                f"There is no desk in {home.root}, and none was created: is this the right folder? A new desk is "
                "created "
                "by the app, by `deskloop setup`, `deskloop pairs import` and `deskloop restore`, or by any command "
                "with --create."
            )
        if not there:
            home.check_free()
            home.complete()
        return home

    def complete(self, *, needed: bool = True) -> None:
        """Make the folders that are missing. In what may not be a desk nothing is made before its database was opened:
        then this is called again, with *needed* off, since a desk that can only be read is read."""
        for folder in (self.root, self.adapters, self.runs, self.logs, self.exports, self.imports):
            with contextlib.suppress(*(() if needed else (OSError,))):
                private_folder(folder)
        with contextlib.suppress(OSError):  # without it the base is missing, and that is said where it is needed
            self.models.mkdir(parents=True, exist_ok=True)

    def begun(self) -> bool:
        """Whether there is a desk: a database with something in it. Raises :class:`DatabaseMissing`."""
        try:
            facts = self.database.lstat()
        except FileNotFoundError:
            facts = None
        except OSError as error:
            raise FolderRefused(f"{self.root} can't be used: {error.strerror}. Nothing was changed.") from error
        if facts is not None and (facts.st_size or not stat.S_ISREG(facts.st_mode)):
            return True
        if left := self._left_alone():
            what = "is missing" if facts is None else "is empty"
            raise DatabaseMissing(
                f"{self.database} {what}, beside {left}. Nothing was changed, and these are safe. Put the file back "
                "from a copy of the folder, or bring back the last backup into a new folder (deskloop restore FILE "
                "--home NEW)."
            )
        return False

    def _left_alone(self) -> str:
        """What a database would know of, in words; empty if there is nothing."""
        found = []
        for folder, one in ((self.adapters, "adapters"), (self.runs, "runs")):
            with contextlib.suppress(OSError):
                if names := sorted(path.name for path in folder.iterdir()):
                    found.append(f"the {one} {', '.join(names[:5])}{' and more' if names[5:] else ''}")
        return " and ".join(found)

    def check_free(self) -> None:
        """Raise :class:`FolderRefused` if a desk can't be made here, because the folder is something else."""
        try:
            names = sorted(path.name for path in self.root.iterdir())
        except FileNotFoundError:
            if self.root.is_symlink():
                raise FolderRefused(
                    f"No desk can be created in {self.root}: it is a link that leads nowhere. Name another folder with "
                    "--home."
                ) from None
            return
        except OSError as error:
            raise FolderRefused(
                f"No desk can be created in {self.root}: {error.strerror}. Name another folder with --home."
            ) from error
        foreign = [name for name in names if name not in OWN and not name.startswith("desk.")]
        if foreign:
            raise FolderRefused(
                f"{self.root} is not a desk and contains other files ({', '.join(foreign[:3])}"
                f"{', ...' if foreign[3:] else ''}), so no desk was created there. Name a new or empty folder with "
                "--home."
            )

    @staticmethod
    def place(path: Path | str | None = None) -> Path:
        """Where :meth:`open` makes the home, without making anything."""
        chosen = path or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_path("deskloop")
        return Path(chosen).expanduser().absolute()

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / DATABASE

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
    def engine(self) -> Path:
        """Where the engine that all share is found; made by whoever starts one."""
        return self.root / "engine"

    @property
    def exports(self) -> Path:
        """Rows that imports could not use, and what is exported from a browser."""
        return self.root / "exports"

    @property
    def aside(self) -> Path:
        """What lay among the adapters without being in the database; nothing in it is ever deleted."""
        return self.root / "aside"

    @property
    def imports(self) -> Path:
        """Files to be imported from a browser, which reads nothing elsewhere."""
        return self.root / "imports"

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
    """Make *folder* if it is missing, with mode 0700 whatever the umask is, its parents with their usual one; returns
    it. The mode of one that is there stays as it is: it may be anybody's."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=FOLDER_MODE)
        folder.chmod(FOLDER_MODE)
    return folder


def private_file(path: Path) -> Path:
    """Create *path* (0600) if missing; of one that is there, take the others' rights away. Returns it.

    A file that is there is not opened: closing it again would drop every POSIX lock this process has on it, and SQLite
    keeps a database whole by such locks."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE)
        os.fchmod(descriptor, FILE_MODE)  # an odd umask may have taken bits away
        os.close(descriptor)
    except FileExistsError:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~FILE_MODE:
            with contextlib.suppress(PermissionError):  # another's file: doctor tells of it
                path.chmod(mode & FILE_MODE)
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
