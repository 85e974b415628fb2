"""The lock that says whether the process of the live run is alive."""

from __future__ import annotations

import fcntl
import os

from store.database import DeskReadOnly
from store.home import Home, private_file


class RunLock:
    """Held by the process of the live run. The system lets go of it when that process dies, however it dies.

    The lock belongs to the open file, so a parent that takes it and passes :attr:`fd` on to its child leaves no
    moment in which a live run has no holder."""

    def __init__(self, home: Home) -> None:
        self._path = home.run_lock
        self._fd: int | None = None

    @property
    def fd(self) -> int:
        """The descriptor to pass to the child. Raises :class:`RuntimeError` if the lock is not held."""
        if self._fd is None:
            raise RuntimeError("The run lock is not held.")
        return self._fd

    def acquire(self, blocking: bool = False) -> bool:
        """Take the lock; False if another process has it. Raises :class:`DeskReadOnly` if there can be none."""
        try:
            descriptor = os.open(private_file(self._path), os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise DeskReadOnly(self._path, (error.strerror or str(error)).lower()) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._fd = descriptor
        return True

    @classmethod
    def adopt(cls, home: Home, fd: int) -> RunLock:
        """The lock a parent took and passed on as *fd*."""
        lock = cls(home)
        lock._fd = fd
        os.set_inheritable(fd, False)
        return lock

    def release(self) -> None:
        """Let go of this process's hold; a child that has the descriptor keeps the lock."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
